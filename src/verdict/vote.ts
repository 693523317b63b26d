import type { CommunityCount, Tool } from './comparison.ts'

/** Fewer votes than this are no result, where nothing else was set (`MIN_VOTES`): the community line shows a dash. */
export const fewestVotes = 5

/** Readers' ship share on a tool, 0 to 100, and out of how many; `null` while there are too few to say. */
export type CommunityVote = { readonly percent: number; readonly votes: number } | null

export function communityVote({ community }: Pick<Tool, 'community'>): CommunityVote {
  const votes = community ? community.ship + community.skip : 0
  if (!community || votes === 0 || votes < leastOf(community)) return null
  return { percent: Math.round((100 * community.ship) / votes), votes }
}

/** How many votes make a result of these. */
export function leastOf(community: CommunityCount | undefined): number {
  return community?.least ?? fewestVotes
}
