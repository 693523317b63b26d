import { describe, expect, it } from 'vitest'
import { seeded } from '../setup/seeded.ts'
import { accountFor } from './field/account.ts'
import { openField, stateOf } from './field/field.ts'
import { leaveOverHttp, startWeb } from './field/leave.ts'
import { startWorkers } from './field/workers.ts'
import { pickReaders, runStorm } from './storm.ts'

const server = process.env.TEST_DATABASE_URL ?? ''

describe('a send whose workers are killed all the time, at a provider that fails a call in five,', () => {
  it.each([1, 2])('brings nobody two mails and loses nobody (seed %i)', async (seed) => {
    const came = await runStorm({
      ...{ server, seed, readers: 1_000, perBatch: 25, workers: 3, kill: [50, 500], faults: 20, leave: 20 },
    })

    console.info(
      `seed ${seed}: ${came.kills} kills, ${came.requests} requests, ${came.quarantined} quarantined`,
    )
    expect(came.violations).toEqual([])
    expect(came).toMatchObject({ duplicates: 0, unaccounted: 0 })
    expect(came.accepted + came.excluded + came.rejected + came.quarantined).toBe(1_000)
    expect(came.accepted).toBeGreaterThan(700)
    expect(came.kills).toBeGreaterThan(3)
    expect(['sent', 'partly sent']).toContain(came.state)
  })
})

describe('five hundred readers who unsubscribe while an issue is on its way', () => {
  it('are each in time or too late, and never in a call that was claimed after they were told', async () => {
    await using made = new AsyncDisposableStack()
    const field = await openField({ server, readers: 2_000, perBatch: 20, provider: ['--rate', '5'] })
    made.defer(field.close)
    const web = await startWeb(field)
    made.defer(web.end)
    const workers = startWorkers(field, 3)
    made.defer(workers.end)

    const gone = await leaveOverHttp(web, pickReaders(field, 500, seeded(500)), workers.isFinished)
    await workers.finished
    const account = await accountFor(field, gone)

    expect(account.violations).toEqual([])
    expect(account).toMatchObject({ duplicates: 0, unaccounted: 0, rejected: 0, quarantined: 0 })
    expect(gone.size).toBe(500)
    expect(account.excluded).toBeGreaterThan(0)
    expect(account.excluded).toBeLessThan(500)
    expect(await stateOf(field)).toBe('sent')
  })
})
