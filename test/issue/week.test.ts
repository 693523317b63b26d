import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Calendar, WallTime } from '../../src/clock.ts'
import { instantOf } from '../../src/clock.ts'
import { nextDueWeek, type Week, weekAfter, weekBefore, weekNamed, weekOf } from '../../src/issue/week.ts'
import { newYork } from '../setup/newsletter.ts'

const utc: Calendar = { ...newYork, zone: 'UTC' }

describe('the name of a week', () => {
  it.each([
    ['2025-12-28', '2025-W52'],
    ['2025-12-29', '2026-W01'],
    ['2026-01-01', '2026-W01'],
    ['2026-11-18', '2026-W47'],
    ['2026-12-28', '2026-W53'],
    ['2026-12-31', '2026-W53'],
    ['2027-01-01', '2026-W53'],
    ['2027-01-03', '2026-W53'],
    ['2027-01-04', '2027-W01'],
    ['2028-01-02', '2027-W52'],
    ['2032-12-31', '2032-W53'],
  ])('on %s is %s', (day, name) => {
    expect(weekOf(Temporal.Instant.from(`${day}T12:00Z`), utc).name).toBe(name)
  })

  it('turns at midnight on Monday in the newsletter’s zone, not in UTC', () => {
    const nameAt = (instant: string, zone: string) =>
      weekOf(Temporal.Instant.from(instant), { ...newYork, zone }).name

    expect(nameAt('2027-01-04T04:59:59Z', 'America/New_York')).toBe('2026-W53')
    expect(nameAt('2027-01-04T05:00:00Z', 'America/New_York')).toBe('2027-W01')
    expect(nameAt('2027-01-03T14:59:59Z', 'Asia/Tokyo')).toBe('2026-W53')
    expect(nameAt('2027-01-03T15:00:00Z', 'Asia/Tokyo')).toBe('2027-W01')
  })

  it.each(['2026-W53', '2032-W53', '2026-W01', '2027-W52'])('%s names a week', (name) => {
    expect(weekNamed(name, utc)?.name).toBe(name)
  })

  it.each(['2025-W53', '2027-W53', '2031-W53'])('%s is refused, for that year has 52 weeks', (name) => {
    expect(weekNamed(name, utc)).toBeUndefined()
  })

  it.each([
    ...['', '2026', '2026-47', '2026-W', '2026-W7', '2026-W00', '2026-W54', '2026-W99', '2026-W047'],
    ...['2026-w47', 'W47-2026', ' 2026-W47', '2026-W47 ', '2026-W47\n', '2026W47', '26-W47', '-2026-W47'],
    ...['+2026-W47', '２０２６-W47', '2026-W4７'],
  ])('%j names no week', (name) => {
    expect(weekNamed(name, utc)).toBeUndefined()
  })
})

describe('the weeks beside a week', () => {
  it.each([
    ['2025-W52', '2026-W01'],
    ['2026-W46', '2026-W47'],
    ['2026-W52', '2026-W53'],
    ['2026-W53', '2027-W01'],
    ['2027-W52', '2028-W01'],
  ])('%s comes before %s', (earlier, later) => {
    expect(weekAfter(week(earlier), utc).name).toBe(later)
    expect(weekBefore(week(later), utc).name).toBe(earlier)
  })
})

describe('the instants of a week', () => {
  it('are its wall times in the newsletter’s zone', () => {
    const { draftAt, dueAt, zone } = week('2026-W47', newYork)

    expect([draftAt, dueAt].map(String)).toEqual(['2026-11-19T14:00:00Z', '2026-11-20T14:00:00Z'])
    expect(zone).toBe('America/New_York')
  })

  it('keep the wall time when summer time ends between the draft and the issue', () => {
    const calendar = { zone: 'America/New_York', draftAt: at(6, 9), sendAt: at(7, 9) }

    const { draftAt, dueAt } = week('2026-W44', calendar)

    expect([draftAt, dueAt].map(String)).toEqual(['2026-10-31T13:00:00Z', '2026-11-01T14:00:00Z'])
  })

  it('put the draft before the issue when its weekday comes later in the week', () => {
    const calendar = { zone: 'UTC', draftAt: at(6, 9), sendAt: at(1, 9) }

    const { draftAt, dueAt } = week('2027-W01', calendar)

    expect([draftAt, dueAt].map(String)).toEqual(['2027-01-02T09:00:00Z', '2027-01-04T09:00:00Z'])
  })

  it('put the draft a week before the issue when it is later on the same day', () => {
    const calendar = { zone: 'UTC', draftAt: at(5, 9, 1), sendAt: at(5, 9) }

    expect(String(week('2026-W47', calendar).draftAt)).toBe('2026-11-13T09:01:00Z')
  })

  it('may be the same for draft and issue', () => {
    const { draftAt, dueAt } = week('2026-W47', { zone: 'UTC', draftAt: at(5, 9), sendAt: at(5, 9) })

    expect(String(draftAt)).toBe(String(dueAt))
  })
})

