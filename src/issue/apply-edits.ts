import type { Comparison } from '../verdict/comparison.ts'
import type { IssueEdits } from './edits.ts'
import { inOwnWords } from './own-words.ts'
import { type PullQuote, pullQuote } from './quote.ts'
import { rankByInterest } from './rank.ts'

/** The comparisons as the editor ordered them, the lead first; those that no order names follow, ranked by interest. */
export function arrange<C extends Comparison>(
  comparisons: readonly C[],
  { order }: IssueEdits,
): readonly C[] {
  const bySlug = new Map(comparisons.map((comparison) => [comparison.slug, comparison]))
  const slugs = [...(order ?? []), ...rankByInterest(comparisons).map(({ slug }) => slug)]
  return [...new Set(slugs)].flatMap((slug) => bySlug.get(slug) ?? [])
}

/**
 * The edits for an edition that has only a part of the issue, such as what a reader follows. Intro, order and quotes are
 * the editor's there too; subject and preheader speak of the lead, so they are only where the lead is.
 */
export function editsForPart(
  edits: IssueEdits,
  whole: readonly Comparison[],
  part: readonly Comparison[],
): IssueEdits {
  const [lead] = arrange(whole, edits)
  const hasLead = part.some(({ slug }) => slug === lead?.slug)
  return hasLead ? edits : { ...edits, subject: null, preheader: null }
}

/** What is printed from a tool's reviews: the editor's shorter words where they are still the reviewer's own. */
export function quoteOf(comparison: Comparison, side: 0 | 1, edits: IssueEdits): PullQuote {
  const quote = pullQuote(comparison.tools[side])
  const shorter = edits.quotes[comparison.slug]?.[side]
  const own = shorter ? inOwnWords(quote.review.quote, shorter) : undefined
  return own?.ok ? { ...quote, text: own.text, isCut: true } : quote
}
