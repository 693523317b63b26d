import { createServer } from 'node:http'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { sendIssue } from '../../jobs/send-issue.ts'
import { freezeEdition } from '../../src/issue/edition.ts'
import { publishComparison } from '../../src/verdict/publish.ts'
import { documentFor } from '../setup/comparisons.ts'
import { openTestDatabase } from '../setup/database.ts'
import { dueIssue } from '../setup/delivery.ts'
import { people } from '../setup/people.ts'
import { median, printLoad, serveOurs, startServer } from './servers.ts'
import { type Load, load, percentile } from './socket-load.ts'

/*
 * What a visitor waits for: each public page, whole and as 304, beside a bare node:http server that answers the same number
 * of bytes from memory, in turn, in the same run. `TEST_DATABASE_URL=… node test/bench/public.bench.ts [connections] [seconds] [rounds]`
 */
const comparisons = Number(process.env.BENCH_COMPARISONS ?? 5_000)
const role = process.env.BENCH_ROLE
if (role === 'ours') await serveOurs()
else if (role === 'bare') serveBare()
else await compare()

async function compare(): Promise<void> {
  const [connections = 32, seconds = 1, rounds = 5] = process.argv.slice(2).map(Number)
  const database = await openTestDatabase()
  if (!database.url) throw new Error('Set TEST_DATABASE_URL: this is about real PostgreSQL')
  await fill(database.connection.db)
  const ours = await startServer(import.meta.url, 'ours', database.url)
  const bare = await startServer(import.meta.url, 'bare', database.url)
  console.log(
    `${comparisons} comparisons, 50 issues; ${connections} connections, ${rounds} rounds of ${seconds} s; medians`,
  )
  const pages: readonly (readonly [string, (n: number) => string])[] = [
    ['a comparison', () => '/compare/pair-7'],
    ['any of all comparisons', (n) => `/compare/pair-${(n * 7919) % comparisons}`],
    ['the archive', () => '/issues'],
    ['a search', () => '/issues?q=builder'],
    ['an issue', () => '/issues/2026-W40'],
    ['the feed', () => '/feed.xml'],
    ['the sitemap', () => '/sitemap.xml'],
  ]
  for (const [name, pathOf] of pages) {
    const { etag, bytes } = await look(ours.port, pathOf(0))
    const isOne = pathOf(0) === pathOf(1)
    for (const known of isOne ? ['', etag] : ['']) {
      const header = known && `If-None-Match: ${known}\r\n`
      const run = (port: number, path: (n: number) => string) =>
        load(
          port,
          { connections, seconds },
          (n) => `GET ${path(n)} HTTP/1.1\r\nHost: 127.0.0.1\r\n${header}\r\n`,
        )
      const pairs: { ours: Load; bare: Load }[] = []
      for (let round = -1; round < rounds; round += 1) {
        const pair = {
          bare: await run(bare.port, () => `/${known ? 'known' : bytes}`),
          ours: await run(ours.port, pathOf),
        }
        if (round >= 0) pairs.push(pair)
      }
      report(`${name}${known ? ', 304' : `, ${Math.round(bytes / 1024)} kB`}`, pairs)
    }
  }
  await ours.stop()
  await bare.stop()
  await database.close()
}

function report(name: string, pairs: readonly { ours: Load; bare: Load }[]): void {
  printLoad(
    name,
    pairs.map((pair) => pair.ours),
  )
  const perSecond = median(pairs.map((pair) => pair.ours.perSecond / pair.bare.perSecond))
  const p99 = median(
    pairs.map((pair) => percentile(pair.ours.latencies, 0.99) / percentile(pair.bare.latencies, 0.99)),
  )
  console.log(`${''.padEnd(28)}beside bare: throughput ×${perSecond.toFixed(2)}, p99 ×${p99.toFixed(2)}`)
}

async function look(port: number, path: string): Promise<{ etag: string; bytes: number }> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`)
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}`)
  return { etag: answer.headers.get('ETag') ?? '', bytes: (await answer.arrayBuffer()).byteLength }
}

/** One issue that was really sent, 49 more with its edition under weeks and subjects of their own, and all comparisons. */
async function fill(db: Kysely<Database>): Promise<void> {
  await people.ann(db)
  const { deps, issue } = await dueIssue({ db })
  await sendIssue(deps, issue.week)
  const { subject, preheader, html, text } = await db
    .selectFrom('edition')
    .selectAll()
    .where('issue_id', '=', issue.id)
    .executeTakeFirstOrThrow()
  for (let n = 1; n <= 49; n += 1) {
    const week = `2026-W${String(n < 47 ? n : n + 1).padStart(2, '0')}`
    const edition = freezeEdition({ subject: `${subject} ${n}`, preheader, html, text })
    const at = Temporal.Instant.from('2026-01-02T14:00:00Z').add({ hours: 168 * n })
    const { id } = await db
      .insertInto('issue')
      .values({ week, state: 'scheduled', timezone: 'America/New_York', draft_at: at, due_at: at })
      .returning('id')
      .executeTakeFirstOrThrow()
    await db
      .insertInto('edition')
      .values({ ...edition, issue_id: id, frozen_at: at, variant_of: null })
      .execute()
    await db
      .updateTable('issue')
      .set({ state: 'sent', edition_hash: edition.hash, planned_at: at, finished_at: at })
      .where('id', '=', id)
      .execute()
  }
  const clock = () => Temporal.Instant.from('2026-11-01T00:00:00Z')
  for (let from = 0; from < comparisons; from += 8) {
    const numbers = Array.from({ length: Math.min(8, comparisons - from) }, (_, at) => from + at)
    await Promise.all(
      numbers.map((n) =>
        publishComparison({ db, clock }, documentFor(`pair-${n}`, { publishedAt: '2026-01-01T00:00:00Z' })),
      ),
    )
  }
  await sql`vacuum analyze`.execute(db)
}

/** `/N`: N bytes, made once; `/known`: 304. */
function serveBare(): void {
  const bodies = new Map<number, Buffer>()
  const server = createServer((request, response) => {
    if (request.url === '/known') {
      response.writeHead(304).end()
      return
    }
    const bytes = Number(request.url?.slice(1))
    const body = bodies.get(bytes) ?? Buffer.alloc(bytes, 'x')
    bodies.set(bytes, body)
    response.writeHead(200, { 'Content-Type': 'text/html; charset=UTF-8', 'Content-Length': bytes }).end(body)
  })
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    process.send?.(typeof address === 'object' ? address?.port : 0)
  })
  process.once('message', () => process.exit(0))
}
