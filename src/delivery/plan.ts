import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Issue } from '../issue/issue.ts'

/** How an audience is cut into batches, and which signing key their links are made with. */
export type BatchPlan = { readonly size: number; readonly keyId: string }

/** Makes room for an issue's deliveries, apart from the freeze so that nobody waits for it. Safe to run twice. */
export async function preparePartition(db: Kysely<Database>, issueId: number): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(hashtext('delivery partition'))`.execute(trx)
    await sql`
      create table if not exists ${sql.table(`delivery_${issueId}`)}
      partition of delivery for values in (${sql.lit(issueId)})`.execute(trx)
  })
}

/**
 * Freezes the audience: one delivery for every confirmed, unsuppressed reader, in batches with random ids, and the
 * issue is sending. The issue's row must be locked by this transaction. Returns how many were planned.
 */
export async function planDeliveries(
  trx: Transaction<Database>,
  issue: Issue & { edition_hash: string },
  plan: BatchPlan,
  at: Temporal.Instant,
): Promise<number> {
  const { rows } = await sql<{ planned: number }>`
    with numbered as (
      select s.id, s.address, (row_number() over (order by s.id) - 1)::int as n
        from subscriber s
        left join suppression x on x.address = s.address
       where s.status = 'confirmed' and x.id is null
    ), audience as materialized (
      select id, address, n / size.mails as place, n % size.mails + 1 as slot
        from numbered cross join (select ${plan.size}::int as mails) size
    ), cut as materialized (
      select gen_random_uuid() as batch_id, place, count(*) as size from audience group by place
    ), batches as (
      insert into batch (id, issue_id, edition_hash, ordinal, size, state, idempotency_key, key_id)
      select batch_id, ${issue.id}, ${issue.edition_hash}, place + 1, size, 'built',
             'wv1/' || ${issue.week}::text || '/' || batch_id || '/1', ${plan.keyId}
        from cut
    ), deliveries as (
      insert into delivery (issue_id, subscriber_id, batch_id, slot, address)
      select ${issue.id}, a.id, cut.batch_id, a.slot, a.address
        from audience a join cut using (place)
      returning 1
    )
    select count(*) as planned from deliveries`.execute(trx)
  const planned = rows[0]?.planned ?? 0
  await trx
    .updateTable('issue')
    .set({ state: 'sending', planned_at: at, planned, reason: null })
    .where('id', '=', issue.id)
    .execute()
  return planned
}

/** How many mails go in one call: what the transport takes, by number and by the weight of one mail. */
export function batchSize(most: { mails: number; bytes: number }, bytesPerMail: number): number {
  return Math.max(1, Math.min(100, most.mails, Math.floor(most.bytes / bytesPerMail)))
}
