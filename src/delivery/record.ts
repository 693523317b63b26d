import { randomUUID } from 'node:crypto'
import type { Kysely, Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import type { SendOutcome } from '../mail/email.ts'
import type { Claim, Member } from './claim.ts'

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
  return db.transaction().execute(async (trx) => {
    const now = clock()
    const batch = await trx
      .selectFrom('batch')
      .select(['id', 'size'])
      .where('id', '=', claim.batchId)
      .where('fence', '=', claim.fence)
      .where('state', '=', 'attempting')
      .forUpdate()
      .executeTakeFirst()
    if (!batch) return false

    await finishAttempt(trx, claim, outcome, now)
    switch (outcome.kind) {
      case 'accepted':
        await accept(trx, claim, outcome.providerIds, now)
        break
      case 'rejected':
        await reject(trx, claim, outcome.reason)
        break
      case 'retry':
        await release(trx, claim, { state: 'built', reason: null, not_before: now.add(outcome.after) })
        break
      case 'halt':
        await release(trx, claim, { state: 'built', reason: null, not_before: null })
        await pauseIssue(trx, claim.issueId, outcome.reason)
        break
      case 'unknown':
        await release(trx, claim, {
          ...{ state: 'unknown', reason: outcome.reason, not_before: now.add(backoff(claim.fence)) },
        })
        break
    }
    return true
  })
}

async function finishAttempt(
  trx: Transaction<Database>,
  claim: Claim,
  outcome: SendOutcome,
  now: Temporal.Instant,
) {
  await trx
    .updateTable('attempt')
    .set({
      finished_at: now,
      outcome: outcome.kind,
      reason: outcome.kind === 'accepted' ? null : outcome.reason,
    })
    .where('batch_id', '=', claim.batchId)
    .where('fence', '=', claim.fence)
    .execute()
}

/** The provider's ids go into the places of the readers' slots, so that a reader's id is found without a search. */
async function accept(
  trx: Transaction<Database>,
  claim: Claim,
  ids: readonly string[],
  now: Temporal.Instant,
) {
  const lastSlot = Math.max(...claim.members.map((member) => member.slot))
  const bySlot = Array.from<unknown, string | null>({ length: lastSlot }, () => null)
  for (const [index, member] of claim.members.entries()) bySlot[member.slot - 1] = ids[index] ?? null
  await trx
    .updateTable('batch')
    .set({
      ...{ state: 'accepted', reason: null, accepted_at: now, provider_ids: bySlot },
      ...{ lease_owner: null, lease_until: null, not_before: null },
    })
    .where('id', '=', claim.batchId)
    .execute()
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
  await splitOff(trx, claim, claim.members.slice(0, middle))
  await splitOff(trx, claim, claim.members.slice(middle))
  await release(trx, claim, { state: 'split', reason, not_before: null })
}

async function splitOff(trx: Transaction<Database>, claim: Claim, members: readonly Member[]): Promise<void> {
  const id = randomUUID()
  await trx
    .insertInto('batch')
    .columns([
      'id',
      'issue_id',
      'edition_hash',
      'ordinal',
      'size',
      'state',
      'idempotency_key',
      'key_id',
      'parent_id',
    ])
    .expression((eb) =>
      eb
        .selectFrom('batch')
        .select((s) => [
          s.val(id).as('id'),
          'issue_id',
          'edition_hash',
          'ordinal',
          s.val(members.length).as('size'),
          s.val('built' as const).as('state'),
          s.val(`wv1/${claim.week}/${id}/1`).as('idempotency_key'),
          'key_id',
          'id as parent_id',
        ])
        .where('id', '=', claim.batchId),
    )
    .execute()
  await trx
    .updateTable('delivery')
    .set({ batch_id: id })
    .where('issue_id', '=', claim.issueId)
    .where(
      'subscriber_id',
      'in',
      members.map((member) => member.subscriberId),
    )
    .execute()
}

async function release(
  trx: Transaction<Database>,
  claim: Claim,
  next: {
    state: 'built' | 'unknown' | 'rejected' | 'split'
    reason: string | null
    not_before: Temporal.Instant | null
  },
): Promise<void> {
  await trx
    .updateTable('batch')
    .set({ ...next, lease_owner: null, lease_until: null })
    .where('id', '=', claim.batchId)
    .execute()
}

async function pauseIssue(trx: Transaction<Database>, issueId: number, reason: string): Promise<void> {
  await trx
    .updateTable('issue')
    .set({ state: 'paused', reason })
    .where('id', '=', issueId)
    .where('state', '=', 'sending')
    .execute()
}

/** 1, 2, 4 … at most 60 seconds. */
function backoff(attempts: number): Temporal.Duration {
  return Temporal.Duration.from({ seconds: Math.min(60, 2 ** Math.min(attempts - 1, 6)) })
}
