import { type Kysely, sql, type Transaction } from 'kysely'
import { often } from '../../db/prepare.ts'
import type { BatchState, Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import type { WireFacts } from '../mail/wire.ts'
import { type DailyLimit, nextDay, takeFromDay } from './daily-limit.ts'
import { fingerprintOf } from './fingerprint.ts'
import { whyNotRepeat } from './retry-policy.ts'

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
  /** From here on another worker may have taken it over. */
  readonly leaseUntil: Temporal.Instant
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
  /** Undefined: as many mails a day as there are. */
  readonly dailyLimit?: DailyLimit | undefined
}

/** Longer than a call and its margins (RELIABILITY 3.5): a worker that is silent for this long is taken for dead. */
export const lease = Temporal.Duration.from({ seconds: 90 })

/**
 * Claims the next batch of an issue in one transaction: locks it, leaves out who has gone since, writes the attempt with
 * its fingerprint. A batch whose last answer is in doubt is tried again only with the same bytes under the same key, and
 * is quarantined where that cannot be.
 */
export async function claimBatch(deps: ClaimDeps, issueId: number): Promise<ClaimResult> {
  return deps.db.transaction().execute(async (trx) => {
    const now = deps.clock()
    const next = await claimAmong(trx, deps, issueId, ['built', 'attempting', 'unknown'], now)
    if (next.kind !== 'day is full') return next

    // What is in doubt has been counted already, and its key does not keep until the next day.
    const doubtful = await claimAmong(trx, deps, issueId, ['attempting', 'unknown'], now)
    return doubtful.kind === 'none' || doubtful.kind === 'day is full'
      ? { kind: 'waiting', until: nextDay(now) }
      : doubtful
  })
}

async function claimAmong(
  trx: Transaction<Database>,
  deps: ClaimDeps,
  issueId: number,
  states: readonly BatchState[],
  now: Temporal.Instant,
): Promise<ClaimResult | { readonly kind: 'day is full' }> {
  const batch = await lockNextBatch(trx, issueId, states, now)
  if (!batch) return whatRemains(trx, issueId, states)

  const members = await membersOf(trx, batch)
  const staying = members.filter((member) => member.leaving === null)
  if (batch.state !== 'built') {
    const doubt = await inDoubt(trx, deps, batch, members, now)
    if (doubt) return quarantine(trx, batch.id, doubt)
    return attempt(trx, deps, batch, staying, now)
  }
  await exclude(trx, batch, members)
  if (staying.length === 0) return close(trx, batch.id)
  if (batch.fence === 0 && deps.dailyLimit && !(await takeFromDay(trx, deps.dailyLimit, staying.length, now)))
    return { kind: 'day is full' }
  return attempt(trx, deps, await underFreshKey(trx, deps, batch, staying), staying, now)
}

type Batch = {
  readonly id: string
  readonly issue_id: number
  readonly week: string
  readonly edition_hash: string
  readonly state: BatchState
  readonly generation: number
  readonly idempotency_key: string
  readonly key_id: string
  readonly fence: number
  readonly first_used_at: Temporal.Instant | null
}
type Candidate = Member & { readonly leaving: string | null }

async function lockNextBatch(
  trx: Transaction<Database>,
  issueId: number,
  states: readonly BatchState[],
  now: Temporal.Instant,
): Promise<Batch | undefined> {
  const { rows } = await sql<Batch>`${often}
    select b.id, b.issue_id, i.week, b.edition_hash, b.state, b.generation, b.idempotency_key, b.key_id, b.fence,
           b.first_used_at
      from batch b join issue i on i.id = b.issue_id
     where b.issue_id = ${issueId} and b.accepted_at is null and i.state = 'sending'
       and b.state in ('built', 'attempting', 'unknown') and b.state = any (${states})
       and case b.state when 'attempting' then b.lease_until <= ${now}::timestamptz
                        else b.not_before is null or b.not_before <= ${now}::timestamptz end
     order by b.ordinal, b.id
     limit 1 for update of b skip locked`.execute(trx)
  return rows[0]
}

/**
 * The batch's members as they are now. Whoever leaves holds this batch's row while they do (`orderWithClaims`), so with
 * the row locked here, a departure has either committed and is seen, or comes after this claim.
 */
