import { beforeEach, describe, expect, it } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { lookAtTimetable } from '../../jobs/tick.ts'
import { type Decision, decide } from '../../src/issue/decide.ts'
import { draftIssue } from '../../src/issue/draft.ts'
import { findIssue } from '../../src/issue/issue.ts'
import { weekNamed } from '../../src/issue/week.ts'
import { clockAt, type MovableClock } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { newsletterWith, newYork } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { openPostOffice, type PostOffice } from '../setup/post-office.ts'

const database = useDatabase()
let clock: MovableClock
let mail: PostOffice

beforeEach(async () => {
  clock = clockAt('2026-11-19T14:00:00Z')
  mail = openPostOffice()
  await people.ann(database.db)
})

describe('an editor who approves', () => {
  it('pins the edition of the draft, with name and time', async () => {
    await drafted()
    clock.pass('PT2H')

    const decided = await say('approve')

    expect(decided).toEqual({ ok: true, week: '2026-W47', state: 'approved' })
    const issue = await found()
    expect(issue).toMatchObject({ approved_hash: issue?.edition_hash, approved_by: 'eve@example.test' })
    expect(String(issue?.approved_at)).toBe('2026-11-19T16:00:00Z')
  })

  it('a second time changes nothing: the first approval stands', async () => {
    await drafted()
    await say('approve')
    const before = await found()
    clock.pass('PT2H')

    expect(await decide(desk(), '2026-W47', 'approve', 'sam@example.test')).toMatchObject({ ok: true })

    expect(await found()).toEqual(before)
  })

  it('lets the issue go at its time, and not before', async () => {
    await drafted()
    await say('approve')

    expect(await sendIssue(desk(), '2026-W47')).toMatchObject({ kind: 'refused' })
    clock.moveTo('2026-11-20T14:00:00Z')
    await sendIssue(desk(), '2026-W47')

    expect(mail.sentTo()).toEqual(['ann@example.test'])
  })
})

describe('an editor who holds', () => {
  it.each([
    ['a draft', 'draft', []],
    ['an approved issue', 'approved', ['approve']],
  ] as const)('%s keeps it from being sent, and gets it back as it was', async (_, state, first) => {
    await drafted()
    for (const decision of first) await say(decision)

    expect(await say('hold')).toEqual({ ok: true, week: '2026-W47', state: 'held' })
    expect(await found()).toMatchObject({ state: 'held', reason: 'held by eve@example.test' })
    expect(await sendIssue(desk(), '2026-W47', { early: true })).toMatchObject({ kind: 'refused' })

    expect(await say('release')).toEqual({ ok: true, week: '2026-W47', state })
    expect(await found()).toMatchObject({ state, reason: null })
    expect(mail.calls).toEqual([])
  })

  it('an issue that is being sent pauses it: no further batch leaves until it is released', async () => {
    await unfinished()

    expect(await say('hold')).toMatchObject({ ok: true, state: 'paused' })
    expect(await sendIssue(desk(), '2026-W47')).toMatchObject({ kind: 'refused' })
    expect(mail.accepted).toEqual([])

    expect(await say('release')).toMatchObject({ ok: true, state: 'sending' })
    await sendIssue(desk(), '2026-W47')
    expect(mail.sentTo()).toEqual(['ann@example.test'])
  })

  it('twice changes nothing: whoever held it first is named', async () => {
    await drafted()
    await say('hold')
    const before = await found()

    expect(await decide(desk(), '2026-W47', 'hold', 'sam@example.test')).toMatchObject({
      ...{ ok: true, state: 'held' },
    })

    expect(await found()).toEqual(before)
  })
})

describe('an editor with a missed draft', () => {
  it('can approve it, and it stays parked until somebody sends it', async () => {
    await drafted()
    clock.moveTo('2026-11-24T14:00:00Z')
    await lookAtTimetable(desk())
    expect((await found())?.state).toBe('missed')

    expect(await say('approve')).toMatchObject({ ok: true, state: 'missed' })
    await lookAtTimetable(desk())

    const issue = await found()
    expect(issue).toMatchObject({ state: 'missed', approved_hash: issue?.edition_hash })
  })
})

