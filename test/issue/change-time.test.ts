import { beforeEach, describe, expect, it } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { lookAtTimetable } from '../../jobs/tick.ts'
import { runTimetable } from '../../jobs/work.ts'
import { openForSending } from '../../src/delivery/send.ts'
import { changeTime, type NewTime, type Retimed } from '../../src/issue/change-time.ts'
import { decide } from '../../src/issue/decide.ts'
import { draftIssue } from '../../src/issue/draft.ts'
import { comingIssue } from '../../src/issue/in-focus.ts'
import { findIssue, type Issue } from '../../src/issue/issue.ts'
import { weekNamed } from '../../src/issue/week.ts'
import { clockAt, type MovableClock } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { friday, thursday } from '../setup/delivery.ts'
import { newsletterWith, newYork } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { openPostOffice, type PostOffice } from '../setup/post-office.ts'

const database = useDatabase()
const week = '2026-W47'
const saturday = '2026-11-21T15:00:00Z'
let clock: MovableClock
let mail: PostOffice

beforeEach(async () => {
  clock = clockAt(thursday)
  mail = openPostOffice()
  await people.ann(database.db)
  await publish(database.db, documentFor('glyphmoor-vs-kernwick'))
})

function desk(policy: 'auto' | 'approve' = 'auto') {
  const rules = { policy, grace: Temporal.Duration.from('PT36H') }
  return newsletterWith(database, { clock, transport: mail, rules })
}

function change(
  wish: { due?: string; draft?: string },
  how: { yes?: boolean; seen?: string } = {},
): Promise<Retimed> {
  const instants: NewTime = {
    ...(wish.due && { due: Temporal.Instant.from(wish.due) }),
    ...(wish.draft && { draft: Temporal.Instant.from(wish.draft) }),
  }
  const seen = how.seen === undefined ? undefined : Temporal.Instant.from(how.seen)
  return changeTime(desk(), week, instants, { by: 'eve@example.test', yes: how.yes ?? false, seen })
}

async function drafted(): Promise<Issue> {
  const named = weekNamed(week, newYork)
  if (!named) throw new Error('no week')
  await draftIssue(desk(), named)
  return issue()
}

async function approved(): Promise<Issue> {
  await drafted()
  await decide(desk(), week, 'approve', 'eve@example.test')
  return issue()
}

async function issue(): Promise<Issue> {
  const found = await findIssue(database.db, week)
  if (!found) throw new Error('There is no 2026-W47')
  return found
}

async function textOf({ edition_hash }: Issue): Promise<string> {
  const row = await database.db
    .selectFrom('edition')
    .select('text')
    .where('hash', '=', edition_hash ?? '')
    .executeTakeFirstOrThrow()
  return row.text
}

describe('another time on the same day', () => {
  it('keeps the edition and the approval, and the issue goes out then and not before', async () => {
    const before = await approved()

    const retimed = await change({ due: '2026-11-20T20:30:00Z' })

    expect(retimed).toMatchObject({ ok: true, approval: 'stands', already: false })
    expect(await issue()).toMatchObject({ state: 'approved', edition_hash: before.edition_hash })
    clock.moveTo('2026-11-20T20:29:00Z')
    await runTimetable(desk())
    expect(mail.accepted).toEqual([])
    clock.moveTo('2026-11-20T20:30:00Z')
    await runTimetable(desk())
    expect(mail.sentTo()).toEqual(['ann@example.test'])
  })

  it('is in the log with what it was and what it is', async () => {
    await drafted()

    await change({ due: '2026-11-20T20:30:00Z' })

    const log = await database.db.selectFrom('decision').select(['by', 'what', 'evidence']).execute()
    expect(log.at(-1)).toEqual({
      ...{ by: 'eve@example.test', what: 'change time' },
      evidence: { 'due from': friday, 'due to': '2026-11-20T20:30:00Z', yes: false },
    })
  })
})

