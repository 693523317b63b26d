import type { Clock } from '../../src/clock.ts'

/** A clock that tests move by hand. */
export type MovableClock = Clock & {
  moveTo(instant: string | Temporal.Instant): void
  pass(time: string): void
}

/** Starts at an RFC 3339 instant; `pass('PT1H')` moves on. */
export function clockAt(start: string): MovableClock {
  let now = Temporal.Instant.from(start)
  return Object.assign(() => now, {
    moveTo(instant: string | Temporal.Instant) {
      now = Temporal.Instant.from(instant)
    },
    pass(time: string) {
      now = now.add(Temporal.Duration.from(time))
    },
  })
}
