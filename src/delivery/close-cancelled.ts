import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'

/**
 * Hands to a person what was under way when its issue was cancelled: a cancelled issue is not sent on, so that nobody
 * else would ever ask whether those batches were taken. Returns how many. Safe to run at any time.
 */
export async function closeCancelled({ db, clock }: { db: Kysely<Database>; clock: Clock }): Promise<number> {
  const now = clock().toString()
  const { rows } = await sql<{ id: string }>`
    with left_behind as (
      update batch set state = 'quarantined', lease_owner = null, lease_until = null, not_before = null,
             reason = 'the answer was lost, and the issue was cancelled'
       where issue_id in (select id from issue where state = 'cancelled' and planned_at is not null)
         and (state = 'unknown' or (state = 'attempting' and lease_until <= ${now}::timestamptz))
      returning id
    ), silent as (
      update attempt set finished_at = ${now}::timestamptz, outcome = 'unknown', reason = 'the worker fell silent'
       where outcome is null and batch_id in (select id from left_behind)
    )
    select id from left_behind`.execute(db)
  return rows.length
}
