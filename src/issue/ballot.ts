import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { StoredComparison } from '../verdict/comparison.ts'
import { loadWithVotes } from '../verdict/count-votes.ts'

/** The tool that a vote link of an issue's mail is about, and the comparison that it stood in. */
export type Ballot = {
  readonly toolId: number
  readonly issueId: number
  readonly comparison: StoredComparison
  readonly side: 0 | 1
}

/** What a vote link leads to. `gone`: it was mailed, and has been retracted or compared with another tool since. */
export type FoundBallot = { readonly kind: 'open'; readonly ballot: Ballot } | { readonly kind: 'gone' }

type Deps = { readonly db: Kysely<Database>; readonly fewestVotes: number }

/**
 * Looks for a tool in the issue of a week or, because a month's roll-up reaches back, in one before it; undefined when
 * none of them was mailed with it. `isTest`: a draft will do, because test mails leave before the issue.
 */
export async function findBallot(
  { db, fewestVotes }: Deps,
  { week, tool, isTest }: { readonly week: string; readonly tool: string; readonly isTest: boolean },
): Promise<FoundBallot | undefined> {
  const row = await db
    .selectFrom('tool')
    .innerJoin('comparison_tool as t', 't.tool_id', 'tool.id')
    .innerJoin('comparison as c', 'c.id', 't.comparison_id')
    .innerJoin('issue_comparison as ic', 'ic.comparison_id', 'c.id')
    .innerJoin('issue as i', 'i.id', 'ic.issue_id')
    .select(['tool.id as toolId', 't.side', 'c.id', 'c.retracted_at', 'i.id as issueId'])
    .where('tool.slug', '=', tool)
    .where('i.week', '<=', week)
    .$if(!isTest, (query) => query.where('i.planned_at', 'is not', null))
    .orderBy('i.week', 'desc')
    .orderBy('ic.position')
    .limit(1)
    .executeTakeFirst()
  if (!row) return (await wasMailed(db, week, tool)) ? { kind: 'gone' } : undefined
  const [comparison] = row.retracted_at ? [] : await loadWithVotes(db, [row.id], fewestVotes)
  if (!comparison) return { kind: 'gone' }
  const { toolId, issueId } = row
  return { kind: 'open', ballot: { toolId, issueId, comparison, side: row.side === 1 ? 0 : 1 } }
}

/** Whether some revision that an issue was mailed with had the tool. */
async function wasMailed(db: Kysely<Database>, week: string, tool: string): Promise<boolean> {
  const row = await db
    .selectFrom('issue_comparison as ic')
    .innerJoin('issue as i', 'i.id', 'ic.issue_id')
    .innerJoin('comparison_revision as r', (join) =>
      join.onRef('r.comparison_id', '=', 'ic.comparison_id').onRef('r.revision', '=', 'ic.revision'),
    )
    .select('ic.comparison_id')
    .where('i.week', '<=', week)
    .where('i.planned_at', 'is not', null)
    .where(sql<boolean>`r.document -> 'tools' @> ${JSON.stringify([{ slug: tool }])}::jsonb`)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}
