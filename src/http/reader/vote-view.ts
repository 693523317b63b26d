import type { Question } from '../../issue/question.ts'
import { maskAddress } from '../../subscriber/address.ts'
import { type StandingVote, voteOf } from '../../subscriber/cast-vote.ts'
import { type VoteLink, voteLinkOn } from '../../subscriber/vote-link.ts'
import type { StoredComparison } from '../../verdict/comparison.ts'
import { loadWithVotes } from '../../verdict/count-votes.ts'
import { communityVote, leastOf } from '../../verdict/vote.ts'
import { comparisonView } from '../comparison-view.ts'
import { dayOf, type Holder } from './personal-link.ts'
import type { VoteDeps } from './vote.ts'

/** What was just done, or what was wrong with a form. */
export type Said = { readonly isDone?: boolean; readonly problem?: string }

/** Everything that the page of a vote says, set from the tables. */
export async function voteView(
  deps: VoteDeps,
  holder: Holder,
  link: VoteLink,
  question: Question,
  { isDone = false, problem = '' }: Said,
) {
  const { side } = question
  const comparison = await comparisonOf(deps, question)
  const vote = holder.isTest ? undefined : await voteOf(deps.db, holder.id, question.toolId)
  const tool = comparison.tools[side]
  const other = comparison.tools[side === 0 ? 1 : 0]
  const checked = link.choice ?? vote?.verdict
  return {
    ...standing(comparison, side),
    ...{ action: `${voteLinkOn(link, tool.slug)}${link.choice ? `.${link.choice}` : ''}`, problem },
    ...{ who: maskAddress(holder.address ?? ''), isTest: holder.isTest, seen: String(vote?.turn ?? 0) },
    choices: (['ship', 'skip'] as const).map((value) => ({
      ...{ value, label: value === 'ship' ? 'Yes, ship it' : 'No, skip it', checked: checked === value },
    })),
    button: vote ? 'Change my vote' : 'Count my vote',
    notice: isDone ? noticeOf(holder, tool.name, vote) : '',
    isSetAside: vote?.setAside ?? false,
    standing: vote
      ? { verdict: vote.verdict, day: dayOf(vote.changedAt, deps.calendar.zone) }
      : { verdict: '', day: '' },
    other: { name: other.name, url: voteLinkOn(link, other.slug) },
  }
}

/** What anybody may see of it: the tool, its comparison, and how readers and panel stand. */
export async function standingView(deps: VoteDeps, question: Question) {
  return standing(await comparisonOf(deps, question), question.side)
}

function standing(comparison: StoredComparison, side: 0 | 1) {
  const { tools, title } = comparisonView(comparison)
  const tool = comparison.tools[side]
  const vote = communityVote(tool)
  return {
    ...tools[side],
    ...{ name: tool.name, pair: title, slug: comparison.slug },
    ...{ hasResult: vote !== null, bar: vote?.percent ?? 0, least: String(leastOf(tool.community)) },
  }
}

async function comparisonOf(
  { db, fewestVotes }: VoteDeps,
  { comparisonId }: Question,
): Promise<StoredComparison> {
  const [comparison] = await loadWithVotes(db, [comparisonId], fewestVotes)
  if (!comparison) throw new Error(`Comparison ${comparisonId} went away while its page was made`)
  return comparison
}

function noticeOf({ isTest }: Holder, name: string, vote: StandingVote | undefined): string {
  if (isTest)
    return 'A reader’s vote would be counted now. This link is from a test mail: nothing was stored.'
  if (vote?.setAside) return `Kept. You would ${vote.verdict} ${name}.`
  return vote ? `Counted. You would ${vote.verdict} ${name}.` : ''
}
