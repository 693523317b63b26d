import type { CommunityCount, Tool } from './comparison.ts'
import type { PanelVerdict } from './panel.ts'

/** Fewer votes than this are no result, where nothing else was set (`MIN_VOTES`): the community line shows a dash. */
export const fewestVotes = 5

/** Readers' ship share on a tool, 0 to 100, and out of how many; `null` while there are too few to say. */
export type CommunityVote = { readonly percent: number; readonly votes: number } | null

export function communityVote({ community }: Pick<Tool, 'community'>): CommunityVote {
  const votes = community ? community.ship + community.skip : 0
  if (!community || votes < leastOf(community)) return null
  return { percent: Math.round((100 * community.ship) / votes), votes }
}

/** "62 % of 41 readers", or a dash while there are too few votes. */
export function communityLabel(vote: CommunityVote): string {
  return vote ? `${vote.percent} % of ${vote.votes} readers` : '—'
}

/** Whether readers and panel are on opposite sides of a half: who is split themselves is on neither. */
export function isApart(vote: CommunityVote, { stamp }: PanelVerdict): boolean {
  if (!vote || stamp === 'split' || vote.percent === 50) return false
  return vote.percent > 50 !== (stamp === 'ship')
}

/** How many votes make a result of these. */
export function leastOf(community: CommunityCount | undefined): number {
  return community?.least ?? fewestVotes
}
