import { composeComparison } from '../../issue/compose.ts'
import type { Comparison } from '../../verdict/comparison.ts'
import { reviewerSplit } from '../../verdict/panel.ts'
import { lensName } from '../../verdict/review.ts'

/** A comparison as the partial `desk-comparison-facts` shows it: what the mail says of it, and every word that was said. */
export function comparisonFacts(comparison: Comparison) {
  const composed = composeComparison(comparison)
  return {
    ...{ category: composed.category, sentence: composed.sentence, communityLine: composed.communityLine },
    names: comparison.tools.map(({ name }) => name),
    tools: composed.tools.map((tool, side) => ({
      ...{ name: tool.name, category: tool.category, tagline: tool.tagline, stamp: tool.stamp },
      ...{ percent: tool.panel.percent, panelLabel: tool.panelLabel, community: tool.communityLabel },
      ...{ entry: tool.entry, priceNote: tool.priceNote },
      description: comparison.tools[side]?.description ?? '',
      url: comparison.tools[side]?.url ?? '',
      pull: { text: tool.quote.text, lens: tool.quote.lens },
    })),
    split: reviewerSplit(comparison.tools).map(({ reviewer, verdicts, parts }) => ({
      ...{ lens: lensName(reviewer), parts },
      verdicts: verdicts.map((verdict) => verdict ?? ''),
    })),
    said: comparison.tools.map(({ name, reviews }) => ({
      name,
      reviews: reviews.map(({ reviewer, verdict, quote }) => ({ lens: lensName(reviewer), verdict, quote })),
    })),
  }
}
