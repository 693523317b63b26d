import { beforeEach, describe, expect, it } from 'vitest'
import { runDraft } from '../../jobs/draft-issue.ts'
import { sendIssue } from '../../jobs/send-issue.ts'
import { lookAtTimetable } from '../../jobs/tick.ts'
import { runTimetable, type WorkDeps } from '../../jobs/work.ts'
import { type Decision, decide } from '../../src/issue/decide.ts'
import { findIssue } from '../../src/issue/issue.ts'
import { clockAt, type MovableClock } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { newsletterWith } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { openPostOffice, type PostOffice } from '../setup/post-office.ts'

/** In New York: drafted Thursday 19 November 2026 at 09:00, due on Friday at 09:00; both at −05. */
const draft47 = '2026-11-19T14:00:00Z'
const due47 = '2026-11-20T14:00:00Z'
const draft48 = '2026-11-26T14:00:00Z'
const due48 = '2026-11-27T14:00:00Z'

const database = useDatabase()
let clock: MovableClock
let mail: PostOffice

beforeEach(async () => {
  clock = clockAt('2026-11-18T12:00:00Z')
  mail = openPostOffice()
  await people.ann(database.db)
  await people.bob(database.db)
})

describe('the timetable', () => {
  it('gives the next issue its row, with the instants at which it is drafted and due', async () => {
    const due = await lookAtTimetable(desk())

    expect(due).toEqual([])
    expect(await allWeeks()).toEqual(['2026-W47'])
    const { state, timezone, draft_at, due_at } = await issue('2026-W47')
    expect({ state, timezone, draft_at: String(draft_at), due_at: String(due_at) }).toEqual({
      ...{ state: 'scheduled', timezone: 'America/New_York' },
      ...{ draft_at: draft47, due_at: due47 },
    })
  })

  it('keeps the instants of a row when SEND_AT changes afterwards', async () => {
    await lookAtTimetable(desk())

    const sendAt = { weekday: 7, hour: 18, minute: 0 }
    await lookAtTimetable(desk({ calendar: { ...desk().calendar, sendAt } }))

    expect(String((await issue('2026-W47')).due_at)).toBe(due47)
  })

  it('drafts at draft time and not a second earlier, and sends nothing yet', async () => {
    await published('quillmark', '2026-11-18T10:00:00Z')
    await runAt('2026-11-19T13:59:59Z')
    expect((await issue('2026-W47')).state).toBe('scheduled')

    const ran = await runAt(draft47)

    expect(ran).toEqual([{ job: 'draft-issue', week: '2026-W47' }])
    expect(await issue('2026-W47')).toMatchObject({ state: 'draft', planned_at: null })
    expect(mail.sentTo()).toEqual([])
  })

  it('sends at its time and not a second earlier, once to each reader', async () => {
    await drafted()
    expect(await runAt('2026-11-20T13:59:59Z')).toEqual([])

    const ran = await runAt(due47)

    expect(ran).toEqual([{ job: 'send-issue', week: '2026-W47' }])
    expect(mail.sentTo()).toEqual(['ann@example.test', 'bob@example.test'])
    expect((await issue('2026-W47')).state).toBe('sent')
    expect(await allWeeks()).toEqual(['2026-W47', '2026-W48'])
  })

  it('has nothing more to do when it is looked at twice', async () => {
    await drafted()
    await runAt(due47)
    const before = await everything()

    expect(await runAt(due47)).toEqual([])
    clock.pass('PT1M')
    expect(await runTimetable(desk())).toEqual([])

    expect(mail.accepted).toHaveLength(2)
    expect(await everything()).toEqual(before)
  })
})

describe('a quiet week', () => {
  it('is kept with its reason, and nothing is sent', async () => {
    await runAt(draft47)
    const ran = await runAt(due47)

    expect(ran).toEqual([])
    expect(await issue('2026-W47')).toMatchObject({ state: 'quiet', reason: 'no new comparisons' })
    expect(mail.calls).toEqual([])
  })

  it('leaves its few comparisons to the next issue', async () => {
    const least3 = { comparisons: { least: 3, most: 10 } }
    await published('quillmark', '2026-11-17T10:00:00Z')
    await published('inkwell', '2026-11-18T10:00:00Z')
    await runAt(draft47, least3)
    await runAt(due47, least3)
    expect(await issue('2026-W47')).toMatchObject({
      ...{ state: 'quiet', reason: '2 new comparisons, fewer than the 3 that make an issue' },
    })

    await published('sandglass', '2026-11-24T10:00:00Z')
    await runAt(draft48, least3)
    await runAt(due48, least3)

    expect(await slugsIn('2026-W48')).toEqual(['inkwell', 'quillmark', 'sandglass'])
    expect(mail.sentTo()).toEqual(['ann@example.test', 'bob@example.test'])
  })
})

