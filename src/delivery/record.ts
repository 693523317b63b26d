import { type Kysely, sql, type Transaction } from 'kysely'
import { often } from '../../db/prepare.ts'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import type { SendOutcome } from '../mail/email.ts'
import type { Claim } from './claim.ts'
import { giveBackToDay, nextDay } from './daily-limit.ts'
import { splitBatch } from './split.ts'

type Deps = { db: Kysely<Database>; clock: Clock }

/**
 * Writes down what the transport said of a claim. Returns false when the claim was no longer this worker's (its lease
 * ended and another took over): then nothing is changed.
 */
export async function recordOutcome(
  { db, clock }: Deps,
  claim: Claim,
  outcome: SendOutcome,
): Promise<boolean> {
  if (outcome.kind === 'accepted') return accept(db, claim, outcome.providerIds, clock())
  return db.transaction().execute(async (trx) => {
    const now = clock()
    const batch = await trx
      .selectFrom('batch')
      .select(['id', 'first_used_at'])
      .where('id', '=', claim.batchId)
      .where('fence', '=', claim.fence)
      .where('state', '=', 'attempting')
      .forUpdate()
      .executeTakeFirst()
    if (!batch) return false

    const doubt = await earlierDoubt(trx, claim)
    await finishAttempt(trx, claim, outcome, now)
    switch (outcome.kind) {
      case 'rejected':
        await reject(trx, claim, outcome.reason)
        await giveBackToDay(trx, claim.members.length, batch.first_used_at ?? now)
        break
      case 'retry':
        await release(trx, claim, waiting(doubt, now.add(outcome.after)))
        break
      case 'halt':
        await release(trx, claim, waiting(doubt, null))
        await pauseIssue(trx, claim.issueId, outcome, now)
        break
      case 'unknown':
        await release(trx, claim, afterUnknown(claim, outcome, doubt, now))
        break
    }
    return true
  })
}

/**
 * All of a batch's mails in one statement and one row. The provider's ids go into the places of the readers' slots, so
 * that a reader's id is found without a search.
 */
async function accept(
  db: Kysely<Database>,
  claim: Claim,
  ids: readonly string[],
  now: Temporal.Instant,
): Promise<boolean> {
  const lastSlot = Math.max(...claim.members.map((member) => member.slot))
  const bySlot = Array.from<unknown, string | null>({ length: lastSlot }, () => null)
  for (const [index, member] of claim.members.entries()) bySlot[member.slot - 1] = ids[index] ?? null
  const { rows } = await sql`${often}
    with mine as (
      update batch
         set state = 'accepted', reason = null, accepted_at = ${now}, provider_ids = ${bySlot}::text[],
             lease_owner = null, lease_until = null, not_before = null
       where id = ${claim.batchId} and fence = ${claim.fence} and state = 'attempting'
      returning id)
    update attempt set finished_at = ${now}, outcome = 'accepted', reason = null
      from mine where batch_id = mine.id and fence = ${claim.fence}
    returning batch_id`.execute(db)
  return rows.length > 0
}

async function finishAttempt(
  trx: Transaction<Database>,
  claim: Claim,
  outcome: Exclude<SendOutcome, { kind: 'accepted' }>,
  now: Temporal.Instant,
): Promise<void> {
  await trx
    .updateTable('attempt')
    .set({ finished_at: now, outcome: outcome.kind, reason: outcome.reason })
    .where('batch_id', '=', claim.batchId)
    .where('fence', '=', claim.fence)
    .execute()
}

/** Why an earlier call under this key may have been accepted. A later refusal says nothing of that one. */
async function earlierDoubt(trx: Transaction<Database>, claim: Claim): Promise<string | undefined> {
  const { rows } = await sql<{ reason: string | null }>`
    select a.reason
      from attempt a join batch b on b.id = a.batch_id
     where a.batch_id = ${claim.batchId} and a.fence < ${claim.fence} and a.started_at >= b.first_used_at
       and (a.outcome is null or a.outcome = 'unknown')
     order by a.fence desc limit 1`.execute(trx)
  return rows[0] && (rows[0].reason ?? 'the worker fell silent')
}

type Next = {
  readonly state: 'built' | 'unknown' | 'rejected' | 'split' | 'quarantined'
  readonly reason: string | null
  readonly not_before: Temporal.Instant | null
}

function waiting(doubt: string | undefined, notBefore: Temporal.Instant | null): Next {
  return doubt === undefined
    ? { state: 'built', reason: null, not_before: notBefore }
    : { state: 'unknown', reason: doubt, not_before: notBefore }
}

/** Asked again after a wait, unless asking brings nothing more to light: then a person looks at it (RELIABILITY 3.5). */
function afterUnknown(
  claim: Claim,
  { reason, again }: Extract<SendOutcome, { kind: 'unknown' }>,
  doubt: string | undefined,
  now: Temporal.Instant,
): Next {
  const isHopeless = again === 'never' || (again === 'once' && doubt === reason)
  return isHopeless
    ? { state: 'quarantined', reason, not_before: null }
    : { state: 'unknown', reason, not_before: now.add(backoff(claim.fence)) }
}

/** A batch that is refused as a whole is halved until the mail at fault stands alone; the others go out once. */
async function reject(trx: Transaction<Database>, claim: Claim, reason: string): Promise<void> {
  if (claim.members.length === 1) {
    await trx
      .updateTable('delivery')
      .set({ exception: 'rejected', reason })
      .where('issue_id', '=', claim.issueId)
      .where('batch_id', '=', claim.batchId)
      .where('exception', 'is', null)
      .execute()
    return release(trx, claim, { state: 'rejected', reason, not_before: null })
  }
  const middle = Math.ceil(claim.members.length / 2)
  const readers = claim.members.map((member) => member.subscriberId)
  await splitBatch(trx, claim, [readers.slice(0, middle), readers.slice(middle)])
  await release(trx, claim, { state: 'split', reason, not_before: null })
}

async function release(trx: Transaction<Database>, claim: Claim, next: Next): Promise<void> {
  await trx
    .updateTable('batch')
    .set({ ...next, lease_owner: null, lease_until: null })
    .where('id', '=', claim.batchId)
    .execute()
}

/** No further batch is claimed. What passes by itself (a day's quota) is gone on with five minutes into the next day. */
async function pauseIssue(
  trx: Transaction<Database>,
  issueId: number,
  { reason, until }: Extract<SendOutcome, { kind: 'halt' }>,
  now: Temporal.Instant,
): Promise<void> {
  await trx
    .updateTable('issue')
    .set({ state: 'paused', reason, resume_at: until ? nextDay(now).add({ minutes: 5 }) : null })
    .where('id', '=', issueId)
    .where('state', '=', 'sending')
    .execute()
}

/** 1, 2, 4 … at most 60 seconds. */
function backoff(attempts: number): Temporal.Duration {
  return Temporal.Duration.from({ seconds: Math.min(60, 2 ** Math.min(attempts - 1, 6)) })
}
