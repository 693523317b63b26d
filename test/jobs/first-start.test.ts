import { beforeEach, describe, expect, it } from 'vitest'
import { runDraft } from '../../jobs/draft-issue.ts'
import { type FirstStart, firstStart } from '../../jobs/first-start.ts'
import { runTimetable } from '../../jobs/work.ts'
import { readConfig } from '../../src/config.ts'
import { openForSending } from '../../src/delivery/send.ts'
import { decide } from '../../src/issue/decide.ts'
import { findIssue } from '../../src/issue/issue.ts'
import type { Newsletter } from '../../src/newsletter.ts'
import { clockAt, type MovableClock } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { isOnPostgres, useDatabase } from '../setup/database.ts'
import { newsletterWith } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { openPostOffice, type PostOffice } from '../setup/post-office.ts'

const seed = 'claude-4-sonnet-vs-smolvlm2'
const everyone = ['ada@example.test', 'grace@example.test', 'linus@example.test']

const database = useDatabase()
let clock: MovableClock
let outbox: PostOffice

beforeEach(() => {
  clock = clockAt('2026-11-22T17:00:00Z')
  outbox = openPostOffice({ name: 'outbox' })
})

/**
 * A fortnight over the turn of the year, with 2026-W53, at hours around the times of draft and issue: all of them on
 * PostgreSQL, and on the embedded database every fifth, which is each of the hours on three of the days.
 */
const fortnight = Array.from({ length: 14 }, (_, day) =>
  ['00:00', '09:00', '23:59'].map((time) =>
    Temporal.PlainDate.from('2026-12-28')
      .add({ days: day })
      .toZonedDateTime({
        ...{ timeZone: 'America/New_York', plainTime: time },
      }),
  ),
)
  .flat()
  .filter((_, n) => isOnPostgres || n % 5 === 0)

describe('the first start', () => {
  it.each(fortnight.map((start) => [nameOf(start), start.toInstant()] as const))(
    'on %s shows this week’s issue with the seed in it, once to each reader',
    async (_, instant) => {
      clock.moveTo(instant)

      const first = await firstStart(trial())

      expect(outbox.sentTo()).toEqual(everyone)
      await expectTheSeedAndAtMost(10, first)
    },
  )

  it('names the week, and counts comparisons and readers', async () => {
    expect(await firstStart(trial())).toEqual({ comparisons: 16, readers: 3, week: '2026-W47' })

    expect(await findIssue(database.db, '2026-W47')).toMatchObject({ state: 'sent', planned: 3 })
  })

  it.each<[string, Readonly<Record<string, string>>, string]>([
    [
      'with a draft on Monday and a start on Sunday night',
      { DRAFT_AT: 'mon 00:00', SEND_AT: 'mon 00:00' },
      '2026-11-23T04:59:00Z',
    ],
    [
      'with almost two weeks since the last draft',
      { DRAFT_AT: 'mon 00:01', SEND_AT: 'mon 00:00' },
      '2026-11-23T04:59:00Z',
    ],
    ['on the far side of the date line', { TIMEZONE: 'Pacific/Kiritimati' }, '2026-11-22T10:00:00Z'],
    ['with room for three', { MAX_COMPARISONS: '3' }, '2026-11-22T17:00:00Z'],
    ['with room for one', { MAX_COMPARISONS: '1' }, '2026-11-22T17:00:00Z'],
  ])('%s has the seed in its issue, and no more than there is room for', async (_, settings, instant) => {
    clock.moveTo(instant)

    const first = await firstStart(trial(settings))

    expect(outbox.sentTo()).toEqual(everyone)
    await expectTheSeedAndAtMost(Number(settings.MAX_COMPARISONS ?? 10), first)
  })

  it('waits for the editor under the policy approve', async () => {
    await firstStart(trial({ SEND_POLICY: 'approve' }))
    expect(outbox.accepted).toEqual([])

    await decide(trial(), '2026-W47', 'approve', 'eve@example.test')
    await firstStart(trial({ SEND_POLICY: 'approve' }))

    expect(outbox.sentTo()).toEqual(everyone)
  })

  it('leaves the next issue to the timetable: what is new by then, and only that', async () => {
    await firstStart(trial())
    await publish(database.db, documentFor('quillmark', { publishedAt: '2026-11-25T10:00:00Z' }))

    for (const instant of ['2026-11-26T14:00:00Z', '2026-11-27T14:00:00Z']) {
      clock.moveTo(instant)
      await runTimetable(trial())
    }

    expect(outbox.accepted).toHaveLength(6)
    expect(await slugsIn('2026-W48')).toEqual(['quillmark'])
  })
})

describe('a later start', () => {
  it.each(['PT0S', 'PT1M', 'PT36H', 'PT400H'])('after %s does nothing', async (time) => {
    await firstStart(trial())
    const before = await rows()
    clock.pass(time)

    expect(await firstStart(trial())).toBeUndefined()

    expect(outbox.accepted).toHaveLength(3)
    expect(await rows()).toEqual(before)
  })
})