describe('after an hour in which nothing was running', () => {
  it('a draft goes out once at the start, when that is within SEND_GRACE', async () => {
    await drafted()

    const ran = await runAt('2026-11-22T02:00:00Z')

    expect(ran).toEqual([{ job: 'send-issue', week: '2026-W47' }])
    expect(mail.sentTo()).toEqual(['ann@example.test', 'bob@example.test'])
    expect(await runAt('2026-11-22T02:01:00Z')).toEqual([])
    expect(mail.accepted).toHaveLength(2)
  })

  it('an issue is drafted and sent in one go, when draft time and due time have both passed', async () => {
    await published('quillmark', '2026-11-18T10:00:00Z')
    await lookAtTimetable(desk())

    const ran = await runAt('2026-11-20T20:00:00Z')

    expect(ran).toEqual([
      { job: 'draft-issue', week: '2026-W47' },
      { job: 'send-issue', week: '2026-W47' },
    ])
    expect(mail.sentTo()).toEqual(['ann@example.test', 'bob@example.test'])
  })

  it.each(['auto', 'approve'] as const)(
    'a draft that is later than SEND_GRACE is parked under the policy %s',
    async (policy) => {
      await drafted()

      const ran = await runAt('2026-11-22T02:00:01Z', rules(policy))

      expect(ran).toEqual([])
      expect(await issue('2026-W47')).toMatchObject({
        ...{ state: 'missed', reason: 'it was not sent within SEND_GRACE of its time' },
      })
      expect(mail.calls).toEqual([])
    },
  )

  it('an approved issue that is later than SEND_GRACE is parked too, and can still be sent by hand', async () => {
    await drafted()
    await say('approve')
    await runAt('2026-11-23T12:00:00Z')
    expect((await issue('2026-W47')).state).toBe('missed')

    await sendIssue(desk(), '2026-W47', { early: true })

    expect(mail.sentTo()).toEqual(['ann@example.test', 'bob@example.test'])
  })

  it('a week that nobody drafted is parked, and its comparisons are in the next issue', async () => {
    await published('older', '2026-11-11T10:00:00Z')
    await runAt('2026-11-12T14:00:00Z')
    await published('quillmark', '2026-11-18T10:00:00Z')
    await published('between', '2026-11-19T20:00:00Z')

    await runAt('2026-11-24T12:00:00Z')

    expect(await issue('2026-W47')).toMatchObject({
      ...{ state: 'missed', reason: 'nothing was running when it was to be drafted and sent' },
    })
    await runAt(draft48)
    expect(await slugsIn('2026-W48')).toEqual(['between', 'quillmark'])
  })

  it('the very first week may be the one that nobody drafted: nothing of it is lost', async () => {
    await lookAtTimetable(desk())
    await published('quillmark', '2026-11-18T13:00:00Z')

    await runAt('2026-11-24T12:00:00Z')
    await runAt(draft48)

    expect((await issue('2026-W47')).state).toBe('missed')
    expect(await slugsIn('2026-W48')).toEqual(['quillmark'])
  })

  it('every week that passed meanwhile has its row, over the turn of the year', async () => {
    await lookAtTimetable(desk())

    clock.moveTo('2027-01-13T12:00:00Z')
    await runTimetable(desk())

    expect(await states()).toEqual({
      ...{ '2026-W47': 'missed', '2026-W48': 'missed', '2026-W49': 'missed', '2026-W50': 'missed' },
      ...{ '2026-W51': 'missed', '2026-W52': 'missed', '2026-W53': 'missed', '2027-W01': 'missed' },
      '2027-W02': 'scheduled',
    })
  })

  it('every week that passed meanwhile has its row, also when a far week was rehearsed', async () => {
    await lookAtTimetable(desk())
    await runDraft(desk(), '2027-W20')

    clock.moveTo('2026-12-09T12:00:00Z')
    await runTimetable(desk())

    expect(await allWeeks()).toEqual(['2026-W47', '2026-W48', '2026-W49', '2026-W50', '2027-W20'])
  })
})

