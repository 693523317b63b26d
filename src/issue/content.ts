import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import type { StoredComparison } from '../verdict/comparison.ts'
import { withVotes } from '../verdict/count-votes.ts'
import { arrange } from './apply-edits.ts'
import { type ComposedIssue, composeIssue } from './compose.ts'
import type { IssueEdits } from './edits.ts'
import { votesOfIssue } from './freeze-votes.ts'
import { preheaderChoices, subjectChoices } from './headline.ts'
import { type Issue, weekOfIssue } from './issue.ts'
import { lookBackOf } from './look-back.ts'
import { type LeftOut, selectComparisons, waitingToBePutIn } from './select.ts'

type Deps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly comparisons: { readonly most: number }
}

/** What an issue would say with an editor's corrections, and what there is to choose from. */
export type Content = {
  /** In the order in which they are printed. */
  readonly comparisons: readonly StoredComparison[]
  readonly composed: ComposedIssue
  /** The issue's comparisons that the editor left out, or that an editor's wish could not be followed for. */
  readonly leftOut: readonly LeftOut[]
  readonly waiting: readonly LeftOut[]
  /** Up to three each; the first is the generated one. */
  readonly subjects: readonly string[]
  readonly preheaders: readonly string[]
}

/** Looks up an issue's content as saving these edits would make it; nothing is changed. */
export async function contentOf(
  { db, clock, comparisons: { most } }: Deps,
  issue: Issue,
  edits: IssueEdits,
): Promise<Content> {
  const newsletter = await db.selectFrom('newsletter').select('baseline_at').executeTakeFirst()
  const cutoff = issue.cutoff_at ?? clock()
  const byHand = { leftOut: edits.leftOut, include: edits.include, now: clock() }
  const rule = { issueId: issue.id, cutoff, baseline: newsletter?.baseline_at ?? cutoff, most, byHand }
  const selection = await selectComparisons(db, rule)
  const { leftOut } = selection
  const votes = await votesOfIssue(db, issue.id)
  const chosen = selection.chosen.map((comparison) => withVotes(comparison, votes))
  const lookBack = await lookBackOf(db, issue.id, votes)
  const comparisons = arrange(chosen, edits)
  const named = new Set([...edits.leftOut.map(({ slug }) => slug), ...edits.include])
  const week = weekOfIssue(issue)
  return {
    ...{ comparisons, composed: composeIssue(week, chosen, edits, { lookBack }) },
    leftOut: leftOut.filter(({ slug }) => named.has(slug)),
    waiting: (await waitingToBePutIn(db, rule)).filter(({ slug }) => !named.has(slug)),
    ...{ subjects: subjectChoices(week, comparisons), preheaders: preheaderChoices(comparisons) },
  }
}