describe('a first start that was cut short', () => {
  it('before its draft finishes at the next start', async () => {
    const dying = { ...trial(), templates: { html: dies, text: dies, prepare: () => {} } }
    await expect(firstStart(dying)).rejects.toThrow('cut short')
    expect(outbox.accepted).toEqual([])

    await finishes('2026-W47')
  })

  it('after its draft finishes at the next start', async () => {
    await expect(firstStart({ ...trial(), rules: diesWhenRead() })).rejects.toThrow('cut short')
    expect(await findIssue(database.db, '2026-W47')).toMatchObject({ state: 'draft', planned_at: null })

    await finishes('2026-W47')
  })

  it('after its readers were frozen is finished by the timetable, and nobody gets it twice', async () => {
    await expect(firstStart({ ...trial(), rules: diesWhenRead() })).rejects.toThrow('cut short')
    await openForSending(trial(), '2026-W47', { early: true })

    expect(await firstStart(trial())).toBeUndefined()
    await runTimetable(trial())

    expect(outbox.sentTo()).toEqual(everyone)
  })
})

describe('nothing is shown', () => {
  it('in production', async () => {
    const production = { ...trial(), config: { ...trial().config, production: true } }

    expect(await firstStart(production)).toBeUndefined()
    expect(await rows()).toEqual([0, 0, 0])
  })

  it('where mail leaves this machine', async () => {
    expect(await firstStart({ ...trial(), transport: openPostOffice() })).toBeUndefined()
    expect(await rows()).toEqual([0, 0, 0])
  })

  it('when there is a reader already', async () => {
    await people.ann(database.db)

    expect(await firstStart(trial())).toBeUndefined()
    expect(outbox.accepted).toEqual([])
  })

  it('when there is a comparison already', async () => {
    await publish(database.db, documentFor('quillmark'))

    expect(await firstStart(trial())).toBeUndefined()
    expect(outbox.accepted).toEqual([])
  })

  it('of a quiet week that a timetable found before', async () => {
    await runDraft(trial(), '2026-W47')

    expect(await firstStart(trial())).toMatchObject({ week: '2026-W47' })
    expect(outbox.sentTo()).toEqual(everyone)
  })
})

/** A trial installation with an outbox in memory. */
function trial(settings: Readonly<Record<string, string>> = {}): Newsletter {
  const config = readConfig(settings)
  const { calendar, comparisons, sendPolicy: policy, sendGrace: grace } = config
  const parts = { clock, transport: outbox, calendar, comparisons, rules: { policy, grace } }
  return {
    ...newsletterWith(database, parts),
    ...{ config, connection: database.connection, outboxFolder: 'nowhere', close: async () => {} },
  }
}

async function finishes(week: string): Promise<void> {
  expect(await firstStart(trial())).toMatchObject({ week })
  expect(outbox.sentTo()).toEqual(everyone)
  expect(await findIssue(database.db, week)).toMatchObject({ state: 'sent' })
}

async function expectTheSeedAndAtMost(most: number, first: FirstStart | undefined): Promise<void> {
  const slugs = await slugsIn(first?.week ?? 'none')
  expect(slugs).toContain(seed)
  expect(slugs.length).toBeLessThanOrEqual(most)
  for (const { html, text } of outbox.accepted) {
    expect(html).toContain('Claude 4 Sonnet')
    expect(text).toContain('Panel ships both; SmolVLM2 is free to start.')
  }
}

async function slugsIn(week: string): Promise<readonly string[]> {
  const found = await database.db
    .selectFrom('issue_comparison as ic')
    .innerJoin('issue as i', 'i.id', 'ic.issue_id')
    .innerJoin('comparison as c', 'c.id', 'ic.comparison_id')
    .select('c.slug')
    .where('i.week', '=', week)
    .execute()
  return found.map(({ slug }) => slug)
}

/** How many comparison revisions, readers and issues there are. */
async function rows(): Promise<readonly number[]> {
  const { db } = database
  const revisions = await db.selectFrom('comparison_revision').select('revision').execute()
  const readers = await db.selectFrom('subscriber').select('id').execute()
  const issues = await db.selectFrom('issue').select('id').execute()
  return [revisions.length, readers.length, issues.length]
}

function dies(): string {
  throw new Error('cut short')
}

/** Rules that are read when sending begins: there the process ends. */
function diesWhenRead(): Newsletter['rules'] {
  const { grace } = trial().rules
  return {
    grace,
    get policy(): 'auto' {
      throw new Error('cut short')
    },
  }
}

function nameOf(start: Temporal.ZonedDateTime): string {
  const day = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'][
    start.dayOfWeek - 1
  ]
  return `${day} ${start.toPlainDateTime()}`
}
