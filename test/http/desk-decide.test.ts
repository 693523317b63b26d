import { parseHTML } from 'linkedom'
import { beforeEach, describe, expect, it } from 'vitest'
import type { IssueState } from '../../db/schema.ts'
import { sendIssue } from '../../jobs/send-issue.ts'
import { lookAtTimetable } from '../../jobs/tick.ts'
import { deliverIssue } from '../../src/delivery/deliver.ts'
import { openForSending } from '../../src/delivery/send.ts'
import { decide } from '../../src/issue/decide.ts'
import { draftIssue } from '../../src/issue/draft.ts'
import { findIssue } from '../../src/issue/issue.ts'
import { weekNamed } from '../../src/issue/week.ts'
import { clockAt, type MovableClock } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { deliverThroughWaits, friday, lostAnswer, thursday } from '../setup/delivery.ts'
import { type Browser, deskOn } from '../setup/desk.ts'
import { newsletterWith, newYork } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { openPostOffice, type PostOffice } from '../setup/post-office.ts'

const database = useDatabase()
const week = '2026-W47'
const issuePage = `/desk/issues/${week}`
let clock: MovableClock
let mail: PostOffice

beforeEach(async () => {
  clock = clockAt(thursday)
  mail = openPostOffice({ repeatable: false })
  await people.ann(database.db)
  await people.bob(database.db)
})

function worker() {
  return newsletterWith(database, { clock, transport: mail })
}

function theDesk() {
  return deskOn(database, { clock, mail, rules: worker().rules })
}

async function issue() {
  const found = await findIssue(database.db, week)
  if (!found) throw new Error('There is no 2026-W47')
  return found
}

async function decisions(): Promise<readonly string[]> {
  const rows = await database.db.selectFrom('decision').select('what').orderBy('id').execute()
  return rows.map(({ what }) => what).filter((what) => what !== 'sign in')
}

function textOf(page: string): string {
  return page.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
}

/** Presses a button of the issue's page as somebody who sees the issue in that state. */
async function press(eve: Browser, action: string, seen: IssueState): Promise<string> {
  const edition = (await issue()).edition_hash ?? ''
  const fields = { action, edition, state: seen, sure: 'yes', from: 'issue' }
  return textOf(await eve.read(eve.post(`${issuePage}/decide`, fields)))
}

/** Brings week 47 into a state, as it comes about. */
const bring: Record<IssueState | 'missed, never drafted' | 'partly sent, in doubt', () => Promise<unknown>> =
  {
    scheduled: async () => {
      clock.moveTo('2026-11-18T16:00:00Z')
      await publish(database.db, documentFor('glyphmoor-vs-kernwick'))
      await lookAtTimetable(worker())
    },
    quiet: () => draft(),
    draft: async () => {
      await publish(database.db, documentFor('glyphmoor-vs-kernwick'))
      await draft()
    },
    approved: async () => {
      await bring.draft()
      await decide(worker(), week, 'approve', 'olga')
    },
    held: async () => {
      await bring.draft()
      await decide(worker(), week, 'hold', 'olga')
    },
    missed: async () => {
      await bring.draft()
      clock.moveTo('2026-11-23T15:00:00Z')
      await lookAtTimetable(worker())
    },
    'missed, never drafted': async () => {
      await bring.scheduled()
      clock.moveTo('2026-11-23T15:00:00Z')
      await lookAtTimetable(worker())
    },
    sending: async () => {
      await bring.approved()
      clock.moveTo(friday)
      await openForSending(worker(), week, { early: false })
    },
    paused: async () => {
      await bring.sending()
      await decide(worker(), week, 'hold', 'olga')
    },
    sent: async () => {
      await bring.sending()
      await sendIssue(worker(), week)
    },
    'partly sent': async () => {
      await bring.sending()
      const no = { kind: 'rejected' as const, reason: 'the mailbox is full' }
      mail.answerNext(no, no, no)
      await sendIssue(worker(), week)
    },
    'partly sent, in doubt': async () => {
      await bring.sending()
      mail.answerNext(lostAnswer('before they were taken'))
      await deliverThroughWaits({ deps: worker(), clock, mail, issue: await issue() })
    },
    cancelled: async () => {
      await bring.draft()
      await decide(worker(), week, 'cancel', 'olga')
    },
  }

function draft() {
  const named = weekNamed(week, newYork)
  if (!named) throw new Error('2026-W47 is no week')
  return draftIssue(worker(), named)
}

/** What the issue's page offers, in its head: buttons, and links to pages with more to say. */
function choicesOn(page: string): readonly { label: string; path: string; isMain: boolean }[] {
  const { document } = parseHTML(page)
  return [...document.querySelectorAll('.page-head .choices :is(a, button)')].map((one) => ({
    label: one.textContent ?? '',
    path: one.getAttribute('href') ?? '',
    isMain: one.className === 'button',
  }))
}