describe('another day', () => {
  it('sets the edition anew with its date, and what was approved is approved no more', async () => {
    const before = await approved()

    const retimed = await change({ due: saturday })

    const now = await issue()
    expect(retimed).toMatchObject({ ok: true, approval: 'gone' })
    expect(now.state).toBe('draft')
    expect(now.edition_hash).not.toBe(before.edition_hash)
    expect([await textOf(before), await textOf(now)]).toEqual([
      expect.stringContaining('Friday 20 November 2026'),
      expect.stringContaining('Saturday 21 November 2026'),
    ])
    expect(await openForSending(desk('approve'), week, { early: true })).toMatchObject({ kind: 'refused' })
  })

  it('changed back brings the approved bytes back, and the approval with them', async () => {
    const before = await approved()
    await change({ due: saturday })

    const retimed = await change({ due: friday })

    expect(retimed).toMatchObject({ ok: true, approval: 'is back' })
    expect(await issue()).toEqual(before)
  })

  it('leaves a held issue held', async () => {
    await drafted()
    await decide(desk(), week, 'hold', 'sam@example.test')

    await change({ due: saturday })

    expect(await issue()).toMatchObject({ state: 'held', reason: 'held by sam@example.test' })
  })

  it('makes it a quiet week when all of it has been retracted since', async () => {
    await approved()
    await database.db.updateTable('comparison').set({ retracted_at: clock() }).execute()

    const retimed = await change({ due: saturday })

    expect(retimed).toMatchObject({ ok: true, approval: 'gone', issue: { state: 'quiet' } })
  })

  it('is what the desk calls the coming issue, also when its week is over by then', async () => {
    await approved()
    await change({ due: '2026-11-23T15:00:00Z' })
    clock.moveTo('2026-11-22T15:00:00Z')

    const coming = await comingIssue(database.db, clock(), newYork)

    expect(coming.issue?.week).toBe(week)
    expect(String(coming.week.dueAt)).toBe('2026-11-23T15:00:00Z')
  })
})

describe('an issue that was missed', () => {
  it('goes out by itself again with a time to come, approved as it was', async () => {
    await approved()
    clock.moveTo('2026-11-22T15:00:00Z')
    await lookAtTimetable(desk())
    expect((await issue()).state).toBe('missed')

    const retimed = await change({ due: '2026-11-23T14:00:00Z' })
    const state = (await issue()).state
    await decide(desk(), week, 'approve', 'eve@example.test')
    clock.moveTo('2026-11-23T14:00:00Z')
    await runTimetable(desk('approve'))

    expect(retimed).toMatchObject({ ok: true, approval: 'gone' })
    expect(state).toBe('draft')
    expect(mail.sentTo()).toEqual(['ann@example.test'])
  })

  it('and never drafted is drafted then', async () => {
    clock.moveTo('2026-11-17T14:00:00Z')
    await lookAtTimetable(desk())
    clock.moveTo('2026-11-22T15:00:00Z')
    await lookAtTimetable(desk())
    expect(await issue()).toMatchObject({ state: 'missed', edition_hash: null })

    await change({ due: '2026-11-23T14:00:00Z' })

    expect((await issue()).state).toBe('scheduled')
    await runTimetable(desk())
    expect((await issue()).state).toBe('draft')
  })
})

describe('an issue that is still to be drafted', () => {
  beforeEach(async () => {
    clock.moveTo('2026-11-17T14:00:00Z')
    await lookAtTimetable(desk())
  })

  it('is drafted at the time that it was given', async () => {
    await change({ draft: '2026-11-18T18:00:00Z' })

    clock.moveTo('2026-11-18T17:59:00Z')
    await runTimetable(desk())
    expect((await issue()).state).toBe('scheduled')
    clock.moveTo('2026-11-18T18:00:00Z')
    await runTimetable(desk())
    expect((await issue()).state).toBe('draft')
  })

  it('takes the time of drafting along when it goes out before that', async () => {
    await change({ due: '2026-11-18T12:00:00Z' })

    expect(String((await issue()).draft_at)).toBe('2026-11-18T12:00:00Z')
  })

  it('is refused a time of drafting after it goes out, and one that is past', async () => {
    const late = await change({ draft: '2026-11-20T14:01:00Z' })
    const past = await change({ draft: '2026-11-17T13:00:00Z' })

    expect(late).toMatchObject({ ok: false, problem: expect.stringContaining('only after it goes out') })
    expect(past).toMatchObject({ ok: false, problem: expect.stringContaining('is past') })
  })
})

