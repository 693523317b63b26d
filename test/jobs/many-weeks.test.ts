import type { Kysely } from 'kysely'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '../../db/schema.ts'
import { runTimetable } from '../../jobs/work.ts'
import type { Calendar } from '../../src/clock.ts'
import { weekNamed } from '../../src/issue/week.ts'
import { clockAt } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { isOnPostgres, openTestDatabase, useDatabase } from '../setup/database.ts'
import { newsletterWith } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { openPostOffice } from '../setup/post-office.ts'

type Place = {
  readonly calendar: Calendar
  /** Draft and due instants of the weeks in which the clocks change. */
  readonly shifts: Readonly<Record<string, readonly [draftAt: string, dueAt: string]>>
}

/*
 * Wall times that the clock changes skip or repeat, and what becomes of them: read off `zdump -v`, checked with Python's
 * zoneinfo. A skipped time goes to the next minute there is, a repeated one is the first of the two.
 */
const places: readonly Place[] = [
  {
    // Draft at an hour that November repeats, issue at an hour that March skips.
    calendar: { zone: 'America/New_York', draftAt: on(7, 1, 30), sendAt: on(7, 2, 30) },
    shifts: {
      '2026-W44': ['2026-11-01T05:30:00Z', '2026-11-01T07:30:00Z'],
      '2027-W10': ['2027-03-14T06:30:00Z', '2027-03-14T07:00:00Z'],
      '2027-W44': ['2027-11-07T05:30:00Z', '2027-11-07T07:30:00Z'],
      '2028-W10': ['2028-03-12T06:30:00Z', '2028-03-12T07:00:00Z'],
    },
  },
  {
    // Both times are in the hour that March skips and October repeats.
    calendar: { zone: 'Europe/Berlin', draftAt: on(7, 2, 0), sendAt: on(7, 2, 30) },
    shifts: {
      '2026-W43': ['2026-10-25T00:00:00Z', '2026-10-25T00:30:00Z'],
      '2027-W12': ['2027-03-28T01:00:00Z', '2027-03-28T01:00:00Z'],
      '2027-W43': ['2027-10-31T00:00:00Z', '2027-10-31T00:30:00Z'],
      '2028-W12': ['2028-03-26T01:00:00Z', '2028-03-26T01:00:00Z'],
    },
  },
  {
    // Half an hour: October skips 02:00 to 02:30, April repeats 01:30 to 02:00.
    calendar: { zone: 'Australia/Lord_Howe', draftAt: on(7, 1, 45), sendAt: on(7, 2, 15) },
    shifts: {
      '2026-W40': ['2026-10-03T15:15:00Z', '2026-10-03T15:30:00Z'],
      '2027-W13': ['2027-04-03T14:45:00Z', '2027-04-03T15:45:00Z'],
      '2027-W39': ['2027-10-02T15:15:00Z', '2027-10-02T15:30:00Z'],
      '2028-W13': ['2028-04-01T14:45:00Z', '2028-04-01T15:45:00Z'],
      '2028-W39': ['2028-09-30T15:15:00Z', '2028-09-30T15:30:00Z'],
    },
  },
  {
    // Around midnight: April has a Friday without one, October a Thursday with two last hours.
    calendar: { zone: 'Africa/Cairo', draftAt: on(4, 23, 30), sendAt: on(5, 0, 30) },
    shifts: {
      '2026-W44': ['2026-10-29T20:30:00Z', '2026-10-29T22:30:00Z'],
      '2027-W17': ['2027-04-29T21:30:00Z', '2027-04-29T22:00:00Z'],
      '2027-W43': ['2027-10-28T20:30:00Z', '2027-10-28T22:30:00Z'],
      '2028-W17': ['2028-04-27T21:30:00Z', '2028-04-27T22:00:00Z'],
    },
  },
]

const firstMonday = Temporal.PlainDate.from('2026-06-01')
const weeksOfNews = 120
const closingWeeks = 6
/** 2026-W23 to W53, all 52 of 2027, and 2028 as far as it takes. */
const weekNames = [...namesOf(2026, 23, 53), ...namesOf(2027, 1, 52), ...namesOf(2028, 1, 52)]

