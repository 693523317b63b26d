/**
 * A send that is killed and lied to until it is done, seed by seed; the witness says what came of it:
 * `node test/faults/storm.ts --readers 10000 --workers 3 --seeds 20 --kill 50..500 --faults 20 [--leave 25] [--first-seed 1]`
 * on the PostgreSQL of `TEST_DATABASE_URL`. Exits 1 when any seed has a duplicate, somebody unaccounted, or a violation.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { sql } from 'kysely'
import { seeded } from '../setup/seeded.ts'
import { type Account, accountFor } from './field/account.ts'
import { tellOfMails, webhookEnvironment } from './field/events.ts'
import { type Field, openField, stateOf } from './field/field.ts'
import { leaveOverHttp, startWeb } from './field/leave.ts'
import { startWorkers, type Workers } from './field/workers.ts'

export type Storm = {
  readonly server: string
  readonly seed: number
  readonly readers: number
  readonly perBatch: number
  readonly workers: number
  /** Milliseconds between two kills: at least, at most. */
  readonly kill: readonly [number, number]
  /** Of a hundred requests, so many go wrong. */
  readonly faults: number
  /** Readers who unsubscribe meanwhile, over HTTP. */
  readonly leave: number
}

export type Weathered = Account & {
  readonly seed: number
  readonly state: string
  readonly kills: number
  readonly left: number
  readonly requests: number
  /** Different webhooks that came in meanwhile, each twice. */
  readonly events: number
  readonly seconds: number
}

/** Killing ends after this, whatever is left; the workers then finish in peace, faults and all. */
const longest = 15_000

/** Lets one storm loose and waits for its end. */
export async function runStorm(storm: Storm): Promise<Weathered> {
  const begun = performance.now()
  const random = seeded(storm.seed)
  await using made = new AsyncDisposableStack()
  const field = await openField({
    ...storm,
    environment: webhookEnvironment,
    // Two readers whom the provider refuses, so that batches are halved in the middle of it all.
    provider: [
      '--seed',
      String(storm.seed),
      '--faults',
      `${storm.faults}%`,
      '--refuse',
      '^reader-00(0013|0777)@',
    ],
  })
  made.defer(field.close)
  // The web side is there when anybody is to leave; webhooks come to it then, too.
  const web = storm.leave > 0 ? await startWeb(field) : undefined
  made.defer(async () => web?.end())
  const workers = startWorkers(field, storm.workers)
  made.defer(workers.end)
  const [kills, gone, events] = await Promise.all([
    killUntilFinished(field, workers, random, storm.kill),
    leaveOverHttp(web, pickReaders(field, storm.leave, random), workers.isFinished, 150),
    tellOfMails(web, field, workers.isFinished),
  ])
  const { requests } = await field.provider.carryOut({})
  return {
    ...(await accountFor(field, gone)),
    ...{ seed: storm.seed, state: await stateOf(field), kills, left: gone.size, requests, events },
    seconds: Math.round((performance.now() - begun) / 1000),
  }
}

async function killUntilFinished(
  field: Field,
  workers: Workers,
  random: () => number,
  [least, most]: readonly [number, number],
): Promise<number> {
  const end = performance.now() + longest
  let kills = 0
  while (!workers.isFinished() && performance.now() < end) {
    await Promise.race([wait(least + random() * (most - least)), workers.finished])
    if (workers.killOne(random())) kills += 1
  }
  await shortenWaitsUntilFinished(field, workers)
  return kills
}

/** Backoff grows to a minute; how long it is, is not what is tested here. */
async function shortenWaitsUntilFinished({ db }: Field, workers: Workers): Promise<void> {
  while (!workers.isFinished()) {
    await sql`update batch set not_before = now() where not_before > now() + interval '1 second'`.execute(db)
    await Promise.race([wait(500), workers.finished])
  }
}

/** So many of the readers, in an order of their own. */
export function pickReaders({ readers }: Field, many: number, random: () => number) {
  const order = [...readers.values()].map((reader) => ({ reader, at: random() }))
  return order
    .sort((a, b) => a.at - b.at)
    .slice(0, many)
    .map(({ reader }) => reader)
}

/** Whether the storm did no harm. */
export function isUnharmed({ duplicates, unaccounted, violations, state }: Weathered): boolean {
  const isOver = state === 'sent' || state === 'partly sent'
  return isOver && duplicates === 0 && unaccounted === 0 && violations.length === 0
}

function line(one: Weathered): string {
  const { seed, state, accepted, excluded, rejected, quarantined, duplicates, unaccounted } = one
  return (
    `seed ${seed}: ${duplicates} duplicates, ${unaccounted} unaccounted, ${one.violations.length} violations · ${state}: ` +
    `${accepted} accepted, ${excluded} excluded, ${rejected} rejected, ${quarantined} quarantined · ` +
    `${one.kills} kills, ${one.requests} requests, ${one.left} left, ${one.events} events, ${one.seconds} s`
  )
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      readers: { type: 'string', default: '10000' },
      'per-batch': { type: 'string', default: '100' },
      workers: { type: 'string', default: '3' },
      seeds: { type: 'string', default: '20' },
      'first-seed': { type: 'string', default: '1' },
      kill: { type: 'string', default: '50..500' },
      faults: { type: 'string', default: '20' },
      leave: { type: 'string', default: '25' },
    },
  })
  const [least = 50, most = 500] = values.kill.split('..').map(Number)
  const server = process.env.TEST_DATABASE_URL ?? 'postgres://root@127.0.0.1/test'
  let harmed = 0
  let left = 0
  for (let n = 0; n < Number(values.seeds); n += 1) {
    const weathered = await runStorm({
      ...{ server, seed: Number(values['first-seed']) + n, readers: Number(values.readers) },
      ...{ perBatch: Number(values['per-batch']), workers: Number(values.workers), kill: [least, most] },
      ...{ faults: Number(values.faults), leave: Number(values.leave) },
    })
    console.log(line(weathered))
    for (const violation of weathered.violations.slice(0, 10)) console.log(`  ${violation}`)
    left += weathered.left
    if (!isUnharmed(weathered)) harmed += 1
  }
  console.log(`${values.seeds} seeds, ${harmed} harmed; ${left} readers left during the sends.`)
  if (harmed > 0) process.exitCode = 1
}
