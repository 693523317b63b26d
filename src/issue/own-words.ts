import type { Comparison } from '../verdict/comparison.ts'
import type { IssueEdits } from './edits.ts'
import { pullQuote } from './quote.ts'

/** Whether a shorter quote is made of the reviewer's own words; what is printed of it, or the words that are not in the original. */
export type OwnWords =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly missing: string }

/**
 * A shorter quote is whole words of the original, in its order, with "…" where something was left out. What is printed is
 * cut from the original, so that straight quotation marks and white space make no difference.
 */
export function inOwnWords(original: string, given: string): OwnWords {
  const whole = flat(original)
  const sought = plain(whole)
  const pieces = flat(given).split(/\s*(?:…|\.{3})\s*/)
  const kept: string[] = []
  let from = 0
  for (const piece of pieces) {
    const at = piece === '' ? from : findWords(sought, plain(piece), from)
    if (at === -1) return { ok: false, missing: piece }
    kept.push(whole.slice(at, at + piece.length))
    from = at + piece.length
  }
  return kept.some((piece) => piece !== '')
    ? { ok: true, text: kept.join(' … ').trim() }
    : { ok: false, missing: given }
}

/** Where words stand in a text, not inside longer ones; -1 where they do not. */
function findWords(text: string, words: string, from: number): number {
  for (let at = text.indexOf(words, from); at !== -1; at = text.indexOf(words, at + 1)) {
    const isWhole = !joins(text, at) && !joins(text, at + words.length)
    if (isWhole) return at
  }
  return -1
}

/** Whether a word goes on across a place in a text. */
function joins(text: string, at: number): boolean {
  const word = /[\p{L}\p{N}\p{M}_]/u
  return word.test(text.charAt(at - 1)) && word.test(text.charAt(at))
}

function flat(text: string): string {
  return text.normalize('NFC').replace(/\s+/g, ' ').trim()
}

/** Typographic marks as a keyboard has them, one for one. */
function plain(text: string): string {
  return text.replace(/[’‘]/g, "'").replace(/[“”]/g, '"').replace(/[‐‑]/g, '-')
}

/** What is wrong with the first quote that was changed and is not its reviewer's; undefined when nothing is. */
export function faultInQuotes(
  comparisons: readonly Comparison[],
  before: IssueEdits,
  after: IssueEdits,
): string | undefined {
  for (const { slug, title, tools } of comparisons)
    for (const side of [0, 1] as const) {
      const given = after.quotes[slug]?.[side]
      if (!given || given === before.quotes[slug]?.[side]) continue
      const own = inOwnWords(pullQuote(tools[side]).review.quote, given)
      if (!own.ok)
        return `The quote on ${tools[side].name} in “${title}” has words that its reviewer did not write, or not in that order: “${own.missing}”. Put “…” where you leave something out.`
    }
  return undefined
}