describe('what editors decided', () => {
  it('keeps a held issue back at its time', async () => {
    await drafted()
    await say('hold')

    expect(await runAt(due47)).toEqual([])

    expect(mail.calls).toEqual([])
    expect((await issue('2026-W47')).state).toBe('held')
  })

  it('keeps a held issue for its editor, however late it gets', async () => {
    await drafted()
    await say('hold')

    await runAt('2026-11-25T12:00:00Z')

    expect((await issue('2026-W47')).state).toBe('held')
  })

  it('sends a held issue that was released in time', async () => {
    await drafted()
    await say('hold')
    await runAt(due47)

    await say('release')
    await runAt('2026-11-20T15:00:00Z')

    expect(mail.sentTo()).toEqual(['ann@example.test', 'bob@example.test'])
  })

  it('never sends a cancelled issue, and drafts no other for its week', async () => {
    await drafted()
    await say('cancel')

    expect(await runAt(due47)).toEqual([])

    expect(mail.calls).toEqual([])
    expect((await issue('2026-W47')).state).toBe('cancelled')
  })

  it('is waited for under the policy approve: a draft does not go out', async () => {
    await drafted()

    expect(await runAt(due47, rules('approve'))).toEqual([])

    expect(mail.calls).toEqual([])
    expect((await issue('2026-W47')).state).toBe('draft')
  })

  it('lets the issue go under the policy approve, also when it comes after due time', async () => {
    await drafted()
    await runAt(due47, rules('approve'))

    await say('approve')
    const ran = await runAt('2026-11-20T18:00:00Z', rules('approve'))

    expect(ran).toEqual([{ job: 'send-issue', week: '2026-W47' }])
    expect(mail.sentTo()).toEqual(['ann@example.test', 'bob@example.test'])
  })
})

describe('two issues', () => {
  it('are a day apart when an editor sent the earlier one late', async () => {
    await drafted()
    await say('hold')
    await published('inkwell', '2026-11-24T10:00:00Z')
    await runAt(draft48)
    clock.moveTo('2026-11-27T13:00:00Z')
    await say('release')
    await sendIssue(desk(), '2026-W47', { early: true })
    expect(mail.accepted).toHaveLength(2)

    expect(await runAt(due48)).toEqual([])
    expect(await runAt('2026-11-28T12:59:59Z')).toEqual([])
    const ran = await runAt('2026-11-28T13:00:00Z')

    expect(ran).toEqual([{ job: 'send-issue', week: '2026-W48' }])
    expect(mail.accepted).toHaveLength(4)
  })

  it('that are due together are not named together: the older goes first, the other a day later', async () => {
    const patient = { rules: { policy: 'auto' as const, grace: Temporal.Duration.from('PT400H') } }
    await drafted()
    clock.moveTo(draft48)
    await published('inkwell', '2026-11-24T10:00:00Z')
    await runDraft(desk(), '2026-W48')
    clock.moveTo(due48)

    expect(await lookAtTimetable(desk(patient))).toEqual([{ job: 'send-issue', week: '2026-W47' }])
    await runTimetable(desk(patient))
    expect(await states()).toMatchObject({ '2026-W47': 'sent', '2026-W48': 'draft' })
    clock.pass('PT24H')
    await runTimetable(desk(patient))

    expect(await states()).toMatchObject({ '2026-W47': 'sent', '2026-W48': 'sent' })
  })
})

describe('an issue that stopped half-way', () => {
  it('is gone on with, and nobody gets it twice', async () => {
    await drafted()
    clock.moveTo(due47)
    const stop = new AbortController()
    const dying = desk({
      transport: Object.assign(mail, { most: { mails: 1, bytes: 4_000_000 } }),
      onProgress: () => stop.abort(),
    })
    await sendIssue(dying, '2026-W47', { stop: stop.signal })
    expect(mail.accepted).toHaveLength(1)
    expect((await issue('2026-W47')).state).toBe('sending')

    const ran = await runAt('2026-11-20T15:00:00Z')

    expect(ran).toEqual([{ job: 'send-issue', week: '2026-W47' }])
    expect(mail.sentTo()).toEqual(['ann@example.test', 'bob@example.test'])
    expect((await issue('2026-W47')).state).toBe('sent')
  })

  it('is paused and says so when its time is longer ago than SEND_GRACE', async () => {
    await drafted()
    mail.answerNext({ kind: 'retry', after: Temporal.Duration.from('PT0.01S'), reason: 'busy' })
    await runAt(due47)
    expect((await issue('2026-W47')).state).toBe('sending')

    const ran = await runAt('2026-11-22T02:00:01Z')

    expect(ran).toEqual([])
    expect(mail.accepted).toEqual([])
    expect(await issue('2026-W47')).toMatchObject({
      ...{ state: 'paused', reason: 'it is unfinished, and its time is longer ago than SEND_GRACE' },
    })
  })

  it('is gone on with when an editor sent it long after its time', async () => {
    await drafted()
    await runAt('2026-11-24T12:00:00Z')
    mail.answerNext({ kind: 'retry', after: Temporal.Duration.from('PT0.01S'), reason: 'busy' })
    await sendIssue(desk(), '2026-W47', { early: true })
    expect((await issue('2026-W47')).state).toBe('sending')

    await runAt('2026-11-24T12:01:00Z')

    expect(mail.sentTo()).toEqual(['ann@example.test', 'bob@example.test'])
  })
})

