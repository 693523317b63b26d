/** The time as the entry point sees it; rules are handed a clock and never ask the system. */
export type Clock = () => Temporal.Instant

/** The machine's own clock. Only entry points name it. */
export const systemClock: Clock = () => Temporal.Now.instant()

/** A clock that stands still: for rehearsals (`--as-of`, `tick --at`) and tests. */
export function standingClock(instant: Temporal.Instant): Clock {
  return () => instant
}