describe.each(places)('the calendar of $calendar.zone', ({ calendar, shifts }) => {
  it('has the instants of the table in the weeks in which the clocks change', () => {
    const instants = Object.keys(shifts).map((name) => {
      const week = weekNamed(name, calendar)
      return [name, [String(week?.draftAt), String(week?.dueAt)]]
    })

    expect(Object.fromEntries(instants)).toEqual(shifts)
  })
})

/** New York on the embedded database, the others on PostgreSQL: what a place changes is the calendar, which is in neither. */
const lived = isOnPostgres ? places.slice(1) : places.slice(0, 1)

describe.each(lived)('two years and more in $calendar.zone', (place) => {
  const { zone, sendAt } = place.calendar
  let told: Told
  beforeAll(async () => {
    told = await live(place.calendar)
  }, 180_000)

  it('have one issue for every ISO week, 2026-W53 among them', () => {
    const weeks = told.issues.map(({ week }) => week)

    expect(weeks).toEqual(weekNames.slice(0, weeksOfNews + closingWeeks + 1))
    expect(weeks).toContain('2026-W53')
  })

  it('draft and send at the instants of the table in the weeks in which the clocks change', () => {
    const shifts = Object.fromEntries(
      told.issues
        .filter(({ week }) => week in place.shifts)
        .map(({ week, draft_at, due_at }) => [week, [String(draft_at), String(due_at)]]),
    )

    expect(shifts).toEqual(place.shifts)
  })

  it('send at the same wall time in all other weeks', () => {
    for (const { week, due_at } of told.issues.filter((issue) => !(issue.week in place.shifts))) {
      const wall = due_at.toZonedDateTimeISO(zone)
      const { yearOfWeek, weekOfYear, dayOfWeek, hour, minute, second } = wall

      expect(`${yearOfWeek}-W${String(weekOfYear).padStart(2, '0')}`).toBe(week)
      expect([week, dayOfWeek, hour, minute, second]).toEqual([
        ...[week, sendAt.weekday, sendAt.hour, sendAt.minute, 0],
      ])
    }
  })

  it('send every issue that has something to say, once, in time, and none in a quiet week', () => {
    const past = told.issues.slice(0, -1)

    expect(new Set(past.map(({ state }) => state))).toEqual(new Set(['sent', 'quiet']))
    expect(told.subjects.toSorted()).toEqual(past.flatMap(({ subject }) => subject ?? []).toSorted())
    for (const { state, size, planned_at, due_at } of past) {
      if (state === 'quiet') expect([size, planned_at]).toEqual([0, null])
      else expect(hoursBetween(due_at, planned_at)).toBeLessThanOrEqual(36)
      if (state === 'sent') expect(hoursBetween(due_at, planned_at)).toBeGreaterThanOrEqual(0)
    }
  })

  it('are years with quiet weeks, full issues, late starts and news committed late', () => {
    const sizes = told.issues.map(({ size }) => size)

    expect(sizes.filter((size) => size === 0).length).toBeGreaterThan(5)
    expect(sizes.filter((size) => size === 10).length).toBeGreaterThan(10)
    expect(Math.max(...sizes)).toBe(10)
    expect(told.issues.filter((issue) => hoursBetween(issue.due_at, issue.planned_at) > 24)).not.toEqual([])
    expect(told.news.filter(({ isLate }) => isLate).length).toBeGreaterThan(10)
  })

  it('print every comparison once and none twice', () => {
    const printed = told.prints.map(({ slug }) => slug)

    expect(printed.toSorted()).toEqual(told.news.map(({ slug }) => slug).toSorted())
  })

  it('print the older before the newer, from one issue to the next', () => {
    const late = new Set(told.news.filter(({ isLate }) => isLate).map(({ slug }) => slug))
    const inTime = told.prints.filter(({ slug }) => !late.has(slug))

    const published = inTime.map(({ publishedAt }) => String(publishedAt))
    expect(published).toEqual(published.toSorted())
  })

  it('have subjects and preheaders that an inbox shows whole', () => {
    for (const { week, subject, preheader } of told.issues.filter(({ state }) => state === 'sent')) {
      expect.soft(subject, `subject of ${week}`).toSatisfy(hasLength(40, 70))
      expect.soft(preheader, `preheader of ${week}`).toSatisfy(hasLength(40, 90))
    }
  })
})

