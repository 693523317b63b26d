import { randomUUID } from 'node:crypto'
import { sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Doubt, DoubtfulMember } from './doubt.ts'

type Rest = readonly DoubtfulMember[]

/**
 * Takes a batch in doubt for this transaction, if it is still as it was looked at: nobody has tried it again since, or
 * decided about it.
 */
export async function lockDoubt(trx: Transaction<Database>, doubt: Doubt): Promise<boolean> {
  const row = await trx
    .selectFrom('batch')
    .select('id')
    .where('id', '=', doubt.batchId)
    .where('state', '=', doubt.state)
    .where('fence', '=', doubt.fence)
    .where('generation', '=', doubt.generation)
    .forUpdate()
    .executeTakeFirst()
  return row !== undefined
}

/** Records a whole batch as accepted: each id in its reader's place, and nothing where the id is not known. */
export async function acceptBatch(
  trx: Transaction<Database>,
  doubt: Doubt,
  at: Temporal.Instant,
): Promise<void> {
  await trx
    .updateTable('batch')
    .set({
      ...{ state: 'accepted', reason: null, accepted_at: at, provider_ids: idsBySlot(doubt.members) },
      ...{ first_used_at: doubt.firstUsedAt ?? at, lease_owner: null, lease_until: null, not_before: null },
    })
    .where('id', '=', doubt.batchId)
    .execute()
}

/** Moves the readers whose mail was taken into a batch of their own that is accepted, so that each batch has one state. */
export async function splitOffAccepted(
  trx: Transaction<Database>,
  doubt: Doubt,
  members: Rest,
  at: Temporal.Instant,
): Promise<void> {
  if (members.length === 0) return
  const id = randomUUID()
  await sql`
    insert into batch (id, issue_id, edition_hash, ordinal, size, state, idempotency_key, key_id, first_used_at,
                       accepted_at, provider_ids, parent_id)
    select ${id}::uuid, issue_id, edition_hash, ordinal, ${members.length}::smallint, 'accepted',
           ${`wv1/${doubt.week}/${id}/1`}, key_id, coalesce(first_used_at, ${at.toString()}::timestamptz),
           ${at.toString()}::timestamptz, ${idsBySlot(members)}::text[], id
      from batch where id = ${doubt.batchId}`.execute(trx)
  await theirs(trx, doubt, members).set({ batch_id: id }).execute()
}

/** Makes a batch ready to be sent anew under a key that was never used; whoever has left is left out by its claim. */
export async function buildAnew(trx: Transaction<Database>, doubt: Doubt): Promise<void> {
  const generation = doubt.generation + 1
  await trx
    .updateTable('batch')
    .set({
      ...{ state: 'built', reason: null, first_used_at: null, not_before: null, generation },
      idempotency_key: `wv1/${doubt.week}/${doubt.batchId}/${generation}`,
    })
    .where('id', '=', doubt.batchId)
    .execute()
}

/** Closes a batch without its readers: what they were excluded for stands with each. */
export async function dropBatch(trx: Transaction<Database>, doubt: Doubt, members: Rest): Promise<void> {
  await theirs(trx, doubt, members)
    .set({ exception: 'excluded', reason: 'dropped: nobody knows whether it was sent' })
    .execute()
  await trx
    .updateTable('batch')
    .set({ state: 'empty', reason: null, lease_owner: null, lease_until: null, not_before: null })
    .where('id', '=', doubt.batchId)
    .execute()
}

function theirs(trx: Transaction<Database>, doubt: Doubt, members: Rest) {
  return trx
    .updateTable('delivery')
    .where('issue_id', '=', doubt.issueId)
    .where('batch_id', '=', doubt.batchId)
    .where(
      'subscriber_id',
      'in',
      members.map(({ subscriberId }) => subscriberId),
    )
}

function idsBySlot(members: Rest): (string | null)[] {
  const last = Math.max(0, ...members.map(({ slot }) => slot))
  const ids = Array.from<unknown, string | null>({ length: last }, () => null)
  for (const { slot, providerId } of members) ids[slot - 1] = providerId
  return ids
}
