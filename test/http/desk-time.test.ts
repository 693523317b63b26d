import { beforeEach, describe, expect, it } from 'vitest'
import { lookAtTimetable } from '../../jobs/tick.ts'
import { decide } from '../../src/issue/decide.ts'
import { draftIssue } from '../../src/issue/draft.ts'
import { findIssue } from '../../src/issue/issue.ts'
import { weekNamed } from '../../src/issue/week.ts'
import { clockAt, type MovableClock } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { thursday } from '../setup/delivery.ts'
import { type Browser, deskOn } from '../setup/desk.ts'
import { newsletterWith, newYork } from '../setup/newsletter.ts'
import { openPostOffice, type PostOffice } from '../setup/post-office.ts'

const database = useDatabase()
let clock: MovableClock
let mail: PostOffice
let eve: Browser

beforeEach(async () => {
  clock = clockAt(thursday)
  mail = openPostOffice()
  eve = await deskOn(database, { clock, mail }).signedIn()
})

function worker() {
  return newsletterWith(database, { clock, transport: mail })
}

async function drafted(name = '2026-W47', publishedAt = '2026-11-18T14:00:00Z') {
  const week = weekNamed(name, newYork)
  if (!week) throw new Error(`${name} is no week`)
  await publish(database.db, documentFor('glyphmoor-vs-kernwick', { publishedAt }))
  await draftIssue(worker(), week)
}

async function due(week = '2026-W47'): Promise<string> {
  return String((await findIssue(database.db, week))?.due_at)
}

/** Fills in the form as it stands, with changes, and sends it. */
async function change(fields: Record<string, string>, week = '2026-W47') {
  const path = `/desk/issues/${week}/time`
  const page = await eve.read(eve.get(path))
  return eve.post(path, { ...formOn(page), ...fields })
}

function formOn(page: string): Record<string, string> {
  const value = (name: string) => new RegExp(`name="${name}"[^>]*? value="([^"]*)"`).exec(page)?.[1] ?? ''
  return {
    ...{ date: value('date'), time: value('time'), seen: value('seen') },
    ...{ draftDate: value('draftDate'), draftTime: value('draftTime') },
  }
}

function textOf(page: string): string {
  return page.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
}

