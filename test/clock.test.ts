import { describe, expect, it } from 'vitest'
import { clockFollowing, secondOf } from '../src/clock.ts'

const noon = Temporal.Instant.from('2026-11-20T12:00:00Z')

describe('a machine whose clock is wrong', () => {
  it('goes by the time of the database once they were compared', async () => {
    const { clock, compare } = clockFollowing(
      async () => noon,
      () => noon.add({ minutes: 7 }),
    )
    const before = clock()

    await compare()

    expect(before.toString()).toBe('2026-11-20T12:07:00Z')
    expect(clock().toString()).toBe('2026-11-20T12:00:00Z')
  })

  it('follows when the difference grows', async () => {
    let machine = noon
    const { clock, compare } = clockFollowing(
      async () => noon,
      () => machine,
    )
    await compare()
    machine = noon.subtract({ minutes: 3 })

    await compare()

    expect(clock().toString()).toBe('2026-11-20T12:00:00Z')
  })
})

describe('a machine whose clock is right', () => {
  it('keeps it, because a slow answer looks like a difference', async () => {
    const { clock, compare } = clockFollowing(
      async () => noon.add({ milliseconds: 80 }),
      () => noon,
    )

    await compare()

    expect(clock().toString()).toBe(noon.toString())
  })
})

describe('the second that an instant is in', () => {
  it.each(['2026-11-20T12:00:00Z', '2026-11-20T12:00:00.5Z', '2026-11-20T12:00:00.999999999Z'])(
    'is never after it: %s',
    (instant) => {
      expect(secondOf(Temporal.Instant.from(instant)).toString()).toBe(noon.toString())
    },
  )
})
