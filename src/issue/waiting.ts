import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'

/** Comparisons that are published and in no issue that counts: how many, and the oldest few. */
export type Waiting = {
  readonly count: number
  readonly oldest: readonly {
    readonly slug: string
    readonly title: string
    readonly published_at: Temporal.Instant
  }[]
}

/** What the next draft can choose from, oldest first as it does. */
export async function waitingComparisons(
  db: Kysely<Database>,
  now: Temporal.Instant,
  most: number,
): Promise<Waiting> {
  const { rows } = await sql<Waiting['oldest'][number] & { all: number }>`
    select c.slug, c.title, c.published_at, count(*) over () as all
      from comparison c
     where c.retracted_at is null and c.published_at <= ${now}::timestamptz
       and c.published_at >= coalesce((select baseline_at from newsletter), '-infinity'::timestamptz)
       and not exists (select from issue_comparison ic where ic.comparison_id = c.id and ic.counts)
     order by c.published_at, c.id
     limit ${most}::int`.execute(db)
  return {
    count: rows[0]?.all ?? 0,
    oldest: rows.map(({ slug, title, published_at }) => ({ slug, title, published_at })),
  }
}
