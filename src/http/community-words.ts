import type { CommunityCount } from '../verdict/comparison.ts'

/** "1 reader", "1,204 readers" */
export function readers(count: number): string {
  return `${count.toLocaleString('en-GB')} ${count === 1 ? 'reader' : 'readers'}`
}

/** What stands beside a dash: how many voted, too few to say. */
export function votesSoFar(community: CommunityCount | undefined): string {
  const votes = community ? community.ship + community.skip : 0
  return votes === 0 ? 'no votes yet' : `${readers(votes)} so far`
}

/** "12 votes set aside by the editors"; empty where there are none. */
export function setAsideWords(community: CommunityCount | undefined): string {
  const votes = community?.setAside ?? 0
  if (votes === 0) return ''
  return `${votes.toLocaleString('en-GB')} ${votes === 1 ? 'vote' : 'votes'} set aside by the editors`
}
