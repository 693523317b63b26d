/**
 * The peak memory of a sending process at ten thousand and at a million readers, and how long it takes to freeze each
 * audience, on real PostgreSQL and a provider that only drains.
 *
 *     TEST_DATABASE_URL=postgres://… node test/bench/memory.bench.ts [readers …]
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openTestDatabase } from '../setup/database.ts'
import { approvedForSending, preparedReaders } from './prepared-issue.ts'
import { startDrain, startSender } from './processes.ts'
import type { Took } from './sender.ts'

const given = process.argv.slice(2).map(Number)
const sizes = given.length > 0 ? given : [10_000, 1_000_000]
const peaks: number[] = []
for (const readers of sizes) peaks.push(await peakAt(readers))
console.log(`peak ÷ peak ×${((peaks.at(-1) ?? 0) / (peaks[0] ?? 1)).toFixed(2)} (≤ 1.2; the last ≤ 150 MB)`)

async function peakAt(readers: number): Promise<number> {
  const database = await openTestDatabase()
  if (!database.url) throw new Error('Set TEST_DATABASE_URL: this is about real PostgreSQL')
  await preparedReaders(database.connection.db, readers)
  const planned = await approvedForSending(database.connection.db)
  const drain = await startDrain(planned.bytesPerMail)
  const dataDir = mkdtempSync(join(tmpdir(), 'wv-bench-'))
  const sender = startSender(
    { role: 'ours', week: '2026-W47' },
    { databaseUrl: database.url, dataDir, heap: 'small', ...drain, ...planned },
  )
  await once(sender, 'message')
  sender.send('go')
  const [took] = (await once(sender, 'message')) as [Took]
  await once(sender, 'exit')
  drain.stop()
  rmSync(dataDir, { recursive: true })
  await database.close()
  console.log(
    `${readers.toLocaleString('en-GB').padStart(9)} readers: frozen in ${planned.seconds.toFixed(1)} s, ${took.mails.toLocaleString('en-GB')} mails in ${took.seconds.toFixed(1)} s, peak ${took.peakMegabytes.toFixed(0)} MB`,
  )
  return took.peakMegabytes
}
