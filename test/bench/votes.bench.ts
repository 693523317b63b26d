/**
 * What votes cost on real PostgreSQL: `TEST_DATABASE_URL=postgres://… node test/bench/votes.bench.ts`. Votes posted over
 * HTTP, each by another reader, beside a bare server that inserts one row; then a million votes looked through for bursts
 * and rings by a process of its own, beside counting them; and the look after a minute's votes.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { type Kysely, sql } from 'kysely'
import { Pool } from 'pg'
import { openPostgres } from '../../db/connect.ts'
import type { Database } from '../../db/schema.ts'
import { signToken } from '../../src/subscriber/token.ts'
import { watchVotes } from '../../src/vote/watch.ts'
import { openPolls } from '../setup/crowd.ts'
import { openTestDatabase } from '../setup/database.ts'
import { testKeys } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { median, printLoad, serveOurs, startServer } from './servers.ts'
import { formPost, type Load, load, percentile } from './socket-load.ts'

const role = process.env.BENCH_ROLE
const signing = testKeys.map(({ id, secret }) => `${id}:${secret.toString('base64')}`).join(',')
if (role === 'ours') await serveOurs({ SIGNING_KEYS: signing })
else if (role === 'bare') serveBare()
else if (role === 'watch') await watch()
else {
  await comparePosts()
  await measureWatch()
}

async function comparePosts(): Promise<void> {
  const [connections = 32, seconds = 1, rounds = 9, readers = 8_000] = process.argv.slice(2).map(Number)
  const database = await openTestDatabase()
  if (!database.url) throw new Error('Set TEST_DATABASE_URL: this is about real PostgreSQL')
  const { db } = database.connection
  await people.crowd(db, readers)
  await openPolls(db, { issues: 1, comparisons: 5 })
  await sql`
    create table bare_vote (reader text, tool text, verdict text not null, at timestamptz not null, primary key (reader, tool))`.execute(
    db,
  )
  await sql`vacuum analyze`.execute(db)
  const requests = await postsOf(db)
  const servers = {
    ours: await startServer(import.meta.url, 'ours', database.url),
    bare: await startServer(import.meta.url, 'bare', database.url),
  }
  const run = async (name: 'ours' | 'bare') => {
    await sql`truncate vote, vote_tally, bare_vote cascade`.execute(db)
    return load(servers[name].port, { connections, seconds }, (n) => requests[n % requests.length] ?? '')
  }

  const pairs: { ours: Load; bare: Load }[] = []
  for (let round = -2; round < rounds; round += 1) {
    const pair =
      round % 2 === 0
        ? { bare: await run('bare'), ours: await run('ours') }
        : { ours: await run('ours'), bare: await run('bare') }
    if (round >= 0) pairs.push(pair)
  }
  console.log(`${connections} connections, ${rounds} rounds of ${seconds} s each, in turn; medians`)
  printLoad(
    'ours',
    pairs.map(({ ours }) => ours),
  )
  printLoad(
    'bare node:http, one INSERT',
    pairs.map(({ bare }) => bare),
  )
  const throughput = median(pairs.map(({ ours, bare }) => ours.perSecond / bare.perSecond))
  const p99 = median(
    pairs.map(({ ours, bare }) => percentile(ours.latencies, 0.99) / percentile(bare.latencies, 0.99)),
  )
  console.log(`median ratio within a round: throughput ×${throughput.toFixed(2)}, p99 ×${p99.toFixed(2)}`)
  for (const { stop } of Object.values(servers)) await stop()
  await database.close()
}

/** A vote of each reader on each tool of the issue. */
async function postsOf(db: Kysely<Database>): Promise<readonly string[]> {
  const [key] = testKeys
  if (!key) throw new Error('There is no key')
  const readers = await db.selectFrom('subscriber').select('public_id').orderBy('id').execute()
  const tools = await db.selectFrom('tool').select('slug').orderBy('id').execute()
  const tokens = readers.map(({ public_id }) => signToken(key, 'vote 2026-W41', public_id))
  return tokens.flatMap((token, n) =>
    tools.map(({ slug }) =>
      formPost(`/vote/${token}.2026-W41.${slug}`, `vote=${n % 3 === 0 ? 'skip' : 'ship'}&seen=0`),
    ),
  )
}

