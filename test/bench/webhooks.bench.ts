/**
 * What the provider's webhooks cost on PostgreSQL. Intake: requests a second through the real web server, signature and
 * all, beside a bare node:http server that reads the body and does one single-row INSERT per request. Application: events
 * with an effect (98 of 100 arrivals, the rest delays, bounces and complaints, in random order) beside a bare
 * INSERT … SELECT of as many rows, and the peak memory of the process that applies them.
 *
 *     TEST_DATABASE_URL=postgres://… node test/bench/webhooks.bench.ts [events] [connections] [seconds] [rounds]
 */
import { fork } from 'node:child_process'
import { createHmac, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { type Kysely, sql } from 'kysely'
import { Pool } from 'pg'
import { openPostgres } from '../../db/connect.ts'
import type { Database } from '../../db/schema.ts'
import { systemClock } from '../../src/clock.ts'
import { applyEvents } from '../../src/delivery/apply-events.ts'
import { openTestDatabase } from '../setup/database.ts'
import { plannedIssue } from '../setup/delivery.ts'
import { bounces, mailEvent, secrets, webhookEnvironment } from '../setup/events.ts'
import { testKeys } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { median, printLoad, serveOurs, startServer } from './servers.ts'
import { type Load, load } from './socket-load.ts'

const roles = { ours: () => serveOurs(webhookEnvironment), bare: serveBare, apply }
const role = Object.entries(roles).find(([name]) => name === process.env.BENCH_ROLE)?.[1]
if (role) await role()
else await compare()

async function compare(): Promise<void> {
  const [events = 1_000_000, connections = 64, seconds = 1, rounds = 15] = process.argv.slice(2).map(Number)
  const database = await openTestDatabase()
  if (!database.url) throw new Error('Set TEST_DATABASE_URL: this is about real PostgreSQL')
  await intake(database.connection.db, database.url, { connections, seconds, rounds })
  await application(database.connection.db, database.url, events)
  await database.close()
}

type Measure = { readonly connections: number; readonly seconds: number; readonly rounds: number }

async function intake(db: Kysely<Database>, url: string, { connections, seconds, rounds }: Measure) {
  const servers = {
    ours: await startServer(import.meta.url, 'ours', url),
    bare: await startServer(import.meta.url, 'bare', url),
  }
  const run = async (name: 'ours' | 'bare') => {
    await sql`truncate provider_event, event_to_apply`.execute(db)
    return load(servers[name].port, { connections, seconds }, signedPost)
  }
  const pairs: { ours: Load; bare: Load }[] = []
  for (let round = -1; round < rounds; round++) {
    const pair =
      round % 2 === 0
        ? { bare: await run('bare'), ours: await run('ours') }
        : { ours: await run('ours'), bare: await run('bare') }
    if (round >= 0) pairs.push(pair)
  }
  for (const { stop } of Object.values(servers)) await stop()

  console.log(`intake: ${connections} connections, ${rounds} rounds of ${seconds} s each, in turn; medians`)
  const shown = { ours: 'ours, verified', bare: 'bare node:http, one INSERT' }
  for (const name of ['ours', 'bare'] as const)
    printLoad(
      shown[name],
      pairs.map((pair) => pair[name]),
    )
  const ratio = median(pairs.map(({ ours, bare }) => ours.perSecond / bare.perSecond))
  console.log(`median ratio within a round: throughput ×${ratio.toFixed(2)}\n`)
}

async function application(db: Kysely<Database>, url: string, events: number): Promise<void> {
  await sql`truncate provider_event, event_to_apply`.execute(db)
  await people.crowd(db, events)
  await plannedIssue({ db })
  await sql`select setseed(0.5)`.execute(db)
  await sql`
    with told as (
      select row_number() over (order by random()) as n, d.*, s.public_id
        from delivery d join subscriber s on s.id = d.subscriber_id
    )
    insert into event_to_apply
           (svix_id, email_id, batch_id, reader, address, state, bars, at, received_at, not_before)
    select 'msg_' || n, 'e_' || subscriber_id, batch_id, public_id, address, state, bars, now(), now(), '2026-11-20'
      from told cross join lateral (
        select (case when n % 2000 = 0 then 'complained' when n % 200 = 1 then 'bounced hard'
                     when n % 200 = 2 then 'bounced soft' when n % 100 = 3 then 'delayed'
                     else 'delivered' end)::feedback_state as state,
               case when n % 2000 = 0 then 'complained' when n % 200 = 1 then 'bounced' end as bars) kind`.execute(
    db,
  )
  await sql`
    insert into provider_event (svix_id, type, email_id, batch_id, occurred_at, received_at, body)
    select svix_id, 'email.delivered', email_id, batch_id, at, at, '{}' from event_to_apply`.execute(db)
  await sql`vacuum analyze`.execute(db)

  const bare = await bareInsert(db)
  const child = fork(fileURLToPath(import.meta.url), {
    env: { ...process.env, BENCH_ROLE: 'apply', BENCH_URL: url },
  })
  const [done, ms, peak] = await new Promise<number[]>((resolve, reject) => {
    child.once('message', (message) => resolve(String(message).split(' ').map(Number)))
    child.once('error', reject)
  })
  if (done !== events) throw new Error(`${done} of ${events} events were applied`)
  const seconds = (ms ?? 0) / 1000
  console.log(`application of ${events} events`)
  console.log(`ours${' '.repeat(24)}${seconds.toFixed(1).padStart(7)} s  ${(events / seconds).toFixed(0)}/s`)
  console.log(
    `bare INSERT … SELECT${' '.repeat(8)}${bare.toFixed(1).padStart(7)} s  ${(events / bare).toFixed(0)}/s`,
  )
  console.log(`ratio ×${(bare / seconds).toFixed(3)} of the bare rate; peak memory of the process ${peak} MB`)
  const { rows } = await sql<object>`select * from issue_feedback`.execute(db)
  console.log(rows[0])
}

async function bareInsert(db: Kysely<Database>): Promise<number> {
  await sql`create table bare (like feedback including all)`.execute(db)
  const started = performance.now()
  await sql`
    insert into bare (subscriber_id, at, issue_id, state)
    select subscriber_id, now(), issue_id, 'delivered' from delivery`.execute(db)
  return (performance.now() - started) / 1000
}

async function apply(): Promise<void> {
  const { db, close } = openPostgres(process.env.BENCH_URL ?? '')
  const started = performance.now()
  const { events } = await applyEvents({ db, clock: systemClock, keys: testKeys })
  const ms = performance.now() - started
  process.send?.(`${events} ${ms} ${Math.round(process.resourceUsage().maxRSS / 1024)}`)
  await close()
  process.exit(0)
}

/** A delivery by Resend as it goes over the wire: now and then a bounce, else an arrival. */
function signedPost(n: number): string {
  const tags = { issue: '2026-W47', batch: randomUUID(), delivery: randomUUID() }
  const mail = { emailId: randomUUID(), to: `reader-${n}@example.test`, tags }
  const { svixId, document } =
    n % 100 === 0 ? mailEvent('bounced', mail, bounces.hard) : mailEvent('delivered', mail)
  const body = JSON.stringify(document)
  const at = Math.floor(Date.now() / 1000)
  const key = Buffer.from(secrets.old.slice('whsec_'.length), 'base64')
  const signature = createHmac('sha256', key).update(`${svixId}.${at}.${body}`).digest('base64')
  const head = `POST /webhooks/resend HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nsvix-id: ${svixId}\r\n`
  const signed = `svix-timestamp: ${at}\r\nsvix-signature: v1,${signature}\r\n`
  return `${head}${signed}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

function serveBare(): void {
  const pool = new Pool({ connectionString: process.env.BENCH_URL, max: 10 })
  const taken = JSON.stringify({ status: 'taken in' })
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', async () => {
      const body = Buffer.concat(chunks).toString()
      await pool.query(
        `insert into provider_event (svix_id, type, occurred_at, received_at, body) values ($1, $2, $3, $3, $4)`,
        [request.headers['svix-id'], 'email.delivered', new Date(), body],
      )
      response
        .writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': taken.length })
        .end(taken)
    })
  })
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    process.send?.(typeof address === 'object' ? address?.port : 0)
  })
  process.once('message', () => process.exit(0))
}
