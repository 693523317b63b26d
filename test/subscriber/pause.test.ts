import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { resumeReaders } from '../../jobs/resume-readers.ts'
import { runTimetable } from '../../jobs/work.ts'
import { deliverIssue } from '../../src/delivery/deliver.ts'
import {
  type PauseLength,
  pauseEnd,
  pauseLengths,
  pauseReader,
  resumeReader,
} from '../../src/subscriber/pause.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { clockAt } from '../setup/clock.ts'
import { useDatabase } from '../setup/database.ts'
import { dueIssue, plannedIssue, standing } from '../setup/delivery.ts'
import { testKeys } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'

const database = useDatabase()
const zone = 'America/New_York'
const now = Temporal.Instant.from('2026-11-18T14:00:00Z')

describe('the end of a pause', () => {
  it('is the beginning of that day in the newsletter’s zone', () => {
    const ends = pauseLengths.map((length) => pauseEnd(length, now, zone)?.at.toString())

    expect(ends).toEqual([
      '2026-12-02T05:00:00Z',
      '2026-12-18T05:00:00Z',
      '2027-02-18T05:00:00Z',
      '2027-05-18T04:00:00Z',
      '2027-11-18T05:00:00Z',
    ])
  })

  it('is counted from the day it is there, which may be tomorrow here', () => {
    const evening = Temporal.Instant.from('2026-11-19T02:00:00Z')

    expect(pauseEnd('P2W', evening, zone)?.day.toString()).toBe('2026-12-02')
    expect(pauseEnd('P2W', evening, 'Asia/Tokyo')?.day.toString()).toBe('2026-12-03')
  })

  it.each([
    ['2024-02-29T12:00:00Z', 'P12M', '2025-02-28'],
    ['2026-08-31T12:00:00Z', 'P6M', '2027-02-28'],
    ['2027-03-28T12:00:00Z', 'P12M', '2028-03-28'],
  ] as const)('from %s after %s is %s', (from, length, day) => {
    expect(pauseEnd(length, Temporal.Instant.from(from), zone)?.day.toString()).toBe(day)
  })
})

describe('a paused reader', () => {
  it('is in the record with the day, once however often it is pressed, and again for another day', async () => {
    const ann = await people.ann(database.db)

    await Promise.all(Array.from({ length: 10 }, () => pause(ann, 'P2W')))
    await pause(ann, 'P1M')
    await resumeReader(deps(), ann.publicId)
    await resumeReader(deps(), ann.publicId)

    expect(await record()).toEqual([
      'paused: page, until 2026-12-02',
      'paused: page, until 2026-12-18',
      'resumed: page',
    ])
  })

  it('gets nothing, even of an issue whose audience was frozen before', async () => {
    const ann = await people.ann(database.db)
    await people.bob(database.db)
    const due = await plannedIssue(database)

    await pause(ann, 'P2W')
    await deliverIssue(due.deps, due.issue.id)

    expect(due.mail.sentTo()).toEqual(['bob@example.test'])
    expect(await standing(database.db)).toEqual({ ann: 'excluded: paused', bob: 'accepted' })
  })

  it('cannot be made of somebody who left', async () => {
    const ann = await people.ann(database.db)
    await unsubscribe(deps(), ann.publicId, 'page')

    expect(await pause(ann, 'P2W')).toBe(false)
    expect(await resumeReader(deps(), ann.publicId)).toBe(false)
  })
})

describe('the day on which a pause ends', () => {
  it('brings the reader back, with a letter, and not a minute before', async () => {
    const ann = await people.ann(database.db)
    const end = await pauseFor(ann, 'P2W')

    const early = await resumeReaders(deps(end.subtract({ minutes: 1 })))
    const [first, second] = await Promise.all([resumeReaders(deps(end)), resumeReaders(deps(end))])

    expect([early, first + second]).toEqual([0, 1])
    expect(await statuses()).toEqual(['confirmed'])
    expect((await record()).at(-1)).toBe('resumed: schedule')
    expect(await letters()).toEqual([{ subscriber_id: ann.id, kind: 'resumed', to_address: null }])
  })

  it('brings everybody back, hundreds at a time', async () => {
    await people.crowd(database.db, 250)
    await database.db.updateTable('subscriber').set({ status: 'paused', paused_until: now }).execute()

    expect(await resumeReaders(deps(now))).toBe(250)
    expect(new Set(await statuses())).toEqual(new Set(['confirmed']))
    expect(await letters()).toHaveLength(250)
  })

  it('does not bring back who left meanwhile', async () => {
    const ann = await people.ann(database.db)
    const end = await pauseFor(ann, 'P2W')
    await unsubscribe(deps(), ann.publicId, 'page')

    expect(await resumeReaders(deps(end))).toBe(0)
    expect(await statuses()).toEqual(['unsubscribed'])
  })

  it('comes before the issue of that minute, so that it has them', async () => {
    await people.ann(database.db)
    const { deps: all, mail, clock } = await dueIssue(database)
    await database.db.updateTable('subscriber').set({ status: 'paused', paused_until: clock() }).execute()

    await runTimetable(all)

    expect(mail.sentTo()).toContain('ann@example.test')
  })
})

function deps(at: Temporal.Instant = now) {
  return { db: database.db, clock: clockAt(at.toString()), keys: testKeys, log: pino({ level: 'silent' }) }
}

async function pause({ publicId }: { publicId: string }, length: PauseLength): Promise<boolean> {
  const end = pauseEnd(length, now, zone)
  if (!end) throw new Error('out of range')
  return pauseReader(deps(), publicId, end)
}

async function pauseFor(reader: { publicId: string }, length: PauseLength): Promise<Temporal.Instant> {
  await pause(reader, length)
  const { paused_until } = await database.db
    .selectFrom('subscriber')
    .select('paused_until')
    .where('public_id', '=', reader.publicId)
    .executeTakeFirstOrThrow()
  if (!paused_until) throw new Error('not paused')
  return paused_until
}

async function statuses(): Promise<readonly string[]> {
  const rows = await database.db.selectFrom('subscriber').select('status').execute()
  return rows.map(({ status }) => status)
}

function letters() {
  return database.db.selectFrom('letter').select(['subscriber_id', 'kind', 'to_address']).execute()
}

async function record(): Promise<readonly string[]> {
  const rows = await database.db
    .selectFrom('consent_event')
    .select(['kind', 'method', 'detail'])
    .where('kind', '<>', 'imported')
    .orderBy('id')
    .execute()
  return rows.map(({ kind, method, detail }) =>
    detail ? `${kind}: ${method}, ${detail}` : `${kind}: ${method}`,
  )
}
