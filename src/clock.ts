/** The time as the entry point sees it; rules are handed a clock and never ask the system. */
export type Clock = () => Temporal.Instant

/** The machine's own clock. Only entry points name it. */
export const systemClock: Clock = () => Temporal.Now.instant()

/** A clock that goes by another, whose time is asked for now and then. `compare` asks now. */
export type FollowingClock = { readonly clock: Clock; compare(): Promise<void> }

/**
 * This machine's clock, corrected by what it was off from another when they were compared last. Differences that a slow
 * answer explains are left alone, so that the time does not jump to and fro.
 */
export function clockFollowing(read: () => Promise<Temporal.Instant>, machine: Clock): FollowingClock {
  const tolerance = 100
  let off = 0
  return {
    clock: () => machine().add({ milliseconds: off }),
    async compare() {
      const asked = machine().epochMilliseconds
      const there = (await read()).epochMilliseconds
      const here = (asked + machine().epochMilliseconds) / 2
      const now = Math.round(there - here)
      if (Math.abs(now - off) > tolerance) off = now
    },
  }
}

/** A clock that stands still: for rehearsals (`--as-of`, `tick --at`) and tests. */
export function standingClock(instant: Temporal.Instant): Clock {
  return () => instant
}

/** A weekly wall time: ISO weekday (1 is Monday), hour and minute. */
export type WallTime = { readonly weekday: number; readonly hour: number; readonly minute: number }

/** When the newsletter drafts and sends, as wall times in its zone. */
export type Calendar = { readonly zone: string; readonly draftAt: WallTime; readonly sendAt: WallTime }

/** How often a wall time occurs in a zone: once, or, on the days when its clocks are changed, never or twice. */
export function occurrence(wall: Temporal.PlainDateTime, zone: string): 'once' | 'never' | 'twice' {
  const [earlier, later] = [
    wall.toZonedDateTime(zone, { disambiguation: 'earlier' }),
    wall.toZonedDateTime(zone, { disambiguation: 'later' }),
  ]
  if (earlier.epochMilliseconds === later.epochMilliseconds) return 'once'
  return earlier.toPlainDateTime().equals(wall) ? 'twice' : 'never'
}

/**
 * The instant of a wall time in a zone. A time that the zone skips goes to the next minute that exists;
 * a time that occurs twice is the first occurrence. The only place where wall times become instants.
 */
export function instantOf(wall: Temporal.PlainDateTime, zone: string): Temporal.Instant {
  const zoned = wall.toZonedDateTime(zone, { disambiguation: 'earlier' })
  if (zoned.toPlainDateTime().equals(wall)) return zoned.toInstant()
  const afterGap = zoned.getTimeZoneTransition('next')
  return (afterGap ?? zoned).toInstant()
}

/** The second that an instant is in. Never rounded up: what is published now must not be in the future. */
export function secondOf(instant: Temporal.Instant): Temporal.Instant {
  return instant.round({ smallestUnit: 'second', roundingMode: 'floor' })
}