/*
 * Read off `zdump -v`, which names the last second before a shift and the first one after it, and checked by walking
 * Python's zoneinfo minute by minute to the first instant at which the wall shows that time or a later one.
 */
describe('a wall time', () => {
  it.each([
    // New York skips 02:00–03:00 at 07:00Z: from −05 to −04.
    ['2026-03-08T01:59', 'America/New_York', '2026-03-08T06:59:00Z'],
    ['2026-03-08T02:00', 'America/New_York', '2026-03-08T07:00:00Z'],
    ['2026-03-08T02:30', 'America/New_York', '2026-03-08T07:00:00Z'],
    ['2026-03-08T02:59', 'America/New_York', '2026-03-08T07:00:00Z'],
    ['2026-03-08T03:00', 'America/New_York', '2026-03-08T07:00:00Z'],
    ['2026-03-08T03:01', 'America/New_York', '2026-03-08T07:01:00Z'],
    ['2027-03-14T02:30', 'America/New_York', '2027-03-14T07:00:00Z'],
    // Berlin skips 02:00–03:00 at 01:00Z: from +01 to +02.
    ['2027-03-28T01:59', 'Europe/Berlin', '2027-03-28T00:59:00Z'],
    ['2027-03-28T02:00', 'Europe/Berlin', '2027-03-28T01:00:00Z'],
    ['2027-03-28T02:30', 'Europe/Berlin', '2027-03-28T01:00:00Z'],
    ['2027-03-28T03:00', 'Europe/Berlin', '2027-03-28T01:00:00Z'],
    // Lord Howe skips half an hour, 02:00–02:30, at 15:30Z the day before: from +10:30 to +11.
    ['2026-10-04T01:59', 'Australia/Lord_Howe', '2026-10-03T15:29:00Z'],
    ['2026-10-04T02:00', 'Australia/Lord_Howe', '2026-10-03T15:30:00Z'],
    ['2026-10-04T02:15', 'Australia/Lord_Howe', '2026-10-03T15:30:00Z'],
    ['2026-10-04T02:29', 'Australia/Lord_Howe', '2026-10-03T15:30:00Z'],
    ['2026-10-04T02:30', 'Australia/Lord_Howe', '2026-10-03T15:30:00Z'],
    // Cairo skips 00:00–01:00, so that 30 April 2027 has no midnight: at 22:00Z from +02 to +03.
    ['2027-04-29T23:59', 'Africa/Cairo', '2027-04-29T21:59:00Z'],
    ['2027-04-30T00:00', 'Africa/Cairo', '2027-04-29T22:00:00Z'],
    ['2027-04-30T00:30', 'Africa/Cairo', '2027-04-29T22:00:00Z'],
    ['2027-04-30T01:00', 'Africa/Cairo', '2027-04-29T22:00:00Z'],
    // Samoa skipped a whole day: at 10:00Z from −10 to +14.
    ['2011-12-30T09:00', 'Pacific/Apia', '2011-12-30T10:00:00Z'],
  ])('that is skipped goes to the next minute there is: %s in %s is %s', (wall, zone, instant) => {
    expect(String(instantOf(Temporal.PlainDateTime.from(wall), zone))).toBe(instant)
  })

  it.each([
    // New York has 01:00–02:00 twice; from 05:00Z at −04, then from 06:00Z at −05.
    ['2026-11-01T00:59', 'America/New_York', '2026-11-01T04:59:00Z'],
    ['2026-11-01T01:00', 'America/New_York', '2026-11-01T05:00:00Z'],
    ['2026-11-01T01:30', 'America/New_York', '2026-11-01T05:30:00Z'],
    ['2026-11-01T01:59', 'America/New_York', '2026-11-01T05:59:00Z'],
    ['2026-11-01T02:00', 'America/New_York', '2026-11-01T07:00:00Z'],
    // Berlin has 02:00–03:00 twice; from 00:00Z at +02, then from 01:00Z at +01.
    ['2027-10-31T02:30', 'Europe/Berlin', '2027-10-31T00:30:00Z'],
    ['2027-10-31T03:00', 'Europe/Berlin', '2027-10-31T02:00:00Z'],
    // Lord Howe has 01:30–02:00 twice; from 14:30Z at +11, then from 15:00Z at +10:30.
    ['2027-04-04T01:29', 'Australia/Lord_Howe', '2027-04-03T14:29:00Z'],
    ['2027-04-04T01:30', 'Australia/Lord_Howe', '2027-04-03T14:30:00Z'],
    ['2027-04-04T01:45', 'Australia/Lord_Howe', '2027-04-03T14:45:00Z'],
    ['2027-04-04T02:00', 'Australia/Lord_Howe', '2027-04-03T15:30:00Z'],
    // Cairo has 23:00–24:00 twice; from 20:00Z at +03, then from 21:00Z at +02.
    ['2026-10-29T22:59', 'Africa/Cairo', '2026-10-29T19:59:00Z'],
    ['2026-10-29T23:30', 'Africa/Cairo', '2026-10-29T20:30:00Z'],
    ['2026-10-30T00:00', 'Africa/Cairo', '2026-10-29T22:00:00Z'],
  ])('that comes twice is the first of the two: %s in %s is %s', (wall, zone, instant) => {
    expect(String(instantOf(Temporal.PlainDateTime.from(wall), zone))).toBe(instant)
  })
})