async function membersOf(trx: Transaction<Database>, batch: Batch): Promise<readonly Candidate[]> {
  const { rows } = await sql<Candidate>`${often}
    select d.slot, s.id as "subscriberId", s.public_id as "publicId", coalesce(d.address, '') as address,
           coalesce(x.reason, nullif(s.status, 'confirmed'),
                    case when d.address is distinct from s.address then 'address changed' end) as leaving
      from ${sql.table(`delivery_${batch.issue_id}`)} d
      join subscriber s on s.id = d.subscriber_id
      left join suppression x on x.address = d.address
     where d.issue_id = ${batch.issue_id} and d.batch_id = ${batch.id} and d.exception is null
     order by d.slot`.execute(trx)
  return rows
}

/** Why a batch in doubt must not simply be sent again; undefined when it may. */
async function inDoubt(
  trx: Transaction<Database>,
  deps: ClaimDeps,
  batch: Batch,
  members: readonly Candidate[],
  now: Temporal.Instant,
): Promise<string | undefined> {
  if (batch.state === 'attempting') await recordSilence(trx, batch, now)
  return whyNotRepeat({
    repeatable: deps.repeatable,
    someoneLeft: members.some((member) => member.leaving !== null),
    sameBytes: (await lastFingerprint(trx, batch.id)) === fingerprintOf(deps.wire, batch, members),
    keyAge: batch.first_used_at?.until(now) ?? null,
  })
}

/** A refused call may have bound its key to its bytes; when the members have changed since, the next call gets a new key. */
async function underFreshKey(
  trx: Transaction<Database>,
  deps: ClaimDeps,
  batch: Batch,
  staying: readonly Member[],
): Promise<Batch> {
  if (batch.fence === 0) return batch
  const last = await lastFingerprint(trx, batch.id)
  if (last === undefined || last === fingerprintOf(deps.wire, batch, staying)) return batch
  const generation = batch.generation + 1
  const idempotency_key = `wv1/${batch.week}/${batch.id}/${generation}`
  await trx
    .updateTable('batch')
    .set({ generation, idempotency_key, first_used_at: null })
    .where('id', '=', batch.id)
    .execute()
  return { ...batch, generation, idempotency_key, first_used_at: null }
}

/** Both rows of an attempt in one statement, committed before the call: after a crash it is known that it may have been made. */
async function attempt(
  trx: Transaction<Database>,
  deps: ClaimDeps,
  batch: Batch,
  members: readonly Member[],
  now: Temporal.Instant,
): Promise<ClaimResult> {
  const fence = batch.fence + 1
  const leaseUntil = now.add(lease)
  const fingerprint = fingerprintOf(deps.wire, batch, members)
  const ids = members.map((member) => member.subscriberId)
  await sql`${often}
    with claimed as (
      update batch
         set state = 'attempting', reason = null, fence = ${fence}, lease_owner = ${deps.worker},
             lease_until = ${leaseUntil}, not_before = null,
             first_used_at = coalesce(first_used_at, ${now}::timestamptz)
       where id = ${batch.id})
    insert into attempt (batch_id, fence, fingerprint, members, worker, started_at)
    values (${batch.id}, ${fence}, ${fingerprint}, ${ids}::bigint[], ${deps.worker}, ${now})`.execute(trx)
  const claim: Claim = {
    ...{ batchId: batch.id, issueId: batch.issue_id, week: batch.week, editionHash: batch.edition_hash },
    ...{ idempotencyKey: batch.idempotency_key, keyId: batch.key_id, fence, leaseUntil, members },
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

async function lastFingerprint(trx: Transaction<Database>, batchId: string): Promise<string | undefined> {
  const last = await trx
    .selectFrom('attempt')
    .select('fingerprint')
    .where('batch_id', '=', batchId)
    .orderBy('fence', 'desc')
    .limit(1)
    .executeTakeFirst()
  return last?.fingerprint
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
async function whatRemains(
  trx: Transaction<Database>,
  issueId: number,
  states: readonly BatchState[],
): Promise<ClaimResult> {
  const { rows } = await sql<{ until: Temporal.Instant | null }>`
    select min(coalesce(b.lease_until, b.not_before, b.first_used_at, i.planned_at)) as until
      from batch b join issue i on i.id = b.issue_id
     where b.issue_id = ${issueId} and b.accepted_at is null and i.state = 'sending' and b.state = any (${states})`.execute(
    trx,
  )
  const until = rows[0]?.until
  return until ? { kind: 'waiting', until } : { kind: 'none' }
}