async function measureWatch(): Promise<void> {
  const database = await openTestDatabase()
  if (!database.url) throw new Error('Set TEST_DATABASE_URL: this is about real PostgreSQL')
  const { db } = database.connection
  await fillVotes(db, { readers: 100_000, votes: 1_000_000 })
  const counting = await secondsOf(() =>
    sql`select tool_id, verdict, count(*) from vote group by 1, 2`.execute(db),
  )
  const all = await watchIn(database.url)
  print('everything at once', all, counting)
  await sql`
    update vote set changed_at = changed_at + interval '2 days'
     where ctid = any (array(select ctid from vote order by changed_at desc limit 1000))`.execute(db)
  await sql`analyze vote`.execute(db)
  print('a minute’s thousand after', await watchIn(database.url), counting)
  const { rows } = await sql<{ rule: string; n: number }>`
    select rule, count(*)::int as n from vote_flag group by rule order by rule`.execute(db)
  console.log(`flags: ${rows.map(({ rule, n }) => `${n} ${rule}`).join(', ') || 'none'}`)
  await database.close()
}

/** Twelve weeks of five comparisons; votes fall off over days, from fifty thousand networks. */
async function fillVotes(
  db: Kysely<Database>,
  { readers, votes }: { readers: number; votes: number },
): Promise<void> {
  await people.crowd(db, readers)
  await openPolls(db, { issues: 12, comparisons: 5 })
  await sql`select setseed(0.4711)`.execute(db)
  await sql`
    insert into vote (subscriber_id, tool_id, verdict, comparison_id, issue_id, cast_at, changed_at, turn, network)
    select reader, tool_id, case when random() < 0.3 + 0.1 * (tool_id % 5) then 'ship' else 'skip' end,
           comparison_id, issue_id, at, at, 1, network
      from (select distinct on (s.id, t.tool_id) s.id as reader, t.tool_id, ic.comparison_id, ic.issue_id,
                   i.planned_at + interval '1 minute' + power(random(), 5) * interval '6 days' as at,
                   '10.' || s.id / 250 % 200 || '.' || s.id % 250 || '.0/24' as network
              from generate_series(1, ${Math.round(votes * 1.06)}::int) n
              join lateral (select 1 + floor(power(random(), 1.2) * ${readers - 1}::int)::int as pick, 1 + floor(random() * 120)::int as tool
                             where n > 0) r on true
              join subscriber s on s.id = r.pick
              join comparison_tool t on t.tool_id = r.tool
              join issue_comparison ic on ic.comparison_id = t.comparison_id
              join issue i on i.id = ic.issue_id) v
     limit ${votes}`.execute(db)
  await sql`
    insert into vote_tally (tool_id, ship, skip, changed_at)
    select tool_id, count(*) filter (where verdict = 'ship'), count(*) filter (where verdict = 'skip'), max(changed_at)
      from vote group by tool_id`.execute(db)
  await sql`vacuum analyze`.execute(db)
}

type Watched = { readonly votes: number; readonly seconds: number; readonly peakMegabytes: number }

async function watchIn(url: string): Promise<Watched> {
  const child = fork(fileURLToPath(import.meta.url), {
    env: { ...process.env, BENCH_ROLE: 'watch', BENCH_URL: url },
  })
  const [watched] = (await once(child, 'message')) as [Watched]
  await once(child, 'exit')
  return watched
}

async function watch(): Promise<void> {
  const { db, close } = openPostgres(process.env.BENCH_URL ?? '')
  const now = Temporal.Instant.from('2027-06-01T00:00:00Z')
  let votes = 0
  const seconds = await secondsOf(async () => {
    votes = (await watchVotes({ db, clock: () => now })).votes
  })
  const peakMegabytes = process.resourceUsage().maxRSS / 1024
  await close()
  process.send?.({ votes, seconds, peakMegabytes })
  process.disconnect?.()
}

function print(name: string, { votes, seconds, peakMegabytes }: Watched, counting: number): void {
  console.log(
    `${name}: ${votes.toLocaleString('en-GB')} votes in ${seconds.toFixed(2)} s, ×${(seconds / counting).toFixed(1)} of counting all (${counting.toFixed(2)} s), peak ${peakMegabytes.toFixed(0)} MB`,
  )
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}

function serveBare(): void {
  const pool = new Pool({ connectionString: process.env.BENCH_URL, max: 10 })
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', async () => {
      const form = new URLSearchParams(Buffer.concat(chunks).toString())
      const [token = '', , tool = ''] = (request.url ?? '').slice('/vote/'.length).split('.2026')
      await pool.query(
        `insert into bare_vote (reader, tool, verdict, at) values ($1, $2, $3, $4)
         on conflict (reader, tool) do update set verdict = excluded.verdict, at = excluded.at`,
        [token, tool || request.url, form.get('vote'), new Date()],
      )
      response.writeHead(303, { Location: `${request.url}?done=vote`, 'Content-Length': 0 }).end()
    })
  })
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    process.send?.(typeof address === 'object' ? address?.port : 0)
  })
  process.once('message', () => process.exit(0))
}
