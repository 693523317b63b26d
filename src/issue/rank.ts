import type { Comparison } from '../verdict/comparison.ts'
import { panelVerdict } from '../verdict/panel.ts'

/**
 * Puts the week's comparisons in order, the lead first. The lead is the most one-sided: the widest gap between the
 * panel's shares of the two tools. Between equal gaps the more contested comes first (reviewers nearest to half and
 * half), then the newer, then the slug, so the order never depends on how the rows arrived.
 */
export function rankByInterest(comparisons: readonly Comparison[]): readonly Comparison[] {
  return comparisons.toSorted(
    (a, b) =>
      gap(b) - gap(a) ||
      contest(b) - contest(a) ||
      Temporal.Instant.compare(b.publishedAt, a.publishedAt) ||
      (a.slug < b.slug ? -1 : 1),
  )
}

/** 0 for a tie, 1 when the whole panel ships one and skips the other. */
function gap({ tools }: Comparison): number {
  const [a, b] = [panelVerdict(tools[0]), panelVerdict(tools[1])]
  return Math.abs(a.ships / a.of - b.ships / b.of)
}

/** 0 when the panel is of one mind on both tools, 2 when it is halved on both. */
function contest({ tools }: Comparison): number {
  return tools.reduce((sum, tool) => {
    const { ships, of } = panelVerdict(tool)
    const share = ships / of
    return sum + 4 * share * (1 - share)
  }, 0)
}
