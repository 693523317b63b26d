import { searchTerms, searchWords } from '../../verdict/search-words.ts'

/** A piece of plain text; whoever sets it escapes it, and marks the hits. */
export type Piece = { readonly text: string; readonly isHit: boolean }

/** The text cut into what was looked for and what was not. Joined, the pieces are the text. */
export function markHits(text: string, typed: string): readonly Piece[] {
  const terms = searchTerms(typed)
  const pieces: Piece[] = []
  let from = 0
  for (const { index, 0: word } of text.matchAll(/[\p{L}\p{N}\p{M}]+/gu)) {
    if (!isHit(word, terms)) continue
    if (index > from) pieces.push({ text: text.slice(from, index), isHit: false })
    pieces.push({ text: word, isHit: true })
    from = index + word.length
  }
  if (from < text.length) pieces.push({ text: text.slice(from), isHit: false })
  return pieces
}

const length = 220

/** Of several texts the one that says most of what was typed, cut to about two lines around its first hit; the first text where none does. */
export function snippetOf(texts: readonly string[], typed: string): readonly Piece[] {
  const terms = searchTerms(typed)
  const [best = ''] = texts.toSorted((a, b) => termsIn(b, terms) - termsIn(a, terms))
  return markHits(around(best, firstHit(best, terms)), typed)
}

function termsIn(text: string, terms: readonly string[]): number {
  const words = searchWords(text)
  return terms.filter((term) => words.some((word) => word.startsWith(term))).length
}

function firstHit(text: string, terms: readonly string[]): number {
  for (const { index, 0: word } of text.matchAll(/[\p{L}\p{N}\p{M}]+/gu)) if (isHit(word, terms)) return index
  return 0
}

function isHit(word: string, terms: readonly string[]): boolean {
  return searchWords(word).some((part) => terms.some((term) => part.startsWith(term)))
}

/** From a word's beginning to a word's end, with an ellipsis where something is left out. */
function around(text: string, at: number): string {
  if (text.length <= length) return text
  const early = Math.max(0, Math.min(at - 60, text.length - length))
  const start = early === 0 ? 0 : early + text.slice(early, early + 40).search(/\s\S|$/) + 1
  const rest = text.slice(start, start + length)
  const isWhole = start + length >= text.length
  const shown = isWhole ? rest : rest.replace(/\s+\S*$/, '')
  return `${start > 0 ? '… ' : ''}${shown.toWellFormed()}${isWhole ? '' : ' …'}`
}