describe('a comparison that is committed late', () => {
  const database = useDatabase()

  it('with an instant before the cut-off is in the next issue', async () => {
    const clock = clockAt('2026-11-19T14:00:00Z')
    const desk = newsletterWith(database, { clock, transport: openPostOffice() })
    await people.ann(database.db)
    await publish(database.db, documentFor('in-time', { publishedAt: '2026-11-19T13:00:00Z' }))
    for (const instant of ['2026-11-19T14:00:00Z', '2026-11-20T14:00:00Z']) {
      clock.moveTo(instant)
      await runTimetable(desk)
    }

    await publish(database.db, documentFor('late', { publishedAt: '2026-11-19T12:00:00Z' }))
    clock.moveTo('2026-11-26T14:00:00Z')
    await runTimetable(desk)

    const prints = await printsIn(database.db)
    expect(prints.map(({ week, slug }) => [week, slug])).toEqual([
      ['2026-W47', 'in-time'],
      ['2026-W48', 'late'],
    ])
  })
})

type News = {
  readonly slug: string
  readonly publishedAt: Temporal.Instant
  readonly committedAt: Temporal.Instant
  readonly isLate: boolean
}

type Told = {
  readonly news: readonly News[]
  readonly issues: Awaited<ReturnType<typeof issuesIn>>
  readonly prints: Awaited<ReturnType<typeof printsIn>>
  readonly subjects: readonly string[]
}

/** Lives through all the weeks: what is published is committed, and somebody looks at the timetable now and then. */
async function live(calendar: Calendar): Promise<Told> {
  const random = randomFrom(calendar.zone.length)
  const start = instantAt(firstMonday, calendar.zone)
  const end = instantAt(firstMonday.add({ weeks: weeksOfNews + closingWeeks }), calendar.zone)
  const news = newsFrom(start, random)
  const mail = openPostOffice()
  const clock = clockAt(String(start))
  const { connection, close } = await openTestDatabase()
  try {
    const desk = newsletterWith(connection, { clock, transport: mail, calendar })
    await people.ann(connection.db)
    let known = 0
    while (Temporal.Instant.compare(clock(), end) < 0) {
      await runTimetable(desk)
      clock.pass(`PT${absence(random)}S`)
      const from = known
      while (isBy(news[known], clock())) known++
      await commit(connection.db, news.slice(from, known), random)
    }
    clock.moveTo(end)
    await runTimetable(desk)
    return {
      news,
      issues: await issuesIn(connection.db),
      prints: await printsIn(connection.db),
      subjects: mail.accepted.map(({ subject }) => subject),
    }
  } finally {
    await close()
  }
}

/** How long nobody looks: mostly some hours, now and then so long that an issue goes out late, but within its grace. */
function absence(random: Random): number {
  return Math.round(3600 * (random() < 0.25 ? 28 + 7 * random() : 4 + 16 * random()))
}

/** Each week none, some or too many comparisons; some at the same minute, some committed up to two days late. */
function newsFrom(start: Temporal.Instant, random: Random): readonly News[] {
  const news = Array.from({ length: weeksOfNews }, (_, week) => week).flatMap((week) =>
    Array.from({ length: howMany(random) }, (_, place) => {
      const publishedAt = start.add({ hours: 168 * week + 1 + Math.floor(166 * random()) })
      const isLate = random() < 0.04
      const committedAt = isLate ? publishedAt.add({ minutes: Math.ceil(2880 * random()) }) : publishedAt
      return { slug: `w${week}-n${place}`, publishedAt, committedAt, isLate }
    }),
  )
  return news.sort((a, b) => Temporal.Instant.compare(a.committedAt, b.committedAt))
}

function howMany(random: Random): number {
  const kind = random()
  if (kind < 0.2) return 0
  return kind < 0.8 ? 1 + Math.floor(8 * random()) : 11 + Math.floor(5 * random())
}

