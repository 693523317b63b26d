import { type Finding, found } from './finding.ts'
import { addressesIn, squeezed, wordsOf } from './markup.ts'

type Parts = {
  readonly kind: string
  readonly subject: string
  readonly preheader: string
  readonly html: string
  readonly text: string
}

/** What the comparisons say, each text `squeezed`; and what tools are called, which may stand anywhere. */
export type Published = { readonly texts: readonly string[]; readonly names: readonly string[] }

type Trace = { readonly name: string; readonly pattern: RegExp; readonly isNeverMeant?: true }

const traces: readonly Trace[] = [
  { name: 'a hole that was not filled', pattern: /[\u0001-\u0006]\w*/g, isNeverMeant: true },
  { name: 'an object in the place of words', pattern: /\[object \w+\]/g, isNeverMeant: true },
  { name: 'filler text', pattern: /\blorem\s+ipsum\b/gi, isNeverMeant: true },
  { name: 'a template’s braces', pattern: /\{\{[^{}\n]{0,60}(?:\}\})?|\}\}/g },
  { name: 'a value that is missing', pattern: /\b(?:undefined|NaN)\b/g },
  { name: 'a note to oneself', pattern: /\b(?:TODO|FIXME|TBD)\b/g },
]

/**
 * Whether something was left open in a mail. Tools for programmers are written about too: what stands so, with the words
 * around it, in what was published is only shown. Filler and our own holes never are meant.
 */
export function leftovers(mail: Parts, published: Published): Finding {
  const places = [
    { place: '#subject', name: 'subject', words: mail.subject },
    { place: '#preheader', name: 'preheader', words: mail.preheader },
    { place: '#content', name: 'html', words: wordsOf(mail.html) },
    { place: '#content', name: 'text', words: mail.text },
    { place: '#content', name: 'links', words: linksOf(mail.html) },
  ]
  const met = places.flatMap(({ place, name, words }) =>
    traces.flatMap((trace) =>
      [...words.matchAll(trace.pattern)].map(({ 0: token, index }) => ({
        place,
        isMeant: !trace.isNeverMeant && isPublished(words, token, index, published),
        said: `${trace.name} in the ${name}: ${around(words, index, token)}`,
      })),
    ),
  )
  const open = met.filter(({ isMeant }) => !isMeant)
  const [first] = open.length > 0 ? open : met
  if (!first) return found('placeholders', 'pass', 'every hole is filled, and no placeholder is left')
  const evidence = (open.length > 0 ? open : met).slice(0, 10).map(({ said }) => said)
  return open.length > 0
    ? found('placeholders', 'block', `${first.said} (${mail.kind})`, { evidence, place: first.place })
    : found('placeholders', 'warn', `${first.said}; it was published so: is it meant?`, {
        ...{ evidence, place: first.place },
      })
}

/** In the middle of a published text with the same words on one side at least; a text that is nothing else is no text. */
function isPublished(words: string, token: string, at: number, { texts, names }: Published): boolean {
  const bare = squeezed(token)
  const before = squeezed(words.slice(Math.max(0, at - 40), at)).slice(-8)
  const after = squeezed(words.slice(at + token.length, at + token.length + 40)).slice(0, 8)
  if (names.some((name) => name.includes(bare))) return true
  return texts.some((text) => text !== bare && (text.includes(before + bare) || text.includes(bare + after)))
}

function linksOf(html: string): string {
  return addressesIn(html)
    .map(({ url }) => url)
    .join(' ')
}

function around(words: string, at: number, token: string): string {
  const cut = words.slice(Math.max(0, at - 20), at + token.length + 20).replace(/[\u0001-\u0006]/g, '▯')
  return `“${cut.replace(/\s+/g, ' ').trim()}”`
}
