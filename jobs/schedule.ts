import { schedule } from 'node-cron'
import type { Log } from '../src/log.ts'
import type { Queue } from '../src/queue.ts'

/** Rings once a minute. It decides nothing: what is due is read from the tables by whoever takes the job. */
export async function startSchedule(queue: Pick<Queue, 'enqueue'>, log: Log): Promise<() => Promise<void>> {
  const ring = () => queue.enqueue('tick').catch((error: unknown) => log.error({ err: error }, 'ring'))
  const task = schedule('* * * * *', ring, { name: 'tick', noOverlap: true, suppressMissedWarning: true })
  await ring()
  return async () => {
    await task.destroy()
  }
}
