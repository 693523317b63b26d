import type { Log } from './log.ts'
import type { Queue } from './queue.ts'

/** Tells a worker that there is something to do now, instead of at the next minute. Never throws, never waits. */
export type Wake = (job: 'take-in-sign-ups' | 'send-letters' | 'take-in-events' | 'tick') => void

const apart = 500

/**
 * Wakes through the queue, each job at most twice a second however often it is asked; the last asking is never lost.
 * After `stop` nobody is woken: whoever starts next looks for themselves.
 */
export function wakeThrough(queue: Pick<Queue, 'enqueue'>, log: Log, stop: AbortSignal): Wake {
  const resting = new Map<string, { isAsked: boolean }>()

  const wake: Wake = (job) => {
    if (stop.aborted) return
    const rest = resting.get(job)
    if (rest) {
      rest.isAsked = true
      return
    }
    const state = { isAsked: false }
    resting.set(job, state)
    queue.enqueue(job).catch((error: unknown) => log.error({ err: error, job }, 'wake'))
    setTimeout(() => {
      resting.delete(job)
      if (state.isAsked) wake(job)
    }, apart).unref()
  }
  return wake
}
