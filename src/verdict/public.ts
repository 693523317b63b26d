import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'

/** What a visitor may be shown under a slug: the comparison, or that there was one. */
export type Standing =
  | {
      readonly kind: 'shown'
      readonly id: number
      readonly revision: number
      readonly revisedAt: Temporal.Instant
      readonly votes: string
    }
  | { readonly kind: 'retracted' }

/**
 * Where a comparison stands for the public at an instant; undefined when it has nothing to be found there: no such slug,
 * published later than that, or retracted before anybody could see it. `votes` changes with every vote.
 */
export async function findStanding(
  db: Kysely<Database>,
  slug: string,
  now: Temporal.Instant,
): Promise<Standing | undefined> {
  const row = await db
    .selectFrom('comparison as c')
    .innerJoin('comparison_tool as t', 't.comparison_id', 'c.id')
    .leftJoin('vote_tally as v', 'v.tool_id', 't.tool_id')
    .select(['c.id', 'c.revision', 'c.revised_at', 'c.retracted_at', 'c.published_at'])
    .select(
      sql<string>`string_agg(
        concat_ws(':', t.community_ship, t.community_skip, v.ship, v.skip, v.set_aside), ' ' order by t.side)`.as(
        'votes',
      ),
    )
    .where('c.slug', '=', slug)
    .groupBy('c.id')
    .executeTakeFirst()
  if (!row) return undefined
  if (row.retracted_at) {
    return (await wasShown(db, row.id, row.retracted_at)) ? { kind: 'retracted' } : undefined
  }
  if (Temporal.Instant.compare(row.published_at, now) > 0) return undefined
  const { id, revision, revised_at: revisedAt, votes } = row
  return { kind: 'shown', id, revision, revisedAt, votes }
}

/** Whether some revision from before the retraction had been published by then. */
async function wasShown(db: Kysely<Database>, id: number, retractedAt: Temporal.Instant): Promise<boolean> {
  const shown = await db
    .selectFrom('comparison_revision')
    .select('revision')
    .where('comparison_id', '=', id)
    .where(sql<boolean>`document -> 'retracted' is distinct from 'true'::jsonb`)
    .where(sql`(document ->> 'publishedAt')::timestamptz`, '<=', sql`${retractedAt}::timestamptz`)
    .limit(1)
    .executeTakeFirst()
  return shown !== undefined
}