const around = ['Send a test', 'Change its time', 'Cancel this issue']

describe('every state has a way out at the desk', () => {
  it.each([
    ['scheduled', ['Draft it now', 'Change its time', 'Cancel this issue']],
    ['quiet', ['Draft it again', 'Change its time']],
    ['draft', ['Approve this edition', 'Hold it back', 'Draft it again', ...around]],
    ['approved', ['Hold it back', 'Send it now', ...around]],
    ['held', ['Let it go out', ...around]],
    ['missed', ['Send it now', ...around]],
    ['missed, never drafted', ['Change its time', 'Cancel this issue']],
    ['sending', ['Pause sending', 'Cancel the rest']],
    ['paused', ['Go on sending', 'Cancel the rest']],
    ['sent', []],
    ['partly sent', ['Try the refused again']],
    ['partly sent, in doubt', ['Decide what is in doubt']],
    ['cancelled', []],
  ] as const)(
    '%s offers %j, one of them at most as the main one, and each leads somewhere',
    async (state, offered) => {
      await bring[state]()
      const eve = await theDesk().signedIn()

      const page = await eve.read(eve.get(issuePage))

      const choices = choicesOn(page)
      expect(choices.map(({ label }) => label)).toEqual(offered)
      expect(choices.filter(({ isMain }) => isMain).length).toBeLessThanOrEqual(1)
      for (const { path } of choices.filter((choice) => choice.path !== ''))
        expect((await eve.get(path)).status, path).toBe(200)
    },
  )

  it.each([
    ['scheduled', 'draft', 'draft', 'draft'],
    ['scheduled', 'cancel', 'cancelled', 'cancel'],
    ['quiet', 'draft', 'quiet', 'draft'],
    ['draft', 'approve', 'approved', 'approve'],
    ['draft', 'hold', 'held', 'hold'],
    ['draft', 'draft', 'draft', 'draft'],
    ['draft', 'cancel', 'cancelled', 'cancel'],
    ['approved', 'hold', 'held', 'hold'],
    ['approved', 'send now', 'sending', 'send now'],
    ['approved', 'cancel', 'cancelled', 'cancel'],
    ['held', 'release', 'draft', 'release'],
    ['held', 'cancel', 'cancelled', 'cancel'],
    ['missed', 'send now', 'sending', 'send now'],
    ['missed', 'cancel', 'cancelled', 'cancel'],
    ['missed, never drafted', 'cancel', 'cancelled', 'cancel'],
    ['sending', 'hold', 'paused', 'hold'],
    ['sending', 'cancel', 'cancelled', 'cancel'],
    ['paused', 'release', 'sending', 'release'],
    ['paused', 'cancel', 'cancelled', 'cancel'],
    ['partly sent', 'retry failed', 'sending', 'retry failed'],
  ] as const)(
    '%s, %s: it is %s, and that is recorded; a second press does nothing more',
    async (from, action, to, what) => {
      await bring[from]()
      const seen = (await issue()).state
      const eve = await theDesk().signedIn()
      const before = await decisions()

      await press(eve, action, seen)
      const once = await issue()
      const said = await decisions()
      await press(eve, action, seen)

      expect(once.state).toBe(to)
      expect(said).toEqual([...before, what])
      if (action === 'draft') return
      expect(await issue()).toEqual(once)
      expect(await decisions()).toEqual(said)
    },
  )

  it.each([
    ['approved', 'draft', 'hold'],
    ['held', 'draft', 'approve'],
    ['held', 'approved', 'send now'],
    ['cancelled', 'draft', 'hold'],
    ['draft', 'scheduled', 'draft'],
    ['draft', 'held', 'release'],
    ['paused', 'sending', 'cancel'],
    ['sending', 'paused', 'cancel'],
    ['sent', 'sending', 'cancel'],
    ['sending', 'partly sent', 'retry failed'],
    ['sent', 'partly sent', 'retry failed'],
  ] as const)(
    'an issue that is %s by now, and was %s on the screen, is not changed by %s; that is said',
    async (is, seen, action) => {
      await bring[is]()
      const eve = await theDesk().signedIn()
      const before = [await issue(), await decisions()]

      const page = await press(eve, action, seen)

      expect(page).toMatch(new RegExp(`${week} is ${is}: .* Nothing was changed`))
      expect([await issue(), await decisions()]).toEqual(before)
    },
  )

  it('and a brake is never too late: what has begun to go out is paused', async () => {
    await bring.sending()
    const eve = await theDesk().signedIn()

    const page = await press(eve, 'hold', 'approved')

    expect(page).toContain('is paused: calls in flight end, nothing new leaves.')
    expect((await issue()).state).toBe('paused')
  })

  it('what is final is never done unasked, whatever the form says', async () => {
    await bring.approved()
    const eve = await theDesk().signedIn()
    const { edition_hash } = await issue()

    for (const action of ['cancel', 'send now', 'retry failed'])
      for (const state of ['approved', 'draft', 'sending'])
        await eve.post(`${issuePage}/decide`, { action, state, edition: edition_hash ?? '' })

    expect((await issue()).state).toBe('approved')
  })
})

