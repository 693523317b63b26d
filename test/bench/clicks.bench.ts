/**
 * What following a counted link costs: `TEST_DATABASE_URL=postgres://… node test/bench/clicks.bench.ts`. The redirect, while
 * its clicks are being stored, beside `/healthz`, which does nothing; fifty at a time, in this process. Then the report
 * over 200,000 clicks, beside counting them.
 */
import { sql } from 'kysely'
import { clicksOf } from '../../src/issue/clicks.ts'
import { appOn } from '../setup/app.ts'
import { openTestDatabase } from '../setup/database.ts'
import { drafted } from '../setup/drafted.ts'

const requests = 5_000
const atOnce = 50
const database = await openTestDatabase()
const { db } = database.connection

try {
  await drafted(db, '2026-W47')
  await sql`update issue set state = 'sent', planned_at = '2026-11-20T14:00:00Z'`.execute(db)
  const link = await db
    .selectFrom('link')
    .select('id')
    .where('kind', '=', 'comparison')
    .executeTakeFirstOrThrow()
  const app = appOn({ ...database, db })
  await timed(app, '/healthz', 500)
  await timed(app, `/go/${link.id}`, 500)
  const health = await timed(app, '/healthz', requests)
  const go = await timed(app, `/go/${link.id}`, requests)
  print('/healthz', health, health)
  print('/go/:id', go, health)

  await until(async () => (await stored()) === requests + 500)
  console.log(`every click is stored: ${await stored()}`)
  await sql`
    insert into click select ${link.id}, '2026-11-20T14:00:00Z'::timestamptz + random() * interval '2 days',
           (random() * 60000)::int, (random() * 100000)::int, 'browser', false
      from generate_series(1, 200000 - ${requests + 500}::int)`.execute(db)
  await sql`analyze click`.execute(db)
  const counting = await ms(() => stored())
  const report = await ms(() => clicksOf(db, 1))
  console.log(
    `report over 200,000 clicks ${report} ms, ×${(report / counting).toFixed(0)} of counting them (${counting} ms)`,
  )
} finally {
  await database.close()
}

async function stored(): Promise<number> {
  const { n } = await db.selectFrom('click').select(sql<number>`count(*)`.as('n')).executeTakeFirstOrThrow()
  return n
}

/** Milliseconds of each request, in order of size. */
async function timed(app: ReturnType<typeof appOn>, path: string, count: number): Promise<number[]> {
  const took: number[] = []
  let left = count
  const headers = { 'user-agent': 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1' }
  const lane = async () => {
    while (left-- > 0) {
      const started = performance.now()
      const { status } = await app.request(path, { headers })
      took.push(performance.now() - started)
      if (status !== 200 && status !== 302) throw new Error(`${path} answers ${status}`)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  return took.toSorted((a, b) => a - b)
}

function print(name: string, took: readonly number[], base: readonly number[]): void {
  const at = (times: readonly number[], share: number) => times[Math.floor(times.length * share)] ?? 0
  const figure = (share: number) =>
    `${at(took, share).toFixed(2)} ms (×${(at(took, share) / at(base, share)).toFixed(1)})`
  console.log(`${name.padEnd(10)} p50 ${figure(0.5)}   p99 ${figure(0.99)}`)
}

async function ms(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return Math.round(performance.now() - started)
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (await isSo()) return
    await new Promise((wake) => setTimeout(wake, 50))
  }
  throw new Error('It never came to that')
}
