import { type Kysely, type NotNull, type Selectable, sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import type { WireFacts } from '../mail/wire.ts'
import { fingerprintOf } from './fingerprint.ts'

/** A reader in a batch, in the order in which the call lists them. */
export type Member = {
  readonly slot: number
  readonly subscriberId: number
  readonly publicId: string
  readonly address: string
}

/** A batch that this worker, and no other, may now send once. */
export type Claim = {
  readonly batchId: string
  readonly issueId: number
  readonly week: string
  readonly editionHash: string
  readonly idempotencyKey: string
  readonly keyId: string
  /** Grows with every claim; an outcome is recorded only under the fence it was claimed with. */
  readonly fence: number
  readonly members: readonly Member[]
}

/** `settled`: a batch was closed without a call, look again. `waiting`: nothing can be claimed before that instant. */
export type ClaimResult =
  | { readonly kind: 'claimed'; readonly claim: Claim }
  | { readonly kind: 'settled' }
  | { readonly kind: 'waiting'; readonly until: Temporal.Instant }
  | { readonly kind: 'none' }

export type ClaimDeps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly worker: string
  /** Whether the transport may be called twice with one key (see `Transport`). */
  readonly repeatable: boolean
  readonly wire: WireFacts
}

/** Longer than a call and its margins (RELIABILITY 3.5): a worker that is silent for this long is taken for dead. */
export const lease = Temporal.Duration.from({ seconds: 90 })

/** Resend forgets a key after 24 h; an hour earlier a doubtful batch goes to a person instead (RELIABILITY 3.4). */
const keyLife = Temporal.Duration.from({ hours: 23 })

/**
 * Claims the next batch of an issue in one transaction: locks it, leaves out who has gone since, writes the attempt with
 * its fingerprint. A batch whose last answer is in doubt is tried again only with the same bytes under the same key, and
 * is quarantined where that cannot be.
 */
export async function claimBatch(deps: ClaimDeps, issueId: number): Promise<ClaimResult> {
  const { db, clock } = deps
  return db.transaction().execute(async (trx) => {
    const now = clock()
    const batch = await lockNextBatch(trx, issueId, now)
    if (!batch) return whatRemains(trx, issueId)

    const members = await lockMembers(trx, batch)
    const staying = members.filter((member) => member.leaving === null)
    if (batch.state !== 'built') {
      const doubt = await whyNotRepeat(trx, deps, batch, members, now)
      if (doubt) return quarantine(trx, batch.id, doubt)
      return attempt(trx, deps, batch, staying, now)
    }
    await exclude(trx, batch, members)
    if (staying.length === 0) return close(trx, batch.id)
    return attempt(trx, deps, await underFreshKey(trx, deps, batch, staying), staying, now)
  })
}

type Batch = Selectable<Database['batch']> & { week: string }
type Candidate = Member & { readonly leaving: string | null }

function lockNextBatch(trx: Transaction<Database>, issueId: number, now: Temporal.Instant) {
  return trx
    .selectFrom('batch as b')
    .innerJoin('issue as i', 'i.id', 'b.issue_id')
    .selectAll('b')
    .select('i.week')
    .where('i.id', '=', issueId)
    .where('i.state', '=', 'sending')
    .where((eb) =>
      eb.or([
        eb.and([
          eb('b.state', 'in', ['built', 'unknown']),
          eb.or([eb('b.not_before', 'is', null), eb('b.not_before', '<=', now)]),
        ]),
        eb.and([eb('b.state', '=', 'attempting'), eb('b.lease_until', '<=', now)]),
      ]),
    )
    .orderBy('b.ordinal')
    .orderBy('b.id')
    .limit(1)
    .forUpdate('b')
    .skipLocked()
    .executeTakeFirst()
}

/** The batch's members with a share lock on each reader, so that an unsubscribe is strictly before or after this claim. */
async function lockMembers(trx: Transaction<Database>, batch: Batch): Promise<readonly Candidate[]> {
  const rows = await trx
    .selectFrom('delivery as d')
    .innerJoin('subscriber as s', 's.id', 'd.subscriber_id')
    .leftJoin('suppression as x', 'x.address', 'd.address')
    .select(['d.slot', 'd.address', 's.id', 's.public_id', 's.status', 's.address as current'])
    .select('x.reason as suppressed')
    .where('d.issue_id', '=', batch.issue_id)
    .where('d.batch_id', '=', batch.id)
    .where('d.exception', 'is', null)
    .where('d.slot', 'is not', null)
    .$narrowType<{ slot: NotNull }>()
    .orderBy('s.id')
    .forShare('s')
    .execute()
  return rows
    .map((row) => ({
      slot: row.slot,
      subscriberId: row.id,
      publicId: row.public_id,
      address: row.address ?? '',
      leaving: row.suppressed ?? (row.status !== 'confirmed' ? row.status : whetherMoved(row)),
    }))
    .sort((a, b) => a.slot - b.slot)
}

/** The lock shows the reader as they are now, but the delivery as it was when this claim began to wait for it. */
function whetherMoved(row: { readonly address: string | null; readonly current: string | null }) {
  return row.address === row.current ? null : 'address changed'
}

