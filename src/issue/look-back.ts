import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { loadAtRevision } from '../verdict/at-revision.ts'
import type { Comparison } from '../verdict/comparison.ts'
import { type Votes, withVotes } from '../verdict/count-votes.ts'

/** What an issue looks back on: the comparisons of the one before it, with readers' votes on them. */
export type LookBack = { readonly week: string; readonly comparisons: readonly Comparison[] }

/** What an issue looks back on, as it was set; undefined when there was nothing, or it cannot be read any more. */
export async function lookBackOf(
  db: Kysely<Database>,
  issueId: number,
  votes: Votes,
): Promise<LookBack | undefined> {
  const members = await db
    .selectFrom('issue_outcome')
    .select(['comparison_id', 'revision'])
    .where('issue_id', '=', issueId)
    .orderBy('position')
    .execute()
  const comparisons = await loadAtRevision(db, members)
  const [first] = members
  if (!first || !comparisons) return undefined
  const { week } = await db
    .selectFrom('issue_comparison as ic')
    .innerJoin('issue as i', 'i.id', 'ic.issue_id')
    .innerJoin('issue as own', (join) => join.on('own.id', '=', issueId).onRef('i.week', '<', 'own.week'))
    .select('i.week')
    .where('ic.comparison_id', '=', first.comparison_id)
    .where('i.planned_at', 'is not', null)
    .orderBy('i.week', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow()
  return { week, comparisons: comparisons.map((comparison) => withVotes(comparison, votes)) }
}