describe('several processes that look at once', () => {
  it('make one row per week, for all the weeks since the last', async () => {
    await lookAtTimetable(desk())
    clock.moveTo('2027-01-06T12:00:00Z')

    const looks = await Promise.all(Array.from({ length: 8 }, () => lookAtTimetable(desk())))

    expect(looks).toEqual(Array.from({ length: 8 }, () => []))
    expect(await allWeeks()).toEqual([
      ...['2026-W47', '2026-W48', '2026-W49', '2026-W50', '2026-W51', '2026-W52', '2026-W53', '2027-W01'],
    ])
  })

  it('send one mail to each reader, and draft one issue', async () => {
    await lookAtTimetable(desk())
    await published('quillmark', '2026-11-18T10:00:00Z')
    clock.moveTo(due47)

    await Promise.all(Array.from({ length: 8 }, () => runTimetable(desk())))
    await runTimetable(desk())

    expect(mail.sentTo()).toEqual(['ann@example.test', 'bob@example.test'])
    expect(await states()).toEqual({ '2026-W47': 'sent', '2026-W48': 'scheduled' })
    expect(await slugsIn('2026-W47')).toEqual(['quillmark'])
  })
})

function desk(parts: Partial<WorkDeps> = {}): WorkDeps {
  return newsletterWith(database, { clock, transport: mail, ...parts })
}

function runAt(instant: string, parts: Partial<WorkDeps> = {}) {
  clock.moveTo(instant)
  return runTimetable(desk(parts))
}

function rules(policy: 'auto' | 'approve'): Partial<WorkDeps> {
  return { rules: { policy, grace: Temporal.Duration.from('PT36H') } }
}

/** The issue of week 47 with one comparison in it, drafted in time. */
async function drafted(): Promise<void> {
  await published('quillmark', '2026-11-18T10:00:00Z')
  await runAt(draft47)
}

function published(slug: string, publishedAt: string) {
  return publish(database.db, documentFor(slug, { publishedAt }))
}

function say(decision: Decision) {
  return decide(desk(), '2026-W47', decision, 'eve@example.test')
}

async function issue(week: string) {
  const found = await findIssue(database.db, week)
  if (!found) throw new Error(`There is no issue for ${week}`)
  return found
}

async function allWeeks(): Promise<readonly string[]> {
  return Object.keys(await states())
}

async function states(): Promise<Record<string, string>> {
  const rows = await database.db.selectFrom('issue').select(['week', 'state']).orderBy('week').execute()
  return Object.fromEntries(rows.map(({ week, state }) => [week, state]))
}

async function slugsIn(week: string): Promise<readonly string[]> {
  const rows = await database.db
    .selectFrom('issue_comparison as ic')
    .innerJoin('issue as i', 'i.id', 'ic.issue_id')
    .innerJoin('comparison as c', 'c.id', 'ic.comparison_id')
    .select('c.slug')
    .where('i.week', '=', week)
    .where('ic.counts', '=', true)
    .execute()
  return rows.map(({ slug }) => slug).sort()
}

/** Every issue, batch, delivery and attempt, as the tables have them. */
async function everything() {
  const { db } = database
  return [
    await db.selectFrom('issue').selectAll().orderBy('id').execute(),
    await db.selectFrom('issue_comparison').selectAll().orderBy('comparison_id').execute(),
    await db.selectFrom('batch').selectAll().orderBy('id').execute(),
    await db.selectFrom('delivery').selectAll().orderBy('subscriber_id').execute(),
    await db.selectFrom('attempt').selectAll().orderBy('id').execute(),
  ]
}
