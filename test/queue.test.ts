import { setTimeout as wait } from 'node:timers/promises'
import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type JobData, type JobName, type Queue, startQueue } from '../src/queue.ts'
import { openTestDatabase } from './setup/database.ts'

const log = pino({ level: 'silent' })
let opened: Awaited<ReturnType<typeof openTestDatabase>>
let queue: Queue

beforeAll(async () => {
  opened = await openTestDatabase()
  queue = await startQueue(opened.connection, log)
})
beforeEach(async () => {
  await queue.drain(async () => {})
})
afterAll(async () => {
  await queue.stop()
  await opened.close()
})

describe('the queue', () => {
  it('hands out a job once, with its week', async () => {
    await queue.enqueue('send-issue', '2026-W47')

    expect(await drained()).toEqual([['send-issue', '2026-W47']])
    expect(await drained()).toEqual([])
  })

  it('keeps one of a kind and week, however often it is asked for', async () => {
    for (let times = 0; times < 3; times += 1) await queue.enqueue('send-issue', '2026-W47')
    await Promise.all(Array.from({ length: 3 }, () => queue.enqueue('send-issue', '2026-W47')))

    expect(await drained()).toEqual([['send-issue', '2026-W47']])
  })

  it('keeps other weeks and other kinds apart', async () => {
    await queue.enqueue('send-issue', '2026-W47')
    await queue.enqueue('send-issue', '2026-W48')
    await queue.enqueue('draft-issue', '2026-W48')
    await queue.enqueue('tick')
    await queue.enqueue('tick')

    expect((await drained()).toSorted()).toEqual([
      ['draft-issue', '2026-W48'],
      ['send-issue', '2026-W47'],
      ['send-issue', '2026-W48'],
      ['tick', undefined],
    ])
  })

  it('takes a job while the same one is at work: what came in since is not lost', async () => {
    await queue.enqueue('send-issue', '2026-W47')
    let ran = 0

    await queue.drain(async () => {
      ran += 1
      if (ran === 1) await queue.enqueue('send-issue', '2026-W47')
    })

    expect(ran).toBe(2)
  })

  it('keeps a job for later', async () => {
    await queue.enqueue('send-issue', '2026-W50', Temporal.Now.instant().add({ hours: 1 }))

    expect(await drained()).toEqual([])
  })

  it('puts back a job that fails, and says why', async () => {
    await queue.enqueue('send-issue', '2026-W47')

    const failing = queue.drain(async () => {
      throw new Error('no disk')
    })

    await expect(failing).rejects.toThrow('no disk')
    expect(await drained()).toEqual([['send-issue', '2026-W47']])
  })

  it('stands on the application’s own connection without changing how it reads time', async () => {
    const { connection } = opened
    const at = Temporal.Instant.from('2026-11-20T14:00:00.123Z')
    await connection.db.insertInto('newsletter').values({ baseline_at: at }).execute()

    await queue.enqueue('tick')
    await drained()

    const row = await connection.db.selectFrom('newsletter').select('baseline_at').executeTakeFirstOrThrow()
    expect(row.baseline_at).toEqual(at)
  })
})

describe('a worker', () => {
  it('takes jobs as they come, and is let finish when the queue stops', async () => {
    const own = await openTestDatabase()
    const working = await startQueue(own.connection, log)
    const done: string[] = []
    let began = () => {}
    const begun = new Promise<void>((go) => {
      began = go
    })
    await working.work('send-issue', async ({ week }) => {
      began()
      await wait(300)
      done.push(week ?? '')
    })

    await working.enqueue('send-issue', '2026-W47')
    await begun
    await working.stop()
    await own.close()

    expect(done).toEqual(['2026-W47'])
  })
})

async function drained(): Promise<[JobName, string | undefined][]> {
  const ran: [JobName, string | undefined][] = []
  await queue.drain(async (job: JobName, { week }: JobData) => {
    ran.push([job, week])
  })
  return ran
}