describe('a time that is refused, and nothing is changed', () => {
  it.each([
    ['in the past', { due: '2026-11-19T13:59:00Z' }, 'that time is past'],
    ['of this very instant', { due: thursday }, 'that time is past'],
    ['five weeks ahead', { due: '2026-12-24T14:00:00Z' }, 'more than four weeks ahead'],
    ['of drafting, once it is drafted', { draft: '2026-11-19T18:00:00Z' }, 'has been drafted already'],
  ])('%s', async (_, wish, why) => {
    const before = await drafted()

    const retimed = await change(wish, { yes: true })

    expect(retimed).toMatchObject({ ok: false, warned: false, problem: expect.stringContaining(why) })
    expect(await issue()).toEqual(before)
  })

  it('that somebody else has changed since it was seen', async () => {
    await drafted()
    await change({ due: '2026-11-20T18:00:00Z' })

    const retimed = await change({ due: '2026-11-20T16:00:00Z' }, { seen: friday })

    expect(retimed).toMatchObject({ ok: false, problem: expect.stringContaining('since you saw it') })
    expect(String((await issue()).due_at)).toBe('2026-11-20T18:00:00Z')
  })

  it('of an issue that is being sent, was sent or was cancelled', async () => {
    await approved()
    clock.moveTo(friday)
    await openForSending(desk(), week, { early: false })
    const sending = await change({ due: saturday })
    await sendIssue(desk(), week)
    const sent = await change({ due: saturday })

    expect([sending, sent]).toEqual([
      expect.objectContaining({ ok: false, problem: expect.stringContaining('is sending') }),
      expect.objectContaining({ ok: false, problem: expect.stringContaining('is sent') }),
    ])
  })

  it('and no decision is recorded when it is the time that it has', async () => {
    await drafted()

    expect(await change({ due: friday })).toMatchObject({ ok: true, already: true })

    expect(await database.db.selectFrom('decision').select('what').execute()).toEqual([])
  })
})

describe('a time that another issue is near', () => {
  it('is told of before it is taken, whether that one has its row or not', async () => {
    await drafted()
    const near = '2026-11-27T04:00:00Z'

    const warned = await change({ due: near })
    const before = String((await issue()).due_at)
    const agreed = await change({ due: near }, { yes: true })

    expect(warned).toMatchObject({
      ...{ ok: false, warned: true },
      problem: expect.stringMatching(
        /^2026-W48 is due Friday 27 November, 09:00, less than a day from that\..*2026-W48 would wait until a day after 2026-W47/,
      ),
    })
    expect([before, agreed.ok]).toEqual([friday, true])
  })

  it('is told of when one has just gone out', async () => {
    await approved()
    clock.moveTo(friday)
    await sendIssue(desk(), week)
    clock.moveTo('2026-11-20T20:00:00Z')
    await lookAtTimetable(desk())

    const retimed = await changeTime(
      desk(),
      '2026-W48',
      { due: Temporal.Instant.from('2026-11-21T10:00:00Z') },
      { by: 'eve@example.test', yes: false },
    )

    expect(retimed).toMatchObject({ warned: true, problem: expect.stringContaining('2026-W47 went out') })
  })

  it('is told of when they would go out in another order', async () => {
    await drafted()

    expect(await change({ due: '2026-11-30T14:00:00Z' })).toMatchObject({
      ...{ ok: false, warned: true },
      problem: '2026-W48 goes out first: 2026-W48 is due Friday 27 November, 09:00',
    })
  })
})

describe('two at once', () => {
  it('who change it to different times: one wins, and the other is told', async () => {
    await drafted()

    const both = await Promise.all([
      change({ due: '2026-11-20T18:00:00Z' }, { seen: friday }),
      change({ due: '2026-11-20T19:00:00Z' }, { seen: friday }),
    ])

    expect(both.map(({ ok }) => ok).toSorted()).toEqual([false, true])
  })

  it('the timetable and an editor: it is either sent, or has another time, and is not sent before that', async () => {
    await approved()
    clock.moveTo(friday)

    const [, retimed] = await Promise.all([sendIssue(desk(), week), change({ due: '2026-11-20T20:00:00Z' })])

    const { state } = await issue()
    expect([
      { ok: true, state: 'approved', mails: 0 },
      { ok: false, state: 'sent', mails: 1 },
    ]).toContainEqual({ ok: retimed.ok, state, mails: mail.accepted.length })
  })
})
