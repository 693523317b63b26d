/**
 * How much of what a provider allows is used: one and three workers, each a process of its own, against a provider of 5
 * calls a second that takes 150 ms to answer, counted over a fixed second and over any second.
 *
 *     TEST_DATABASE_URL=postgres://… node test/bench/pace.bench.ts [seconds]
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { openTestDatabase } from '../setup/database.ts'
import { approvedForSending, preparedReaders } from './prepared-issue.ts'
import { startSender } from './processes.ts'

const [seconds = 60] = process.argv.slice(2).map(Number)
const callsPerSecond = 5
const database = await openTestDatabase()
if (!database.url) throw new Error('Set TEST_DATABASE_URL: this is about real PostgreSQL')
const { db } = database.connection
const url = database.url
await preparedReaders(db, seconds * callsPerSecond * 100)
const { publicUrl, bytesPerMail, batchSize } = await approvedForSending(db)
const batches = seconds * callsPerSecond
await sql`delete from batch where ordinal > ${batches}`.execute(db)
console.log(`${batches} calls of ${batchSize} mails, ${callsPerSecond} a second allowed, 150 ms each`)

/** Another one for each start: the ledger is set back, and a machine that remembers would refuse to send. */
let dataDir = mkdtempSync(join(tmpdir(), 'wv-bench-'))
for (const window of ['fixed', 'sliding'] as const) for (const workers of [1, 3]) await run(window, workers)
rmSync(dataDir, { recursive: true })
await database.close()

async function run(window: 'fixed' | 'sliding', workers: number): Promise<void> {
  await startAgain()
  const provider = fork(here('./limited.ts'), [String(callsPerSecond), '150', window, String(bytesPerMail)])
  const [{ port }] = (await once(provider, 'message')) as [{ port: number }]
  const senders = Array.from({ length: workers }, () =>
    startSender(
      { role: 'ours', week: '2026-W47' },
      { databaseUrl: url, dataDir, publicUrl, providerUrl: `http://127.0.0.1:${port}`, heap: 'as it comes' },
    ),
  )
  await Promise.all(senders.map((sender) => once(sender, 'message')))
  for (const sender of senders) sender.send('go')
  await Promise.all(senders.map((sender) => once(sender, 'exit')))
  provider.send('how many')
  const [{ allowed, refused }] = (await once(provider, 'message')) as [{ allowed: number[]; refused: number }]
  provider.disconnect()
  const took = ((allowed.at(-1) ?? 0) - (allowed[0] ?? 0)) / 1000
  const use = (allowed.length - 1) / (took * callsPerSecond)
  const tooMany = refused / (allowed.length + refused)
  console.log(
    `${window.padEnd(8)} window, ${workers} worker${workers > 1 ? 's' : ' '}   ${(use * 100).toFixed(1)} % of the rate used (≥ 98)   ${(tooMany * 100).toFixed(2)} % refused (< 2)   ${took.toFixed(1)} s`,
  )
}

async function startAgain(): Promise<void> {
  rmSync(dataDir, { recursive: true })
  dataDir = mkdtempSync(join(tmpdir(), 'wv-bench-'))
  await sql`truncate attempt, pace, installation`.execute(db)
  await sql`
    update batch set state = 'built', reason = null, fence = 0, lease_owner = null, lease_until = null, not_before = null,
           first_used_at = null, accepted_at = null, provider_ids = null`.execute(db)
  await sql`update issue set state = 'sending', finished_at = null where planned_at is not null`.execute(db)
}

function here(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}
