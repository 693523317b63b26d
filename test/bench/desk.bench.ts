/**
 * The desk's pages with a million readers, fifty issues that went out and five million events: `TEST_DATABASE_URL=postgres://… node
 * test/bench/desk.bench.ts`. Each page p50 and p99, one at a time and signed in, beside `/readyz`, which asks `select 1`.
 */
import { openTestDatabase } from '../setup/database.ts'
import { deskOn } from '../setup/desk.ts'
import { coming, fillDesk, newestSent } from './desk-data.ts'

const readers = 1_000_000
const issues = 50
const events = 5_000_000
const requests = 100
const database = await openTestDatabase()
const { db } = database.connection

try {
  await fillDesk(db, { readers, issues, events })
  const eve = await deskOn({ ...database, db }).signedIn()
  const reader = await db
    .selectFrom('subscriber')
    .select('public_id')
    .where('address', '=', 'reader-123456@example.test')
    .executeTakeFirstOrThrow()
  const base = await timed(() => eve.get('/readyz'))
  print('/readyz', base, base)
  for (const path of [
    '/desk',
    '/desk/issues',
    `/desk/issues/${coming}`,
    `/desk/issues/${coming}/preview`,
    `/desk/issues/${coming}/diff`,
    `/desk/issues/${newestSent}`,
    `/desk/issues/${newestSent}/report`,
    '/desk/growth',
    '/desk/growth?by=day',
    '/desk/log',
    '/desk/log?before=50000',
    '/desk/quarantine',
    '/desk/readers',
    '/desk/readers?show=pending',
    '/desk/readers?show=bounced',
    '/desk/readers?before=500000',
    `/desk/readers/${reader.public_id}`,
    '/desk/content',
    '/desk/content?q=tool',
    '/desk/content/tool-1-vs-other',
    '/desk/time-travel',
  ])
    print(path, await timed(() => eve.get(path)), base)
} finally {
  await database.close()
}

/** Milliseconds of each request, in order of size, after some to warm up. */
async function timed(ask: () => Promise<Response>): Promise<number[]> {
  const took: number[] = []
  for (let n = -10; n < requests; n += 1) {
    const started = performance.now()
    const answer = await ask()
    await answer.text()
    if (answer.status !== 200) throw new Error(`It answers ${answer.status}`)
    if (n >= 0) took.push(performance.now() - started)
  }
  return took.toSorted((a, b) => a - b)
}

function print(name: string, took: readonly number[], base: readonly number[]): void {
  const at = (times: readonly number[], share: number) => times[Math.floor(times.length * share)] ?? 0
  const figure = (share: number) =>
    `${at(took, share).toFixed(1).padStart(6)} ms (×${(at(took, share) / at(base, share)).toFixed(1)})`
  console.log(`${name.replace(/[0-9a-f-]{36}/, ':id').padEnd(32)} p50 ${figure(0.5)}   p99 ${figure(0.99)}`)
}
