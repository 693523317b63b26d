import { parseHTML } from 'linkedom'
import sanitizeHtml from 'sanitize-html'
import type { Corrected } from '../../issue/corrected-since.ts'
import { correctionsNote } from './corrections.ts'
import { retractionNote } from './retractions.ts'

/**
 * What an edition says, as a feed reader wants it: plain HTML without styles, frames of the mail's layout, or what only
 * concerns who gets the mail; every link absolute. The headline is left to the entry's title.
 */
export function feedContent(
  edition: string,
  {
    publicUrl,
    retracted,
    corrected,
  }: {
    readonly publicUrl: string
    readonly retracted: readonly string[]
    readonly corrected: readonly Corrected[]
  },
): string {
  const content = sanitizeHtml(told(edition), {
    allowedTags: kept,
    allowedAttributes: { '*': ['dir', 'lang'], a: ['href'], td: ['colspan'], th: ['colspan', 'scope'] },
    allowedSchemes: ['https', 'http'],
    transformTags: { a: (tagName, attribs) => ({ tagName, attribs: absolute(attribs, publicUrl) }) },
  })
  const notes = retractionNote(retracted) + correctionsNote(corrected, publicUrl)
  return `${notes}${content.replace(/\s*\n\s*/g, '\n').trim()}`
}

const kept = [
  ...[
    'h2',
    'h3',
    'h4',
    'p',
    'blockquote',
    'ul',
    'ol',
    'li',
    'hr',
    'br',
    'table',
    'caption',
    'tbody',
    'tr',
    'th',
    'td',
  ],
  ...['a', 'b', 'strong', 'em', 'i', 'bdi', 'span', 'div', 'time'],
]

/** From behind the headline to before the link that nobody can see, below which is only what concerns the mail; else everything. */
function told(edition: string): string {
  const { document } = parseHTML(edition)
  for (const part of document.querySelectorAll(ofTheMail)) part.remove()
  const headline = document.querySelector('h1')
  const parts = [...(headline?.parentElement?.childNodes ?? [])]
  const end = parts.findIndex((part) => 'getAttribute' in part && isTrap(part))
  if (!headline || end < 0) return document.body.innerHTML
  const holder = document.createElement('div')
  holder.append(...parts.slice(parts.indexOf(headline) + 1, end))
  return holder.innerHTML
}

/** Bars, which are nothing without colour; and the ballots: whoever reads a feed has no vote in it. */
const ofTheMail = '.bar, .ballot'

function isTrap(part: object): boolean {
  return 'outerHTML' in part && /^<a\b[^>]*aria-hidden="true"/.test(String(part.outerHTML))
}

function absolute(attribs: Readonly<Record<string, string>>, publicUrl: string): Record<string, string> {
  const { href, ...others } = attribs
  return href && URL.canParse(href, publicUrl)
    ? { ...others, href: new URL(href, publicUrl).href }
    : { ...others }
}