describe('two editors at once', () => {
  it.each([
    ['draft', 'approve', 'hold'],
    ['sending', 'hold', 'cancel'],
    ['paused', 'release', 'cancel'],
    ['held', 'release', 'cancel'],
  ] as const)(
    'with an issue that is %s, %s and %s: one wins, and the other is told',
    async (from, one, other) => {
      await bring[from]()
      const seen = (await issue()).state
      const [eve, sam] = [await theDesk().signedIn(), await theDesk().signedIn('sam@example.test')]
      const before = await decisions()

      const pages = await Promise.all([press(eve, one, seen), press(sam, other, seen)])

      expect(pages.filter((page) => page.includes('Nothing was changed'))).toHaveLength(1)
      expect(await decisions()).toHaveLength(before.length + 1)
    },
  )

  it('who try the refused again: each mail is tried once', async () => {
    await bring['partly sent']()
    const [eve, sam] = [await theDesk().signedIn(), await theDesk().signedIn('sam@example.test')]

    const pages = await Promise.all([
      press(eve, 'retry failed', 'partly sent'),
      press(sam, 'retry failed', 'partly sent'),
    ])
    await sendIssue(worker(), week)

    expect(pages.filter((page) => page.includes('2 refused mails are tried again.'))).toHaveLength(1)
    expect(pages.filter((page) => page.includes('Nothing was changed'))).toHaveLength(1)
    expect((await decisions()).filter((what) => what === 'retry failed')).toHaveLength(1)
    expect(mail.sentTo().filter((to) => /ann|bob/.test(to))).toEqual(['ann@example.test', 'bob@example.test'])
  })
})

describe('an editor while it goes out', () => {
  it('is told before cancelling the rest how many have it, and how many never will', async () => {
    await people.crowd(database.db, 150)
    await bring.sending()
    await deliverIssue(worker(), (await issue()).id, stopAfterOneCall())
    const eve = await theDesk().signedIn()

    const asked = textOf(await eve.read(eve.get(`${issuePage}/decide?action=cancel&from=issue`)))
    await press(eve, 'cancel', 'sending')
    await sendIssue(worker(), week)

    expect(asked).toContain('100 of 152 readers have it and keep it; 52 will never get it.')
    expect((await issue()).state).toBe('cancelled')
    expect(mail.sentTo().filter((to) => to.startsWith('reader') || /ann|bob/.test(to))).toHaveLength(100)
  })

  it('pauses and goes on, and nobody gets two', async () => {
    await bring.sending()
    const eve = await theDesk().signedIn()

    await press(eve, 'hold', 'sending')
    await sendIssue(worker(), week)
    const whilePaused = mail.sentTo().filter((to) => /ann|bob/.test(to))
    await press(eve, 'release', 'paused')
    await sendIssue(worker(), week)

    expect(whilePaused).toEqual([])
    expect(mail.sentTo().filter((to) => /ann|bob/.test(to))).toEqual(['ann@example.test', 'bob@example.test'])
  })
})

describe('an editor afterwards', () => {
  it('sees what was refused and why, and is told what trying again comes to before it is done', async () => {
    await bring['partly sent']()
    const eve = await theDesk().signedIn()

    const page = textOf(await eve.read(eve.get(issuePage)))
    const asked = textOf(
      await eve.read(eve.post(`${issuePage}/decide`, { action: 'retry failed', from: 'issue' })),
    )
    const done = await press(eve, 'retry failed', 'partly sent')
    await sendIssue(worker(), week)

    expect(page).toContain('2 mails were refused')
    expect(page).toContain('the mailbox is full 2')
    expect(asked).toContain('2 readers were refused 2026-W47. A refusal is certain, so nobody gets two')
    expect(done).toContain('2 refused mails are tried again.')
    expect((await issue()).state).toBe('sent')
    const log = await database.db
      .selectFrom('decision')
      .select(['by', 'what', 'evidence'])
      .orderBy('id')
      .execute()
    expect(log.at(-1)).toEqual({ by: 'eve@example.test', what: 'retry failed', evidence: { mails: 2 } })
  })
})

/** A signal that stops delivering once one call was made. */
function stopAfterOneCall(): AbortSignal {
  const stop = new AbortController()
  mail.answerNext(async (mails) => {
    stop.abort()
    return { outcome: { kind: 'accepted', providerIds: mails.map(({ id }) => `id-${id}`) }, deliver: true }
  })
  return stop.signal
}
