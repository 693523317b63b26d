import { preheaderLength, subjectLength } from './headline.ts'
import type { LinkTarget } from './links.ts'

/** One thing to know before an issue goes out. A block stops it. */
export type Finding = { readonly level: 'pass' | 'warn' | 'block'; readonly what: string }

/** Gmail cuts a mail at about 102 KB and hides what comes after, the way out included (RELIABILITY 2.5). */
const sizeLimits = { warn: 90_000, block: 102_400 } as const

type Mail = {
  readonly subject: string
  readonly preheader: string
  readonly html: string
  readonly text: string
  readonly headers: Readonly<Record<string, string>>
  /** Where the counted links of its issue lead. */
  readonly links: readonly LinkTarget[]
}

/** Checks one reader's mail as it would leave: size, lengths, the way out in every part, where its links lead in the end. */
export function preflight(mail: Mail): readonly Finding[] {
  return [
    size(mail),
    length('subject', mail.subject, subjectLength),
    length('preheader', mail.preheader, preheaderLength),
    wayOut(mail),
    targets(mail),
    leftovers(mail),
  ]
}

function size({ html }: Mail): Finding {
  const bytes = Buffer.byteLength(html)
  const level = bytes > sizeLimits.block ? 'block' : bytes > sizeLimits.warn ? 'warn' : 'pass'
  return { level, what: `html is ${bytes} bytes; Gmail cuts at about ${sizeLimits.block}` }
}

function length(name: string, value: string, { least, most }: { least: number; most: number }): Finding {
  const isFit = value.length >= least && value.length <= most
  return {
    level: isFit ? 'pass' : 'warn',
    what: `${name} has ${value.length} characters; ${least} to ${most} show whole`,
  }
}

function wayOut({ html, text, headers }: Mail): Finding {
  const url = /^<(.+)>$/.exec(headers['List-Unsubscribe'] ?? '')?.[1]
  const isEverywhere = url !== undefined && html.includes(url) && text.includes(url)
  return isEverywhere
    ? { level: 'pass', what: 'the unsubscribe link is in both parts and in the headers' }
    : { level: 'block', what: 'the unsubscribe link is missing from a part or from the headers' }
}

/** Only attributes are read: text about tools can hold anything, and never a bare quotation mark. */
function targets({ html, links }: Mail): Finding {
  const met = new Set([...html.matchAll(/ href="[^"]*\/go\/([a-z0-9]{12})"/g)].map(([, id]) => id))
  const known = links.filter(({ id }) => met.has(id))
  if (known.length < met.size) return { level: 'block', what: 'a counted link leads nowhere' }
  const sites = new Set(known.map(({ target }) => new URL(target).host))
  return { level: 'pass', what: `${met.size} counted links lead to ${[...sites].join(', ') || 'nothing'}` }
}

function leftovers({ html, text, subject }: Mail): Finding {
  const isOpen = /[\u0001\u0002]/.test(html + text + subject)
  return isOpen
    ? { level: 'block', what: 'a hole was not filled' }
    : { level: 'pass', what: 'every hole is filled' }
}
