import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { fewestVotes } from '../verdict/vote.ts'

/** What readers voted on a tool of an issue, as stored now; `percent` ship it, null while too few voted to say. */
export type ToolVotes = {
  readonly slug: string
  readonly title: string
  readonly name: string
  readonly ship: number
  readonly skip: number
  readonly percent: number | null
}

/** The votes on each tool of an issue, in the order of its comparisons. */
export async function votesOf(db: Kysely<Database>, issueId: number): Promise<readonly ToolVotes[]> {
  const rows = await db
    .selectFrom('issue_comparison as ic')
    .innerJoin('comparison as c', 'c.id', 'ic.comparison_id')
    .innerJoin('comparison_tool as t', 't.comparison_id', 'c.id')
    .select(['c.slug', 'c.title', 't.name', 't.community_ship as ship', 't.community_skip as skip'])
    .where('ic.issue_id', '=', issueId)
    .orderBy('ic.position')
    .orderBy('t.side')
    .execute()
  return rows.map((row) => ({ ...row, percent: percentOf(row) }))
}

function percentOf({ ship, skip }: { ship: number; skip: number }): number | null {
  return ship + skip < fewestVotes ? null : Math.round((100 * ship) / (ship + skip))
}