/** Writes comparisons straight into the tables, many at once: how they are taken in is tested in test/verdict. */
async function commit(db: Kysely<Database>, news: readonly News[], random: Random): Promise<void> {
  if (news.length === 0) return
  await db.transaction().execute(async (trx) => {
    const rows = await trx
      .insertInto('comparison')
      .values(
        news.map(({ slug, publishedAt, committedAt }) => ({
          ...{ slug, title: nameFrom(random, 60), published_at: publishedAt, retracted_at: null },
          ...{ created_at: committedAt, revised_at: committedAt },
        })),
      )
      .returning('id')
      .execute()
    const tools = await trx
      .insertInto('tool')
      .values([{ slug: 'left' }, { slug: 'right' }])
      .onConflict((oc) => oc.column('slug').doUpdateSet((eb) => ({ slug: eb.ref('excluded.slug') })))
      .returning('id')
      .execute()
    const sides = rows.flatMap(({ id }) => tools.map((tool, side) => ({ id, tool: tool.id, side: side + 1 })))
    await trx
      .insertInto('comparison_tool')
      .values(
        sides.map(({ id, tool, side }) => ({
          ...{ comparison_id: id, side: sideOf(side), tool_id: tool, name: nameFrom(random, 40) },
          ...{ category: 'Writing', tagline: 'One of two', description: 'It writes.' },
          entry_price: pick(random, ['free', 'freemium', 'trial', 'paid', 'unknown'] as const),
          ...{ price_note: null, url: null },
        })),
      )
      .execute()
    await trx
      .insertInto('review')
      .values(
        sides.flatMap(({ id, side }) =>
          ['builder', 'skeptic', 'futurist', 'founder'].map((reviewer, seat) => ({
            ...{ comparison_id: id, side: sideOf(side), position: seat + 1, reviewer, quote: 'It earns it.' },
            verdict: pick(random, ['ship', 'skip'] as const),
          })),
        ),
      )
      .execute()
  })
}

function sideOf(side: number): 1 | 2 {
  return side === 1 ? 1 : 2
}

/** A name of one to four invented words, of at most so many characters. */
function nameFrom(random: Random, most: number): string {
  const words = Array.from({ length: 1 + Math.floor(4 * random()) }, () =>
    pick(random, [
      'Ox',
      'Quill',
      'Lantern',
      'Weathervane',
      'Bellwetherlight',
      'Marrow',
      'Tin',
      'Harbourmaster',
    ]),
  )
  return words.join(' ').slice(0, most).trim()
}

async function issuesIn(db: Kysely<Database>) {
  return db
    .selectFrom('issue as i')
    .leftJoin('edition as e', 'e.hash', 'i.edition_hash')
    .select(['i.week', 'i.state', 'i.draft_at', 'i.due_at', 'i.planned_at', 'e.subject', 'e.preheader'])
    .select((eb) =>
      eb
        .selectFrom('issue_comparison as ic')
        .whereRef('ic.issue_id', '=', 'i.id')
        .where('ic.counts', '=', true)
        .select((count) => count.cast<number>(count.fn.countAll(), 'int4').as('size'))
        .$asScalar()
        .$notNull()
        .as('size'),
    )
    .orderBy('i.week')
    .execute()
}

/** What was printed: by week, and within an issue the older first. */
async function printsIn(db: Kysely<Database>) {
  return db
    .selectFrom('issue_comparison as ic')
    .innerJoin('issue as i', 'i.id', 'ic.issue_id')
    .innerJoin('comparison as c', 'c.id', 'ic.comparison_id')
    .where('ic.counts', '=', true)
    .select(['i.week', 'c.slug', 'c.published_at as publishedAt'])
    .orderBy('i.week')
    .orderBy('c.published_at')
    .execute()
}

function on(weekday: number, hour: number, minute: number) {
  return { weekday, hour, minute }
}

function namesOf(year: number, first: number, last: number): readonly string[] {
  return Array.from({ length: last - first + 1 }, (_, n) => `${year}-W${String(first + n).padStart(2, '0')}`)
}

function instantAt(day: Temporal.PlainDate, zone: string): Temporal.Instant {
  return day.toZonedDateTime({ timeZone: zone, plainTime: '12:00' }).toInstant()
}

function isBy(news: News | undefined, instant: Temporal.Instant): boolean {
  return news !== undefined && Temporal.Instant.compare(news.committedAt, instant) <= 0
}

/** `NaN` where there is no second instant. */
function hoursBetween(from: Temporal.Instant, to: Temporal.Instant | null): number {
  return to ? from.until(to).total('hours') : Number.NaN
}

function hasLength(least: number, most: number) {
  return (text: string | null) => text !== null && text.length >= least && text.length <= most
}

type Random = () => number

function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[Math.floor(random() * items.length)] as Item
}

/** Numbers from 0 up to 1 that are the same on every run: mulberry32. */
function randomFrom(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