describe('the next week that is due', () => {
  it('is this one up to its time, and the next from then on', () => {
    const dueAt = week('2026-W53', newYork).dueAt

    expect(nextDueWeek(dueAt.subtract({ nanoseconds: 1 }), newYork).name).toBe('2026-W53')
    expect(nextDueWeek(dueAt, newYork).name).toBe('2027-W01')
  })
})

describe('whatever the zone and the wall times', () => {
  it('an issue is due in the week that it is named after', () => {
    hold(({ week, calendar }) => {
      expect(weekOf(week.dueAt, calendar)).toEqual(week)
      expect(weekNamed(week.name, calendar)).toEqual(week)
    })
  })

  it('it is drafted at most a week, and the hour of a shift, before it is due', () => {
    hold(({ week }) => {
      const hours = week.draftAt.until(week.dueAt).total('hours')

      expect(hours).toBeGreaterThanOrEqual(0)
      expect(hours).toBeLessThanOrEqual(7 * 24 + 1)
    })
  })

  it('the week after the week before is the week itself', () => {
    hold(({ week, calendar }) => {
      expect(weekAfter(weekBefore(week, calendar), calendar)).toEqual(week)
      expect(weekBefore(weekAfter(week, calendar), calendar)).toEqual(week)
    })
  })

  it('the names of weeks sort as the weeks do', () => {
    fc.assert(
      fc.property(calendars, instants, instants, (calendar, one, other) => {
        const [a, b] = [weekOf(one, calendar), weekOf(other, calendar)]
        const byName = a.name < b.name ? -1 : a.name > b.name ? 1 : 0

        expect(byName).toBe(Temporal.Instant.compare(a.dueAt, b.dueAt))
        expect(weekBefore(a, calendar).name < a.name).toBe(true)
      }),
    )
  })

  it('the next week that is due is the first one after now', () => {
    fc.assert(
      fc.property(calendars, instants, (calendar, now) => {
        const next = nextDueWeek(now, calendar)

        expect(Temporal.Instant.compare(next.dueAt, now)).toBe(1)
        expect(Temporal.Instant.compare(weekBefore(next, calendar).dueAt, now)).toBeLessThanOrEqual(0)
      }),
    )
  })
})

const wallTimes = fc.record({
  weekday: fc.integer({ min: 1, max: 7 }),
  hour: fc.integer({ min: 0, max: 23 }),
  minute: fc.integer({ min: 0, max: 59 }),
})

const calendars: fc.Arbitrary<Calendar> = fc.record({
  zone: fc.constantFrom(
    ...['UTC', 'America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe', 'Africa/Cairo', 'Asia/Tokyo'],
    ...['America/St_Johns', 'Pacific/Kiritimati', 'Pacific/Pago_Pago', 'America/Nuuk', 'Asia/Kathmandu'],
  ),
  draftAt: wallTimes,
  sendAt: wallTimes,
})

/** Any millisecond of the years 2020 to 2060. */
const instants = fc
  .integer({ min: Date.UTC(2020, 0), max: Date.UTC(2061, 0) - 1 })
  .map((milliseconds) => Temporal.Instant.fromEpochMilliseconds(milliseconds))

function hold(property: (given: { week: Week; calendar: Calendar }) => void): void {
  fc.assert(
    fc.property(calendars, instants, (calendar, instant) =>
      property({ week: weekOf(instant, calendar), calendar }),
    ),
  )
}

function week(name: string, calendar: Calendar = utc): Week {
  const named = weekNamed(name, calendar)
  if (!named) throw new Error(`${name} is no week`)
  return named
}

function at(weekday: number, hour: number, minute = 0): WallTime {
  return { weekday, hour, minute }
}