/** Why a batch in doubt must not simply be sent again (RELIABILITY 3.4); undefined when it may. */
async function whyNotRepeat(
  trx: Transaction<Database>,
  deps: ClaimDeps,
  batch: Batch,
  members: readonly Candidate[],
  now: Temporal.Instant,
): Promise<string | undefined> {
  const last = await lastAttempt(trx, batch.id)
  if (batch.state === 'attempting') await recordSilence(trx, batch, now)
  if (!deps.repeatable) return 'the answer was lost, and this transport cannot repeat a call safely'
  if (members.some((member) => member.leaving !== null))
    return 'the answer was lost, and a member has left since'
  if (last && last.fingerprint !== fingerprintOf(deps.wire, batch, members))
    return 'the answer was lost, and the same bytes cannot be made again'
  if (batch.first_used_at && Temporal.Instant.compare(batch.first_used_at.add(keyLife), now) <= 0)
    return 'the answer was lost, and the idempotency key is too old to repeat'
  return undefined
}

/** A refused call may have bound its key to its bytes; when the members have changed since, the next call gets a new key. */
async function underFreshKey(
  trx: Transaction<Database>,
  deps: ClaimDeps,
  batch: Batch,
  staying: readonly Member[],
): Promise<Batch> {
  const last = await lastAttempt(trx, batch.id)
  if (!last || last.fingerprint === fingerprintOf(deps.wire, batch, staying)) return batch
  const generation = batch.generation + 1
  const idempotency_key = `wv1/${batch.week}/${batch.id}/${generation}`
  await trx
    .updateTable('batch')
    .set({ generation, idempotency_key, first_used_at: null })
    .where('id', '=', batch.id)
    .execute()
  return { ...batch, generation, idempotency_key, first_used_at: null }
}

async function attempt(
  trx: Transaction<Database>,
  deps: ClaimDeps,
  batch: Batch,
  members: readonly Member[],
  now: Temporal.Instant,
): Promise<ClaimResult> {
  const fence = batch.fence + 1
  await trx
    .updateTable('batch')
    .set({
      ...{ state: 'attempting', reason: null, fence, lease_owner: deps.worker, lease_until: now.add(lease) },
      ...{ first_used_at: batch.first_used_at ?? now, not_before: null },
    })
    .where('id', '=', batch.id)
    .execute()
  await trx
    .insertInto('attempt')
    .values({
      ...{ batch_id: batch.id, fence, fingerprint: fingerprintOf(deps.wire, batch, members) },
      ...{ members: members.map((member) => member.subscriberId), worker: deps.worker, started_at: now },
    })
    .execute()
  const claim: Claim = {
    ...{ batchId: batch.id, issueId: batch.issue_id, week: batch.week, editionHash: batch.edition_hash },
    ...{ idempotencyKey: batch.idempotency_key, keyId: batch.key_id, fence, members },
  }
  return { kind: 'claimed', claim }
}

async function exclude(
  trx: Transaction<Database>,
  batch: Batch,
  members: readonly Candidate[],
): Promise<void> {
  for (const member of members) {
    if (member.leaving === null) continue
    await trx
      .updateTable('delivery')
      .set({ exception: 'excluded', reason: member.leaving })
      .where('issue_id', '=', batch.issue_id)
      .where('subscriber_id', '=', member.subscriberId)
      .execute()
  }
}

async function close(trx: Transaction<Database>, batchId: string): Promise<ClaimResult> {
  await trx.updateTable('batch').set({ state: 'empty' }).where('id', '=', batchId).execute()
  return { kind: 'settled' }
}

async function quarantine(trx: Transaction<Database>, batchId: string, reason: string): Promise<ClaimResult> {
  await trx
    .updateTable('batch')
    .set({ state: 'quarantined', reason, lease_owner: null, lease_until: null, not_before: null })
    .where('id', '=', batchId)
    .execute()
  return { kind: 'settled' }
}

function lastAttempt(trx: Transaction<Database>, batchId: string) {
  return trx
    .selectFrom('attempt')
    .select('fingerprint')
    .where('batch_id', '=', batchId)
    .orderBy('fence', 'desc')
    .limit(1)
    .executeTakeFirst()
}

async function recordSilence(trx: Transaction<Database>, batch: Batch, now: Temporal.Instant): Promise<void> {
  await trx
    .updateTable('attempt')
    .set({ finished_at: now, outcome: 'unknown', reason: 'the worker fell silent' })
    .where('batch_id', '=', batch.id)
    .where('fence', '=', batch.fence)
    .where('outcome', 'is', null)
    .execute()
}

/** When the next batch can be claimed: after a wait that was asked for, or when another worker's lease would end. */
async function whatRemains(trx: Transaction<Database>, issueId: number): Promise<ClaimResult> {
  const next = await trx
    .selectFrom('batch as b')
    .innerJoin('issue as i', 'i.id', 'b.issue_id')
    .select(
      sql<Temporal.Instant | null>`min(coalesce(b.lease_until, b.not_before, b.first_used_at, i.planned_at))`.as(
        'until',
      ),
    )
    .where('i.id', '=', issueId)
    .where('i.state', '=', 'sending')
    .where('b.state', 'in', ['built', 'attempting', 'unknown'])
    .executeTakeFirst()
  return next?.until ? { kind: 'waiting', until: next.until } : { kind: 'none' }
}
