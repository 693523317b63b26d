import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { suppress } from '../subscriber/suppress.ts'
import type { SigningKey } from '../subscriber/token.ts'
import { applyToDeliveries } from './apply-to-deliveries.ts'
import { applyToLetters } from './apply-to-letters.ts'
import { barsOf } from './bars.ts'
import { placeUntagged } from './place-untagged.ts'

export type ApplyDeps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly keys: readonly SigningKey[]
}

/** How many events had their effect, and how many addresses were suppressed by them. */
export type Applied = { readonly events: number; readonly suppressed: number }

/** Any number that no other lock of ours has. */
const turnstile = 2_026_004
/** In one transaction: enough that its price is shared by many, and memory and locks stay small. */
const atOnce = 2000

/**
 * Gives every event that waits its effect, each once, in the transaction that takes it from the queue. Any order, any
 * number of times, before the batch is recorded or days after: the tables come out the same (RELIABILITY I9). One
 * process at a time, because what a transition adds to an issue's counts depends on the state before it.
 */
export async function applyEvents(deps: ApplyDeps, stop?: AbortSignal): Promise<Applied> {
  const sum = { events: 0, suppressed: 0 }
  while (!stop?.aborted) {
    const some = await deps.db.transaction().execute((trx) => applySome(trx, deps))
    sum.events += some.events
    sum.suppressed += some.suppressed
    if (!some.isMore) break
  }
  return sum
}

/** Whether an event waits to be applied now. */
export async function hasEvents({ db, clock }: Pick<ApplyDeps, 'db' | 'clock'>): Promise<boolean> {
  const { rows } = await sql`
    (select from event_to_apply where reader is not null and not_before <= ${clock()} limit 1)
    union all
    (select from event_to_apply where reader is null and not_before <= ${clock()} limit 1)`.execute(db)
  return rows.length > 0
}

async function applySome(trx: Transaction<Database>, { clock, keys }: ApplyDeps) {
  await sql`select pg_advisory_xact_lock(${turnstile})`.execute(trx)
  const due = { now: clock(), atOnce }
  const untagged = await placeUntagged(trx, keys, due)
  const letters = await applyToLetters(trx, due)
  const deliveries = await applyToDeliveries(trx, due)
  const bars = await barsOf(trx, [...letters.telling, ...deliveries.telling])
  const suppressed = await suppress(trx, clock, bars)
  const events = letters.taken + deliveries.taken
  return { events, suppressed, isMore: events + untagged > 0 }
}
