import { setTimeout as wait } from 'node:timers/promises'
import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { openPostgres } from '../../db/connect.ts'
import { seeded } from '../setup/seeded.ts'
import { accountFor } from './field/account.ts'
import { type Cluster, findPostgresPrograms, startCluster } from './field/cluster.ts'
import { type Field, openField, stateOf } from './field/field.ts'
import { startWorkers, type Workers } from './field/workers.ts'

const isThere = (await findPostgresPrograms()) !== undefined
if (!isThere && !process.env.CI)
  console.warn('database-down: skipped, because there are no PostgreSQL programs in /usr/lib/postgresql.')

describe.skipIf(!isThere && !process.env.CI)('a database that goes down while an issue is on its way', () => {
  it.each([
    ['stopped at once and started again', stopAndStart],
    ['made to end every session', endSessions],
  ] as const)('and is %s, time and again, costs nobody a mail and brings nobody two', async (_, disturb) => {
    await using made = new AsyncDisposableStack()
    const cluster = await startCluster()
    made.defer(cluster.close)
    const field = await openField({
      ...{ server: cluster.url, readers: 1_000, perBatch: 25 },
      provider: ['--latency', '150', '--seed', '5', '--faults', '5%'],
    })
    made.defer(field.close)
    const workers = startWorkers(field, 3)
    made.defer(workers.end)

    const times = await disturb(cluster, workers)
    await workers.finished
    await untilAnswers(field)
    const account = await accountFor(field)

    expect(times).toBeGreaterThan(2)
    expect(workers.replaced()).toBeGreaterThan(0)
    expect(account.violations).toEqual([])
    expect(account).toMatchObject({ accepted: 1_000, duplicates: 0, unaccounted: 0, quarantined: 0 })
    expect(await stateOf(field)).toBe('sent')
  })
})

/** Our own sessions were ended with the others, and each may say so once more. */
async function untilAnswers({ db }: Field): Promise<void> {
  for (let answers = 0, tries = 0; answers < 20 && tries < 100; tries += 1) {
    const isThere = await Promise.all(Array.from({ length: 10 }, () => sql`select 1`.execute(db))).then(
      () => true,
      () => false,
    )
    answers = isThere ? answers + 10 : 0
  }
}

const random = seeded(11)

async function stopAndStart(cluster: Cluster, workers: Workers): Promise<number> {
  let times = 0
  while ((times < 4 || workers.replaced() === 0) && !workers.isFinished()) {
    await Promise.race([wait(600 + random() * 900), workers.finished])
    await cluster.stopAtOnce()
    await wait(random() * 400)
    await cluster.start()
    times += 1
  }
  return times
}

async function endSessions(cluster: Cluster, workers: Workers): Promise<number> {
  const server = openPostgres(cluster.url)
  let times = 0
  while ((times < 8 || workers.replaced() === 0) && !workers.isFinished()) {
    await Promise.race([wait(200 + random() * 500), workers.finished])
    await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
       where datname like 'wv_field_%' and application_name = 'weekly-verdict'`.execute(server.db)
    times += 1
  }
  await server.close()
  return times
}
