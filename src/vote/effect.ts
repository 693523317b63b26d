import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'

/** Votes on a tool. */
type Count = { readonly ship: number; readonly skip: number }

/** What a flag's votes weigh on one of its tools: the counts as shown now, without any of them, and with all of them. */
export type Effect = {
  readonly toolId: number
  readonly now: Count
  readonly without: Count
  readonly with: Count
}

/** The effect on each tool of a flag, by the verdicts as they are now; what the newest comparison brought is counted too. */
export async function effectsOf(db: Kysely<Database>, flagId: number): Promise<readonly Effect[]> {
  const { rows } = await sql<{
    toolId: number
    ship: number
    skip: number
    counted: readonly [number, number]
    aside: readonly [number, number]
  }>`
    select m.tool_id as "toolId",
           coalesce(t.ship, 0) + coalesce(b.community_ship, 0) as ship,
           coalesce(t.skip, 0) + coalesce(b.community_skip, 0) as skip,
           array[count(*) filter (where not v.set_aside and v.verdict = 'ship'),
                 count(*) filter (where not v.set_aside and v.verdict = 'skip')]::int[] as counted,
           array[count(*) filter (where v.set_aside and v.verdict = 'ship'),
                 count(*) filter (where v.set_aside and v.verdict = 'skip')]::int[] as aside
      from vote_flag_vote m join vote v using (subscriber_id, tool_id)
      left join vote_tally t on t.tool_id = m.tool_id
      left join lateral (
        select ct.community_ship, ct.community_skip
          from comparison_tool ct join comparison c on c.id = ct.comparison_id
         where ct.tool_id = m.tool_id order by c.published_at desc, c.id desc limit 1) b on true
     where m.flag_id = ${flagId}::int
     group by m.tool_id, t.ship, t.skip, b.community_ship, b.community_skip
     order by count(*) desc, m.tool_id`.execute(db)
  return rows.map(({ toolId, ship, skip, counted, aside }) => ({
    ...{ toolId, now: { ship, skip } },
    without: { ship: ship - counted[0], skip: skip - counted[1] },
    with: { ship: ship + aside[0], skip: skip + aside[1] },
  }))
}
