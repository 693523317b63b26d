/**
 * An issue to many readers, ledger and all, on real PostgreSQL and a provider that only drains: mails a second, what each
 * costs, and how much memory it takes, beside (a) a bare loop that posts the same bytes, prepared, (b) the same mails
 * through Resend's client in batches, (c) MJML and a call for every reader. Each sender is a process of its own.
 *
 *     TEST_DATABASE_URL=postgres://… node test/bench/send.bench.ts [readers] [rounds]
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { openTestDatabase } from '../setup/database.ts'
import { approvedForSending, preparedReaders } from './prepared-issue.ts'
import { postgresSeconds, startDrain, startSender } from './processes.ts'
import type { Order, Took } from './sender.ts'

const [readers = 100_000, rounds = 3] = process.argv.slice(2).map(Number)

const database = await openTestDatabase()
if (!database.url) throw new Error('Set TEST_DATABASE_URL: this is about real PostgreSQL')
const { db } = database.connection
const url = database.url

await preparedReaders(db, readers)
const planned = await approvedForSending(db)
const { batchSize, bytesPerMail } = planned
const drain = await startDrain(bytesPerMail)
console.log(
  `${grouped(readers)} readers, ${batchSize} mails a call, ${grouped(bytesPerMail)} bytes a mail on the wire; audience frozen in ${planned.seconds.toFixed(1)} s (${grouped(readers / planned.seconds)} readers/s)`,
)

let dataDir = mkdtempSync(join(tmpdir(), 'wv-bench-'))
const batches = Math.ceil(Math.min(readers, 50_000) / batchSize)
const ours: Measured[] = []
const oursTwice: Measured[] = []
const small: Measured[] = []
const bare: Measured[] = []
const client: Measured[] = []
for (let round = 0; round < rounds; round += 1) {
  bare.push(await run([{ role: 'bare', batches, mails: batchSize, url: drain.providerUrl }]))
  await unsend()
  ours.push(await run([{ role: 'ours', week: '2026-W47' }]))
  await unsend()
  small.push(await run([{ role: 'ours', week: '2026-W47' }], 'small'))
  await unsend()
  oursTwice.push(
    await run([
      { role: 'ours', week: '2026-W47' },
      { role: 'ours', week: '2026-W47' },
    ]),
  )
  client.push(
    await run([
      { role: 'client', batches: Math.ceil(8000 / batchSize), mails: batchSize, url: drain.providerUrl },
    ]),
  )
}
const naive = await run([{ role: 'naive', mails: 300, url: drain.providerUrl }])

print('bare loop, prepared bytes', bare)
print('ours, one process', ours)
print('ours, two processes', oursTwice)
print('ours, one with a small heap', small)
print('batches through the client', client)
print('MJML and a call per reader', [naive])
console.log()
ratio('ours ÷ bare loop, one process', ours, bare, '≥ 0.5')
ratio('ours ÷ bare loop, two processes', oursTwice, bare, '≥ 0.65')
ratio('ours ÷ MJML and a call per reader', ours, [naive], '≥ 250')
ratio('ours ÷ batches through the client', ours, client, '≥ 9')
ratio('two processes ÷ one', oursTwice, ours, '')

drain.stop()
rmSync(dataDir, { recursive: true, force: true })
await database.close()

type Measured = { perSecond: number; cpu: number; database: number; peak: number }

async function run(
  orders: readonly Order[],
  heap: 'as it comes' | 'small' = 'as it comes',
): Promise<Measured> {
  const children = orders.map((order) =>
    startSender(order, { databaseUrl: url, dataDir, heap, ...drain, ...planned }),
  )
  await Promise.all(children.map((child) => once(child, 'message')))
  const before = postgresSeconds()
  const took = await Promise.all(
    children.map(async (child): Promise<Took> => {
      child.send('go')
      const [message] = await once(child, 'message')
      return message as Took
    }),
  )
  const seconds = Math.max(...took.map((one) => one.seconds))
  const databaseSeconds = postgresSeconds() - before
  await Promise.all(children.map((child) => child.exitCode ?? once(child, 'exit')))
  const mails = took.reduce((sum, one) => sum + one.mails, 0)
  return {
    perSecond: mails / seconds,
    cpu: (took.reduce((sum, one) => sum + one.cpuSeconds, 0) / mails) * 1e6,
    database: (databaseSeconds / mails) * 1e6,
    peak: Math.max(...took.map((one) => one.peakMegabytes)),
  }
}

/** Back to before the first call, with the audience as it was frozen, on a machine that remembers no other ledger. */
async function unsend(): Promise<void> {
  await sql`truncate attempt, installation`.execute(db)
  rmSync(dataDir, { recursive: true, force: true })
  dataDir = mkdtempSync(join(tmpdir(), 'wv-bench-'))
  await sql`
    update batch set state = 'built', reason = null, fence = 0, lease_owner = null, lease_until = null, not_before = null,
           first_used_at = null, accepted_at = null, provider_ids = null`.execute(db)
  await sql`update issue set state = 'sending', finished_at = null where planned_at is not null`.execute(db)
  await sql`vacuum analyze batch`.execute(db)
}

function print(label: string, runs: readonly Measured[]): void {
  const { perSecond, cpu, database: db, peak } = middle(runs)
  console.log(
    `${label.padEnd(28)}${grouped(perSecond).padStart(9)} mails/s${cpu.toFixed(1).padStart(9)} µs CPU${db.toFixed(1).padStart(8)} µs database${peak.toFixed(0).padStart(6)} MB peak`,
  )
}

function ratio(label: string, mine: readonly Measured[], theirs: readonly Measured[], goal: string): void {
  const figure = middle(mine).perSecond / middle(theirs).perSecond
  console.log(`${label.padEnd(36)}×${figure.toFixed(figure < 10 ? 2 : 0).padEnd(8)}${goal}`.trimEnd())
}

function middle(runs: readonly Measured[]): Measured {
  const sorted = runs.toSorted((a, b) => a.perSecond - b.perSecond)
  const found = sorted[Math.floor(sorted.length / 2)]
  if (!found) throw new Error('Nothing was measured')
  return found
}

function grouped(figure: number): string {
  return Math.round(figure).toLocaleString('en-GB')
}
