/**
 * What an import takes: `TEST_DATABASE_URL=postgres://… node test/bench/import.bench.ts [rows]`. Each list is taken in by a
 * process of its own, into a database of its own, so that its peak memory is its own too: a million rows beside ten
 * thousand, and a hundred thousand between them, by when the heap has grown to its working size. A second time, when every
 * row is known; and one row a transaction, as a loop over `addSubscriber` has it.
 */
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { sql } from 'kysely'
import { openPostgres } from '../../db/connect.ts'
import { migrate } from '../../db/migrate.ts'
import { importSubscribers } from '../../src/subscriber/import.ts'
import { addSubscriber } from '../../src/subscriber/subscriber.ts'

type Way = 'import' | 'one by one'
type Cost = { readonly seconds: number; readonly again: number; readonly megabytes: number }

const server = process.env.TEST_DATABASE_URL
if (!server) throw new Error('TEST_DATABASE_URL: name a PostgreSQL on which databases may be made')

const [, , asked, way] = process.argv
if (way) {
  process.stdout.write(
    JSON.stringify(await measure(Number(asked), way === 'import' ? 'import' : 'one by one')),
  )
} else {
  const many = Number(asked ?? 1_000_000)
  const few = Math.min(10_000, many)
  const some = Math.min(100_000, many)
  const [small, middle, large] = [few, some, many].map((rows) => told('import', rows))
  const naive = told('one by one', few)
  if (!small || !middle || !large) throw new Error('Nothing was measured')
  const beside = (other: Cost) => (large.megabytes / other.megabytes).toFixed(2)
  console.log(`\npeak memory of ${grouped(many)} rows: ×${beside(small)} that of ${grouped(few)} rows,`)
  console.log(`×${beside(middle)} that of ${grouped(some)} rows`)
  console.log(`an import is ×${(naive.seconds / small.seconds).toFixed(1)} as fast as one by one`)
  if (large.megabytes / middle.megabytes > 1.5) process.exitCode = 1
}

function inAProcess(rows: number, how: Way): Cost {
  const { stdout, stderr, status } = spawnSync(process.execPath, [import.meta.filename, String(rows), how])
  if (status !== 0) throw new Error(stderr.toString())
  return JSON.parse(stdout.toString())
}

async function measure(rows: number, how: Way): Promise<Cost> {
  const name = `wv_bench_${randomUUID().replaceAll('-', '')}`
  await onServer(sql`create database ${sql.id(name)}`)
  const url = new URL(server ?? '')
  url.pathname = `/${name}`
  const connection = openPostgres(url.href)
  try {
    await migrate(connection.db)
    const deps = {
      db: connection.db,
      clock: () => Temporal.Now.instant(),
      keys: [{ id: 'k1', secret: Buffer.alloc(32, 7) }],
    }
    const take = () => (how === 'import' ? takeList(deps, rows) : takeOneByOne(deps, rows))
    const seconds = await timed(take)
    const again = await timed(take)
    return { seconds, again, megabytes: process.resourceUsage().maxRSS / 1024 }
  } finally {
    await connection.close()
    await onServer(sql`drop database if exists ${sql.id(name)} with (force)`)
  }
}

async function takeList(deps: Parameters<typeof importSubscribers>[0], rows: number): Promise<void> {
  const result = await importSubscribers(deps, Readable.from(list(rows)))
  if (result.kind !== 'imported' || result.added + result.known !== rows)
    throw new Error(JSON.stringify(result))
}

async function takeOneByOne(deps: Parameters<typeof addSubscriber>[0], rows: number): Promise<void> {
  for (let n = 0; n < rows; n += 1)
    await addSubscriber(deps, addressOf(n), { method: 'import', detail: 'web form, May 2026' })
}

function* list(rows: number): Generator<string> {
  yield 'address,consent,name\n'
  for (let n = 0; n < rows; n += 1) yield `${addressOf(n)},"web form, May 2026",Reader ${n}\n`
}

function addressOf(n: number): string {
  return `reader-${String((n * 7_919) % 10_000_019).padStart(8, '0')}@mail-${n % 97}.example`
}

async function onServer(statement: ReturnType<typeof sql>): Promise<void> {
  const connection = openPostgres(server ?? '')
  await statement.execute(connection.db).finally(() => connection.close())
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}

function told(how: Way, rows: number): Cost {
  const cost = inAProcess(rows, how)
  const { seconds, again, megabytes } = cost
  const pace = `${grouped(rows / seconds)} rows/s`
  const first = `${how.padEnd(12)}${grouped(rows).padStart(10)} rows ${seconds.toFixed(1).padStart(7)} s ${pace.padStart(15)}`
  console.log(
    `${first}   again ${again.toFixed(1).padStart(6)} s   peak ${grouped(megabytes).padStart(4)} MB`,
  )
  return cost
}

function grouped(figure: number): string {
  return Math.round(figure).toLocaleString('en-GB')
}
