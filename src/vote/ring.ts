import { onceInAMillion } from './burst.ts'
import { chanceOfAsMany, chanceOfRare } from './chance.ts'

/** How few are no ring, and how often they have to have voted. */
export const leastInRing = { alike: 7, votes: 4, issues: 3, origin: 5 } as const

/** Readers whose ballots are the same, vote for vote. */
export type Alike = {
  readonly readers: number
  /** Readers whose ballot differs from theirs by one vote. */
  readonly near: number
  /** All readers who voted in as many issues. */
  readonly voters: number
  /** For each of their votes: the share of the issue's other voters who voted the same. */
  readonly shares: readonly number[]
}

/** What the readers of one origin voted on a tool, and what everybody else did. */
export type OnTool = {
  readonly ship: number
  readonly skip: number
  readonly others: { readonly ship: number; readonly skip: number }
}

/**
 * Whether readers vote alike beyond what honest habits explain. Two things must be so.
 *
 * Their ballot is rare: with so many voters and such shares of each vote, chance makes as many readers with the same not once
 * in a million.
 *
 * And it has no halo. Tastes and habits (all ship, all skip, the lead only, every tool) make honest readers alike too, and
 * shares do not know of them. But honest readers waver: whoever agrees on a tool nine times in ten, and votes on it nine
 * times in ten, leaves about as many readers one vote away from a ballot of four as on it. Orders do not waver.
 */
export function isAlike({ readers, near, voters, shares }: Alike): boolean {
  if (readers < leastInRing.alike || shares.length < leastInRing.votes) return false
  const expected = shares.reduce((product, share) => product * Math.min(1, share), voters)
  return chanceOfRare(readers, expected) < onceInAMillion && chanceOfFewer(near, readers) < 1e-3
}

/** Whether readers who came from one place within days of each other vote as one: hardly ever against each other, where others are. */
export function isOneOrigin(readers: number, tools: readonly OnTool[]): boolean {
  const shared = tools.filter(({ ship, skip }) => ship + skip > 1)
  const votes = shared.reduce((sum, { ship, skip }) => sum + ship + skip, 0)
  const astray = shared.reduce((sum, { ship, skip }) => sum + Math.min(ship, skip), 0)
  if (readers < leastInRing.origin || astray * 20 > votes) return false
  return shared.reduce((product, tool) => product * Math.min(1, 2 * chanceOf(tool)), 1) < 1e-5
}

function chanceOf({ ship, skip, others }: OnTool): number {
  const [seen, kind] = ship >= skip ? [ship, others.ship] : [skip, others.skip]
  return chanceOfAsMany({
    ...{ seen, drawn: ship + skip },
    ...{ kind: seen + kind, total: ship + skip + others.ship + others.skip },
  })
}

/** The lower tail of Poisson's distribution. */
function chanceOfFewer(seen: number, expected: number): number {
  return 1 - chanceOfRare(seen + 1, expected)
}
