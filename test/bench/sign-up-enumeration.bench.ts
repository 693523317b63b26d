/**
 * Whether the time of an answer tells the state of an address: 500 sign-ups for each state, interleaved at random over a
 * real socket, on PostgreSQL, while the worker takes them in. For each pair of states, the AUC of the best classifier
 * there is on one number, the latency; 0.5 tells nothing.
 *
 *     TEST_DATABASE_URL=postgres://… node test/bench/sign-up-enumeration.bench.ts [each]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startWorker } from '../../jobs/work.ts'
import { systemClock } from '../../src/clock.ts'
import { readConfig } from '../../src/config.ts'
import { createApp } from '../../src/http/app.ts'
import { createLog } from '../../src/log.ts'
import { openNewsletter } from '../../src/newsletter.ts'
import { startQueue } from '../../src/queue.ts'
import { wakeThrough } from '../../src/wake.ts'
import { startWeb } from '../../src/web.ts'
import { openTestDatabase } from '../setup/database.ts'
import { formPost, openSocket, percentile } from './socket-load.ts'

const [each = 500] = process.argv.slice(2).map(Number)
const states = ['new', 'pending', 'confirmed', 'unsubscribed', 'suppressed'] as const
type State = (typeof states)[number]

const database = await openTestDatabase()
if (!database.url) throw new Error('Set TEST_DATABASE_URL: this is about real PostgreSQL')
const dataDir = mkdtempSync(join(tmpdir(), 'enumeration-bench-'))
const log = createLog('error')
const environment = { DATABASE_URL: database.url, DATA_DIR: dataDir, PUBLIC_URL: 'http://127.0.0.1:3000' }
const newsletter = await openNewsletter(readConfig(environment), systemClock, log)
const queue = await startQueue(newsletter.connection, log)
const stopping = new AbortController()
await startWorker(newsletter, queue, stopping.signal)
const web = await startWeb(createApp(newsletter, wakeThrough(queue, log, stopping.signal)), {
  host: '127.0.0.1',
  port: 0,
})
await readers()

const socket = await openSocket(web.port)
const latencies: Record<State, number[]> = {
  new: [],
  pending: [],
  confirmed: [],
  unsubscribed: [],
  suppressed: [],
}
for (let n = 0; n < 300; n++) await socket.ask(formPost('/subscribe', `address=warm${n}%40example.test`))
for (const { state, n } of shuffled()) {
  const { ms, status } = await socket.ask(
    formPost('/subscribe', `address=${addressOf(state, n).replace('@', '%40')}`),
  )
  if (status !== 200) throw new Error(`The server answered ${status}`)
  latencies[state].push(ms)
}

for (const state of states) {
  const sorted = latencies[state].toSorted((a, b) => a - b)
  console.log(
    `${state.padEnd(14)}median ${percentile(sorted, 0.5).toFixed(3)} ms   p95 ${percentile(sorted, 0.95).toFixed(3)} ms`,
  )
}
for (const [index, one] of states.entries())
  for (const other of states.slice(index + 1))
    console.log(`${`${one} or ${other}`.padEnd(30)}AUC ${auc(latencies[one], latencies[other]).toFixed(3)}`)

socket.close()
stopping.abort()
await web.stop()
await queue.stop()
await newsletter.close()
await database.close()
rmSync(dataDir, { recursive: true })

/** As long in every state, so that only the state differs. */
function addressOf(state: State, n: number): string {
  return `${state.padEnd(12, 'x')}-${String(n).padStart(4, '0')}@example.test`
}

async function readers(): Promise<void> {
  const at = systemClock()
  const numbers = Array.from({ length: each }, (_, n) => n)
  const rows = (['pending', 'confirmed', 'unsubscribed'] as const).flatMap((status) =>
    numbers.map((n) => ({
      ...{ address: addressOf(status, n), status, created_at: at },
      ...(status !== 'pending' && { confirmed_at: at }),
      ...(status === 'unsubscribed' && { unsubscribed_at: at }),
    })),
  )
  await newsletter.db.insertInto('subscriber').values(rows).execute()
  const suppressed = numbers.map((n) => ({
    address: addressOf('suppressed', n),
    reason: 'bounced' as const,
    since: at,
  }))
  await newsletter.db.insertInto('suppression').values(suppressed).execute()
}

function shuffled(): { state: State; n: number }[] {
  const all = states.flatMap((state) =>
    Array.from({ length: each }, (_, n) => ({ state, n, order: Math.random() })),
  )
  return all.toSorted((a, b) => a.order - b.order)
}

/** The chance that a latency of the one is longer than one of the other (Mann and Whitney); ties count half. */
function auc(one: readonly number[], other: readonly number[]): number {
  let wins = 0
  for (const a of one) for (const b of other) wins += a > b ? 1 : a === b ? 0.5 : 0
  return wins / (one.length * other.length)
}
