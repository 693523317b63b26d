import { setTimeout as sleep } from 'node:timers/promises'

/** Spaces calls so that all lanes together stay under a rate, and rests when the provider asks for it. */
export type Pacer = { turn(stop?: AbortSignal): Promise<void>; rest(pause: Temporal.Duration): void }

/** A pacer for this process; `perSecond` undefined means no limit of its own. */
export function startPacer(perSecond: number | undefined): Pacer {
  const gap = perSecond ? 1000 / perSecond : 0
  let next = performance.now()
  return {
    /** Ends early, without a word, when it is told to stop. */
    async turn(stop) {
      const now = performance.now()
      const mine = Math.max(now, next)
      next = mine + gap
      if (mine > now) await sleep(mine - now, undefined, stop && { signal: stop }).catch(() => {})
    },
    rest(pause) {
      next = Math.max(next, performance.now() + pause.total('milliseconds'))
    },
  }
}
