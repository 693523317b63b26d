import { types } from '@electric-sql/pglite'
import { fromPglite, PgBoss } from 'pg-boss'
import type { Connection } from '../db/connect.ts'
import type { Log } from './log.ts'

/** The jobs there are. A job only wakes a worker up; what is true stands in the ledger. */
export const jobNames = [
  'tick',
  'draft-issue',
  'send-issue',
  'check-edition',
  'take-in-sign-ups',
  'send-letters',
  'take-in-events',
  'roll-up',
  'watch-votes',
] as const
export type JobName = (typeof jobNames)[number]

/** The week a job is about; a tick is about none. */
export type JobData = { readonly week?: string }

/** The queue on the application's own database. `enqueue` does nothing when the same job is waiting already. */
export type Queue = {
  enqueue(job: JobName, week?: string, after?: Temporal.Instant): Promise<void>
  /** Runs jobs of one kind as they come, one at a time in this process. */
  work(job: JobName, run: (data: JobData) => Promise<void>): Promise<void>
  /** Runs what is waiting now, until nothing is. Returns how many jobs ran; the first that fails is put back and thrown. */
  drain(run: (job: JobName, data: JobData) => Promise<void>): Promise<number>
  /** Stops taking jobs and waits up to 35 s for those at work. */
  stop(): Promise<void>
}

/** Connects the queue, making its own tables where they are missing. */
export async function startQueue({ driver }: Connection, log: Log): Promise<Queue> {
  const boss = new PgBoss({
    ...(driver.kind === 'embedded'
      ? { db: fromPglite(withPlainDates(driver.pglite)), backend: 'pglite' as const }
      : { connectionString: driver.url, max: 4 }),
    schedule: false,
  })
  boss.on('error', (error) => log.error({ err: error }, 'queue'))
  await boss.start()
  // `short`: at most one of a kind and week waits; any number of workers may be at one issue.
  for (const name of jobNames)
    await boss.createQueue(name, { policy: 'short', expireInSeconds: 23 * 60 * 60 })
  /** Those of this process look at once; others within a second. */
  const workers = new Map<JobName, string>()

  return {
    async enqueue(job, week, after) {
      const singletonKey = week ?? job
      const startAfter = after && new Date(after.epochMilliseconds)
      await boss.send(job, { week }, { singletonKey, ...(startAfter && { startAfter }) })
      const here = workers.get(job)
      if (here && !after) boss.notifyWorker(here)
    },
    async work(job, run) {
      const options = { pollingIntervalSeconds: 1 }
      workers.set(job, await boss.work<JobData>(job, options, async ([one]) => run(one?.data ?? {})))
    },
    async drain(run) {
      let ran = 0
      for (const name of jobNames) {
        for (;;) {
          const [job] = await boss.fetch<JobData>(name)
          if (!job) break
          await run(name, job.data).catch(async (error: unknown) => {
            await boss.fail(name, job.id)
            throw error
          })
          await boss.complete(name, job.id)
          ran++
        }
      }
      return ran
    },
    stop: () => boss.stop({ graceful: true, timeout: 35_000, close: true }),
  }
}

type Embedded = Extract<Connection['driver'], { kind: 'embedded' }>['pglite']

/** The application reads instants as `Temporal.Instant`; pg-boss expects the driver's own dates. */
function withPlainDates(pglite: Embedded): Embedded {
  const parsers = { [types.TIMESTAMPTZ]: (text: string) => new Date(text) }
  return new Proxy(pglite, {
    get(target, name) {
      if (name === 'query')
        return (text: string, values?: unknown[]) => target.query(text, values, { parsers })
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}
