import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { communityVote } from '../verdict/vote.ts'

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
export async function votesOf(
  db: Kysely<Database>,
  issueId: number,
  least: number,
): Promise<readonly ToolVotes[]> {
  const rows = await db
    .selectFrom('issue_comparison as ic')
    .innerJoin('comparison as c', 'c.id', 'ic.comparison_id')
    .innerJoin('comparison_tool as t', 't.comparison_id', 'c.id')
    .leftJoin('vote_tally as v', 'v.tool_id', 't.tool_id')
    .select(['c.slug', 'c.title', 't.name'])
    .select(sql<number>`t.community_ship + coalesce(v.ship, 0)`.as('ship'))
    .select(sql<number>`t.community_skip + coalesce(v.skip, 0)`.as('skip'))
    .where('ic.issue_id', '=', issueId)
    .orderBy('ic.position')
    .orderBy('t.side')
    .execute()
  return rows.map((row) => ({
    ...row,
    percent: communityVote({ community: { ship: row.ship, skip: row.skip, least } })?.percent ?? null,
  }))
}
