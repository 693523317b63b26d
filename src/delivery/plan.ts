import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Issue } from '../issue/issue.ts'
import { audienceLock } from '../subscriber/order-with-claims.ts'
import { audienceOf } from './choice.ts'

/** What readers with one choice get: an edition by its hash, or nothing, with the reason. */
export type ChosenEdition = {
  readonly choice: string
  readonly hash: string | null
  readonly reason: string | null
}

/** How an audience is cut into batches, and which signing key their links are made with. */
export type BatchPlan = {
  readonly size: number
  readonly keyId: string
  readonly choices: readonly ChosenEdition[]
}

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
 * Freezes the audience: one delivery for every confirmed, unsuppressed reader, in batches with random ids, and the issue
 * is sending. Readers whose choice comes to nothing get a delivery that is excluded, with the reason. The issue's row
 * must be locked by this transaction. Returns how many deliveries there are.
 */
export async function planDeliveries(
  trx: Transaction<Database>,
  issue: Issue,
  plan: BatchPlan,
  at: Temporal.Instant,
): Promise<number> {
  const { rows } = await sql<{ planned: number }>`
    with audience as materialized (${await audienceOf(trx, issue.id)}),
    chosen as (
      select * from jsonb_to_recordset(${JSON.stringify(plan.choices)}::jsonb) as c(choice text, hash text, reason text)
    ), matched as (
      -- A choice made since the list was drawn up is not in it: that reader gets the whole issue, with their corrections.
      select a.id, a.address, c.reason,
             case when c.choice is null then coalesce(w.hash, plain.hash, ${issue.edition_hash}) else c.hash end as hash
        from audience a
        left join chosen c using (choice)
        left join chosen w on w.choice = a.whole
        left join chosen plain on plain.choice = 'weekly'
    ), numbered as (
      select id, address, hash, (row_number() over (partition by hash order by id) - 1)::int as n
        from matched where hash is not null
    ), placed as materialized (
      select id, address, hash, n / size.mails as place, n % size.mails + 1 as slot
        from numbered cross join (select ${plan.size}::int as mails) size
    ), cut as materialized (
      select gen_random_uuid() as batch_id, hash, place, count(*) as size,
             row_number() over (order by hash <> ${issue.edition_hash}, hash, place) as ordinal
        from placed group by hash, place
    ), batches as (
      insert into batch (id, issue_id, edition_hash, ordinal, size, state, idempotency_key, key_id)
      select batch_id, ${issue.id}, hash, ordinal, size, 'built',
             'wv1/' || ${issue.week}::text || '/' || batch_id || '/1', ${plan.keyId}
        from cut
    ), deliveries as (
      insert into delivery (issue_id, subscriber_id, batch_id, slot, address)
      select ${issue.id}, p.id, cut.batch_id, p.slot, p.address
        from placed p join cut using (hash, place)
      returning 1
    ), excluded as (
      insert into delivery (issue_id, subscriber_id, address, exception, reason)
      select ${issue.id}, id, address, 'excluded', reason from matched where hash is null
      returning 1
    ), kept as (
      insert into planned_exclusion (issue_id, reason, readers)
      select ${issue.id}, reason, count(*) from matched where hash is null group by reason
    )
    select (select count(*) from deliveries) + (select count(*) from excluded) as planned`.execute(trx)
  const planned = rows[0]?.planned ?? 0
  // Whoever was leaving meanwhile has left, or will see their delivery: see `orderWithClaims`.
  await sql`select pg_advisory_xact_lock(${audienceLock})`.execute(trx)
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
