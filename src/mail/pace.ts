import { setTimeout as sleep } from 'node:timers/promises'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { SendOutcome, Transport } from './email.ts'

/**
 * Spaces calls so that all workers together stay under the rate that the provider allows. `turn` comes back a moment
 * before its call may be made, and what it returns comes back at that moment: in between there is time to claim.
 */
export type Pacer = {
  turn(stop?: AbortSignal): Promise<() => Promise<void>>
  /** Every outcome: it may name another rate, or ask for a rest. */
  heard(outcome: SendOutcome): Promise<void>
  /** Kept once it is known how many calls are allowed: after the first outcome, or at once where nobody counts. */
  readonly told: Promise<void>
}

type Deps = {
  readonly db: Kysely<Database>
  readonly transport: Pick<Transport, 'name' | 'perSecond'>
}

/** Time to claim a batch before its call is due, in milliseconds. */
const lead = 40

/** A claim is not held for longer than this by a rest that was asked for after it, in milliseconds: its lease runs. */
const longestHold = 30_000

/** A pacer for this process, which shares its rate with every other on this database. */
export function openPacer({ db, transport }: Deps): Pacer {
  return transport.perSecond === undefined ? unpaced() : pacedBy(db, transport.name, transport.perSecond)
}

/** Nobody counts the calls; only a rest that was asked for is kept. */
function unpaced(): Pacer {
  let rests = 0
  return {
    told: Promise.resolve(),
    async turn(stop) {
      await until(rests, stop)
      return async () => {}
    },
    async heard(outcome) {
      rests = Math.max(rests, restOf(outcome))
    },
  }
}

function pacedBy(db: Kysely<Database>, transport: string, start: number): Pacer {
  let slots: number[] = []
  let rests = 0
  let told = 0
  let reserving: Promise<void> | undefined
  /** Calls a second, as the table had it last. */
  let allowed = start
  const made: number[] = []
  const first = Promise.withResolvers<void>()
  const opened = openPace(db, transport, start)

  async function reserve(): Promise<void> {
    await opened
    const { wait, gap, count, perSecond } = await takeSlots(db, transport)
    allowed = perSecond
    const from = performance.now() + wait
    slots.push(...Array.from({ length: count }, (_, n) => from + n * gap))
  }

  /** However late a call was, as many calls as are allowed in a second never follow it within one. */
  async function keepSecond(): Promise<void> {
    const calls = Math.floor(allowed)
    const before = calls >= 1 && calls <= mostWatched ? made.at(-calls) : undefined
    if (before !== undefined) await until(before + 1000)
    made.push(performance.now())
    if (made.length > 2 * mostWatched) made.splice(0, mostWatched)
  }

  return {
    told: first.promise,
    async turn(stop) {
      let slot = slots.shift()
      while (slot === undefined && !stop?.aborted) {
        reserving ??= reserve().finally(() => {
          reserving = undefined
        })
        await reserving
        slot = slots.shift()
      }
      const at = slot ?? 0
      await until(Math.max(at, rests) - lead, stop)
      return async () => {
        await until(Math.min(Math.max(at, rests), performance.now() + longestHold))
        await keepSecond()
      }
    },
    async heard(outcome) {
      await opened
      const rest = restOf(outcome)
      rests = Math.max(rests, rest)
      if (rest > 0) slots = []
      if (rest > 0) await restAll(db, transport, rest - performance.now())
      if (outcome.perSecond !== undefined && outcome.perSecond !== told) {
        told = outcome.perSecond
        allowed = told
        await setRate(db, transport, told)
      }
      first.resolve()
    },
  }
}

/** The rate that others who send now have heard; after ten quiet minutes it begins low again. */
async function openPace(db: Kysely<Database>, transport: string, start: number): Promise<void> {
  await sql`
    insert into pace as p (transport, per_second, slack, next_at, heard_at)
    values (${transport}, ${start}, ${leastSlack}, clock_timestamp(), clock_timestamp())
    on conflict (transport) do update set per_second = excluded.per_second, slack = excluded.slack
     where p.heard_at < clock_timestamp() - interval '10 minutes'`.execute(db)
}

/**
 * A hundredth of the rate stays unused, so that calls which the network pushes together do not exceed it; each time the
 * provider says that it was too much, half as much again and more, for a while.
 */
const leastSlack = 0.01
const mostSlack = 0.25

/** Up to this many calls a second, each is watched; beyond, nobody can tell one from the next. */
const mostWatched = 200

type Slots = { wait: number; gap: number; count: number; perSecond: number }

/**
 * Reserves the next calls: one where the rate is low, a twentieth of a second's where it is high, so that asking does not
 * cost more than calling, and never more than a thousand. By the database's clock, because it is the only one that all workers have. Milliseconds.
 */
async function takeSlots(db: Kysely<Database>, transport: string): Promise<Slots> {
  const { rows } = await sql<Slots>`
    with pace_now as (
      select transport, per_second, 1000 / (per_second * (1 - slack)) as gap, least(1000, greatest(1, floor(per_second / 20)))::int as count,
             clock_timestamp() as now
        from pace where transport = ${transport} for update
    ), taken as (
      update pace p
         set next_at = greatest(p.next_at, n.now) + n.gap * n.count * interval '1 millisecond',
             slack = greatest(${leastSlack}::float8, p.slack * 0.99), heard_at = n.now
        from pace_now n where p.transport = n.transport
      returning p.next_at, n.gap, n.count, n.now, n.per_second)
    select (extract(epoch from next_at - now) * 1000 - gap * count)::float8 as wait, gap, count, per_second as "perSecond" from taken`.execute(
    db,
  )
  if (!rows[0]) throw new Error(`There is no pace for ${transport}`)
  return rows[0]
}

/**
 * From the next call on; the gap before that one is the new one too, and no less than a quarter of it after now: the first
 * call had to make its connection, and came to the provider later than it left.
 */
async function setRate(db: Kysely<Database>, transport: string, perSecond: number): Promise<void> {
  await sql`
    update pace
       set per_second = ${perSecond}, heard_at = clock_timestamp(),
           next_at = greatest(next_at - (1000 / per_second - 1000 / ${perSecond}::float8) * interval '1 millisecond',
                              clock_timestamp() + 250 / ${perSecond}::float8 * interval '1 millisecond')
     where transport = ${transport}`.execute(db)
}

async function restAll(db: Kysely<Database>, transport: string, milliseconds: number): Promise<void> {
  await sql`
    update pace
       set next_at = greatest(next_at, clock_timestamp() + ${milliseconds}::float8 * interval '1 millisecond'),
           slack = least(${mostSlack}::float8, slack * 1.5 + 0.01)
     where transport = ${transport}`.execute(db)
}

/** On this process's monotonic clock; 0 when no rest is asked for. */
function restOf(outcome: SendOutcome): number {
  return outcome.kind === 'retry' ? performance.now() + outcome.after.total('milliseconds') : 0
}

async function until(instant: number, stop?: AbortSignal): Promise<void> {
  const wait = instant - performance.now()
  if (wait > 0) await sleep(wait, undefined, stop && { signal: stop }).catch(() => {})
}