describe('an editor who changes the time', () => {
  it('reads it on the newsletter’s clock, and finds the time that it has in the form', async () => {
    await drafted()

    const page = await eve.read(eve.get('/desk/issues/2026-W47/time'))

    expect(textOf(page)).toContain('It is due Friday 20 November, 09:00 New York, in 1 day.')
    expect(textOf(page)).toContain('By the clocks of New York (America/New_York).')
    expect(formOn(page)).toMatchObject({ date: '2026-11-20', time: '09:00' })
  })

  it('has it at that wall time, is told so, and can put it back', async () => {
    await drafted()

    const said = textOf(await eve.read(change({ time: '15:30' })))
    const moved = await due()
    const page = await eve.read(eve.get('/desk/issues/2026-W47/time'))
    const back = textOf(await eve.read(change({ date: '2026-11-20', time: '09:00' })))

    expect(said).toContain('2026-W47 is due Friday 20 November, 15:30 New York.')
    expect(moved).toBe('2026-11-20T20:30:00Z')
    expect(textOf(page)).toContain('By the timetable it would be due Friday 20 November, 09:00 New York.')
    expect(back).toContain('2026-W47 is due Friday 20 November, 09:00 New York.')
    expect(await due()).toBe('2026-11-20T14:00:00Z')
  })

  it('is told when the approval is gone by it, before and after', async () => {
    await drafted()
    await decide(worker(), '2026-W47', 'approve', 'eve@example.test')

    const before = textOf(await eve.read(eve.get('/desk/issues/2026-W47/time')))
    const after = textOf(await eve.read(change({ date: '2026-11-21' })))

    expect(before).toContain('The approval would then be gone.')
    expect(after).toContain('the approval is gone. Look at it, and approve it again.')
    expect(after).toContain('Approve this edition')
  })

  it('is asked twice when another issue is near, and what was typed is kept', async () => {
    await drafted()

    const asked = await eve.read(change({ date: '2026-11-26', time: '23:00' }))
    const before = await due()
    const path = '/desk/issues/2026-W47/time'
    await eve.post(path, { ...formOn(asked), sure: 'yes' })

    expect(textOf(asked)).toContain('2026-W48 is due Friday 27 November, 09:00, less than a day from that.')
    expect([before, await due()]).toEqual(['2026-11-20T14:00:00Z', '2026-11-27T04:00:00Z'])
  })

  it.each([
    ['a day that does not exist', { date: '2026-02-30' }, 'Give the day as a date'],
    ['words', { time: 'noonish' }, 'Give the day as a date'],
    ['nothing', { date: '', time: '' }, 'Give the day as a date'],
    ['a time that is past', { date: '2026-11-18' }, 'That time is past.'],
    ['next year', { date: '2027-11-20' }, 'more than four weeks ahead'],
  ])(
    'with %s is told what to do; nothing is changed, and what was typed is kept',
    async (_, typed, words) => {
      await drafted()

      const answer = await change(typed)
      const page = await answer.text()

      expect(answer.status).toBe(422)
      expect(textOf(page)).toContain(words)
      expect(textOf(page)).toContain('Nothing was changed.')
      expect(formOn(page)).toMatchObject(typed)
      expect(await due()).toBe('2026-11-20T14:00:00Z')
    },
  )

  it('on an old page is told that somebody else was quicker', async () => {
    await drafted()
    const path = '/desk/issues/2026-W47/time'
    const old = formOn(await eve.read(eve.get(path)))
    await change({ time: '11:00' })

    const page = textOf(await eve.read(eve.post(path, { ...old, time: '12:00' })))

    expect(page).toContain(
      'The time of 2026-W47 was changed since you saw it; look at it again. Nothing was changed.',
    )
    expect(await due()).toBe('2026-11-20T16:00:00Z')
  })

  it('also has another time to draft it, while it still has to be', async () => {
    clock.moveTo('2026-11-17T14:00:00Z')
    await lookAtTimetable(worker())

    const said = textOf(await eve.read(change({ draftDate: '2026-11-18', draftTime: '08:15' })))

    expect(said).toContain('It is drafted Wednesday 18 November, 08:15 New York.')
    expect(String((await findIssue(database.db, '2026-W47'))?.draft_at)).toBe('2026-11-18T13:15:00Z')
  })

  it('cannot once it is over', async () => {
    await drafted()
    await decide(worker(), '2026-W47', 'cancel', 'olga')

    expect((await eve.get('/desk/issues/2026-W47/time')).status).toBe(404)
    const page = await eve.read(eve.post('/desk/issues/2026-W47/time', { date: '2026-11-21', time: '09:00' }))
    expect(textOf(page)).toContain(
      '2026-W47 is cancelled: its time can be changed no more. Nothing was changed.',
    )
  })
})

describe('when the clocks are changed', () => {
  it('a time that comes twice is the first, and that is said', async () => {
    clock.moveTo('2026-10-29T14:00:00Z')
    eve = await deskOn(database, { clock, mail }).signedIn()
    await drafted('2026-W44', '2026-10-28T14:00:00Z')

    const said = textOf(await eve.read(change({ date: '2026-11-01', time: '01:30' }, '2026-W44')))

    expect(said).toContain(
      '01:30 comes twice on that day: the clocks of New York go back, and the first is meant.',
    )
    expect(await due('2026-W44')).toBe('2026-11-01T05:30:00Z')
  })

  it('a time that does not come is the next that does, and that is said', async () => {
    clock.moveTo('2027-03-11T14:00:00Z')
    eve = await deskOn(database, { clock, mail }).signedIn()
    await drafted('2027-W10', '2027-03-10T14:00:00Z')

    const said = textOf(await eve.read(change({ date: '2027-03-14', time: '02:30' }, '2027-W10')))

    expect(said).toContain('2027-W10 is due Sunday 14 March, 03:00 New York.')
    expect(said).toContain('02:30 does not exist on that day: the clocks of New York go forward')
    expect(await due('2027-W10')).toBe('2027-03-14T07:00:00Z')
  })
})
