import type { EntryPrice, ReviewVerdict } from '../../db/schema.ts'

/** One reviewer's verdict on one tool, with the words that go with it. */
export type Review = { readonly reviewer: string; readonly verdict: ReviewVerdict; readonly quote: string }

/**
 * Readers' votes on a tool, as counts; `least` of them make a result where another number than the usual was set.
 * `setAside`: votes that the editors do not count, in neither of the two.
 */
export type CommunityCount = {
  readonly ship: number
  readonly skip: number
  readonly least?: number
  readonly setAside?: number
}

/** A tool as one comparison presents it. */
export type Tool = {
  readonly slug: string
  readonly name: string
  readonly category: string
  readonly tagline: string
  readonly description: string
  readonly entryPrice: EntryPrice
  readonly priceNote?: string | undefined
  readonly url?: string | undefined
  readonly community?: CommunityCount | undefined
  readonly reviews: readonly Review[]
}

/** Two tools side by side, published at an instant. */
export type Comparison = {
  readonly slug: string
  readonly publishedAt: Temporal.Instant
  readonly title: string
  readonly tools: readonly [Tool, Tool]
}

/** A comparison as the database holds it. */
export type StoredComparison = Comparison & { readonly id: number; readonly revision: number }