describe('an editor who cancels', () => {
  it.each([
    ['a draft', []],
    ['an approved issue', ['approve']],
    ['a held issue', ['hold']],
  ] as const)('%s ends it, frees its comparisons and says who did', async (_, first) => {
    await drafted()
    for (const decision of first) await say(decision)

    expect(await say('cancel')).toEqual({ ok: true, week: '2026-W47', state: 'cancelled' })

    const issue = await found()
    expect(issue).toMatchObject({ state: 'cancelled', reason: 'cancelled by eve@example.test' })
    expect(String(issue?.finished_at)).toBe('2026-11-19T14:00:00Z')
    expect(await counting()).toEqual([])
    expect(await sendIssue(desk(), '2026-W47', { early: true })).toMatchObject({ kind: 'refused' })
  })

  it('an issue that is being sent stops it, and its comparisons stay used', async () => {
    await unfinished()

    expect(await say('cancel')).toMatchObject({ ok: true, state: 'cancelled' })
    await sendIssue(desk(), '2026-W47', { early: true })

    expect(mail.accepted).toEqual([])
    expect(await counting()).toHaveLength(1)
  })

  it('twice changes nothing', async () => {
    await drafted()
    await say('cancel')
    const before = await found()
    clock.pass('PT2H')

    expect(await say('cancel')).toMatchObject({ ok: true, state: 'cancelled' })

    expect(await found()).toEqual(before)
  })
})

describe('a decision is refused, with the state and the reason', () => {
  it.each(['approve', 'hold', 'release', 'cancel'] as const)(
    '%s, when there is no issue',
    async (decision) => {
      expect(await say(decision)).toEqual({
        ...{ ok: false, week: '2026-W47', state: null, problem: 'there is no issue for 2026-W47 yet' },
      })
    },
  )

  it.each<[Decision, string, string, () => Promise<unknown>]>([
    ['approve', 'scheduled', 'only a draft can be approved', scheduled],
    ['approve', 'quiet', 'only a draft can be approved', drafting],
    ['approve', 'held', 'only a draft can be approved', () => drafted('hold')],
    ['approve', 'cancelled', 'only a draft can be approved', () => drafted('cancel')],
    ['approve', 'sending', 'only a draft can be approved', unfinished],
    ['approve', 'sent', 'only a draft can be approved', sent],
    ['hold', 'scheduled', 'there is nothing to hold', scheduled],
    ['hold', 'quiet', 'there is nothing to hold', drafting],
    ['hold', 'cancelled', 'there is nothing to hold', () => drafted('cancel')],
    ['hold', 'sent', 'there is nothing to hold', sent],
    ['release', 'scheduled', 'it is not held', scheduled],
    ['release', 'draft', 'it is not held', drafted],
    ['release', 'approved', 'it is not held', () => drafted('approve')],
    ['release', 'cancelled', 'it is not held', () => drafted('cancel')],
    ['release', 'missed', 'it is not held', missedUndrafted],
    ['release', 'sent', 'it is not held', sent],
    ['cancel', 'sent', 'it has been sent', sent],
  ])('%s, when it is %s', async (decision, state, why, given) => {
    await given()
    const before = await found()

    const decided = await say(decision)

    expect(decided).toEqual({
      ...{ ok: false, week: '2026-W47', state, problem: `2026-W47 is ${state}: ${why}` },
    })
    expect(await found()).toEqual(before)
  })
})

describe('two editors at once', () => {
  it('leave the issue cancelled when one of them cancels, in whatever order they are heard', async () => {
    await drafted()

    const decided = await Promise.all([say('approve'), say('hold'), say('cancel')])

    const issue = await found()
    expect(issue?.state).toBe('cancelled')
    expect(decided.at(-1)).toMatchObject({ ok: true, state: 'cancelled' })
    expect(await counting()).toEqual([])
  })
})

function desk() {
  return newsletterWith(database, { clock, transport: mail })
}

function say(decision: Decision) {
  return decide(desk(), '2026-W47', decision, 'eve@example.test')
}

function found() {
  return findIssue(database.db, '2026-W47')
}

function counting() {
  return database.db.selectFrom('issue_comparison').selectAll().where('counts', '=', true).execute()
}

function scheduled() {
  return lookAtTimetable(desk())
}

async function drafting() {
  const week = weekNamed('2026-W47', newYork)
  if (!week) throw new Error('2026 has a week 47')
  return draftIssue(desk(), week)
}

async function drafted(decision?: Decision) {
  await publish(database.db, documentFor('quillmark'))
  await drafting()
  if (decision) await say(decision)
}

async function sent() {
  await drafted()
  await sendIssue(desk(), '2026-W47', { early: true })
}

/** Planned, but the provider asked for a wait before it took anything. */
async function unfinished() {
  mail.answerNext({ kind: 'retry', after: Temporal.Duration.from('PT0.01S'), reason: 'busy' })
  await sent()
  clock.pass('PT1S')
}

async function missedUndrafted() {
  await scheduled()
  clock.moveTo('2026-11-24T14:00:00Z')
  await scheduled()
}
