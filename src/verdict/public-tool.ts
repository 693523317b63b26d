import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'

/** A tool that visitors see: as its newest comparison names it, and what it was in, newest first. */
export type PublicTool = {
  readonly name: string
  readonly comparisonIds: readonly number[]
  /** Differs whenever what its comparisons say does, and with every vote on it. */
  readonly stamp: string
}

/** As many of a tool's comparisons as a page can list. */
const most = 200

/** The tool of a slug at an instant; undefined where no comparison with it is public. */
export async function findTool(
  db: Kysely<Database>,
  slug: string,
  now: Temporal.Instant,
): Promise<PublicTool | undefined> {
  const rows = await db
    .selectFrom('tool')
    .innerJoin('comparison_tool as t', 't.tool_id', 'tool.id')
    .innerJoin('comparison as c', 'c.id', 't.comparison_id')
    .leftJoin('vote_tally as v', 'v.tool_id', 'tool.id')
    .select(['t.name', 't.community_ship', 't.community_skip', 'v.ship', 'v.skip'])
    .select(['c.id as comparison_id', 'c.revision'])
    .where('tool.slug', '=', slug)
    .where('c.retracted_at', 'is', null)
    .where('c.published_at', '<=', now)
    .orderBy('c.published_at', 'desc')
    .orderBy('c.id', 'desc')
    .limit(most)
    .execute()
  const [newest] = rows
  if (!newest) return undefined
  return {
    ...{ name: newest.name, comparisonIds: rows.map((row) => row.comparison_id) },
    stamp: rows
      .map(({ comparison_id, revision, community_ship, community_skip, ship, skip }) =>
        [comparison_id, revision, community_ship, community_skip, ship, skip].join(':'),
      )
      .join(' '),
  }
}
