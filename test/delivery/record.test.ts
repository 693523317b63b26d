import { describe, expect, it } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { runTimetable } from '../../jobs/work.ts'
import { deliverIssue } from '../../src/delivery/deliver.ts'
import { recordOutcome } from '../../src/delivery/record.ts'
import { findIssue } from '../../src/issue/issue.ts'
import type { Mail } from '../../src/mail/email.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { useDatabase } from '../setup/database.ts'
import {
  claimAs,
  claimed,
  deliverThroughWaits,
  dueIssue,
  lostAnswer,
  plannedIssue,
  standing,
} from '../setup/delivery.ts'
import { people } from '../setup/people.ts'
import { type Answer, openPostOffice } from '../setup/post-office.ts'

const database = useDatabase()
const oneByOne = { mails: 1, bytes: 4_000_000 }
const accepted = (ids: readonly string[]) => ({ kind: 'accepted' as const, providerIds: ids })

describe('an outcome', () => {
  it('is refused from a worker whose batch another one has taken over', async () => {
    await people.ann(database.db)
    const due = await plannedIssue(database)
    const slow = claimed(await claimAs('slow', due))
    due.clock.pass('PT90S')
    const quick = claimed(await claimAs('quick', due))

    const late = await recordOutcome(due.deps, slow, { kind: 'rejected', reason: 'no such mailbox' })
    const standingAfterLate = await standing(database.db)
    const inTime = await recordOutcome(due.deps, quick, accepted(['id-1']))

    expect([late, inTime]).toEqual([false, true])
    expect(standingAfterLate).toEqual({ ann: 'attempting' })
    expect(await standing(database.db)).toEqual({ ann: 'accepted' })
    expect(await attempts()).toEqual([
      { fence: 1, outcome: 'unknown' },
      { fence: 2, outcome: 'accepted' },
    ])
  })

  it('is written down once', async () => {
    await people.ann(database.db)
    const due = await plannedIssue(database)
    const claim = claimed(await claimAs('one', due))

    const first = await recordOutcome(due.deps, claim, accepted(['id-1']))
    const second = await recordOutcome(due.deps, claim, { kind: 'rejected', reason: 'no such mailbox' })

    expect([first, second]).toEqual([true, false])
    expect(await standing(database.db)).toEqual({ ann: 'accepted' })
  })

  it('gives each reader the id of their own mail, around those who had left', async () => {
    const [ann, bob, cleo] = [
      await people.ann(database.db),
      await people.bob(database.db),
      await people.cleo(database.db),
    ]
    const { deps, issue } = await plannedIssue(database)
    await unsubscribe(deps, bob.publicId, 'page')

    await deliverIssue(deps, issue.id)

    const ids = await database.db
      .selectFrom('delivery_state')
      .select(['address', 'provider_id'])
      .orderBy('address')
      .execute()
    expect(ids).toEqual([
      { address: ann.address, provider_id: `id-2026-W47.${ann.publicId}` },
      { address: bob.address, provider_id: null },
      { address: cleo.address, provider_id: `id-2026-W47.${cleo.publicId}` },
    ])
  })
})

describe('a batch that is refused', () => {
  it('is halved until the bad address stands alone, and the other ninety-nine have one mail each', async () => {
    await people.crowd(database.db, 100)
    const bad = 'reader-000037@example.test'
    const { deps, mail } = await dueIssue(database, { mail: strictPostOffice(bad) })

    const sent = await sendIssue(deps, '2026-W47')

    expect(sent).toEqual({ kind: 'finished', state: 'partly sent' })
    expect(mail.accepted).toHaveLength(99)
    expect(new Set(mail.sentTo()).size).toBe(99)
    expect(mail.sentTo()).not.toContain(bad)
    expect(mail.calls.length).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(100)) + 1)
    expect(new Set(mail.calls.map(({ key }) => key)).size).toBe(mail.calls.length)
    const rejected = Object.entries(await standing(database.db)).filter(([, state]) => state !== 'accepted')
    expect(rejected).toEqual([['reader-000037', 'rejected: no such mailbox']])
  })

  it('leaves out who left before its halves go', async () => {
    const [, bob] = [await people.ann(database.db), await people.bob(database.db)]
    const { deps, mail } = await dueIssue(database)
    mail.answerNext(async () => {
      await unsubscribe(deps, bob.publicId, 'one-click')
      return { outcome: { kind: 'rejected', reason: 'one of them is bad' }, deliver: false }
    })

    await sendIssue(deps, '2026-W47')

    expect(mail.sentTo()).toEqual(['ann@example.test'])
    expect(await standing(database.db)).toEqual({ ann: 'accepted', bob: 'excluded: unsubscribed' })
  })
})

describe('a provider that asks for a pause', () => {
  it('has it for that batch, and nothing else stops', async () => {
    await people.crowd(database.db, 3)
    const { deps, mail, issue, clock } = await plannedIssue(database, {
      mail: openPostOffice({ most: oneByOne }),
    })
    mail.answerNext({ kind: 'retry', after: Temporal.Duration.from('PT0.05S'), reason: 'too many requests' })

    const first = await deliverIssue(deps, issue.id)

    expect(first).toEqual({ kind: 'waiting', until: clock().add({ milliseconds: 50 }) })
    expect(mail.sentTo()).toEqual(['reader-000002@example.test', 'reader-000003@example.test'])
    expect(await stateOfIssue()).toEqual({ state: 'sending', reason: null })
    await deliverThroughWaits({ deps, mail, issue, clock })
    expect(mail.sentTo()).toHaveLength(3)
    expect(await stateOfIssue()).toEqual({ state: 'sent', reason: null })
  })
})

describe('a provider that cannot go on', () => {
  it('stops the issue with the reason, and whatever was sent stays sent', async () => {
    await people.crowd(database.db, 3)
    const { deps, mail, issue } = await plannedIssue(database, { mail: openPostOffice({ most: oneByOne }) })
    mail.answerNext((mails) => ({ outcome: accepted(mails.map(({ id }) => id)), deliver: true }), {
      kind: 'halt',
      reason: 'Resend does not know the key: set RESEND_API_KEY',
    })

    const delivered = await deliverIssue(deps, issue.id)

    expect(delivered).toEqual({ kind: 'finished', state: 'paused' })
    expect(mail.calls).toHaveLength(2)
    expect(mail.sentTo()).toEqual(['reader-000001@example.test'])
    expect(await stateOfIssue()).toEqual({
      state: 'paused',
      reason: 'Resend does not know the key: set RESEND_API_KEY',
    })
  })
})

describe('an answer that stays away', () => {
  it('is waited for twice as long each time, up to a minute', async () => {
    await people.ann(database.db)
    const due = await plannedIssue(database)
    const waits: number[] = []

    for (let attempt = 0; attempt < 9; attempt += 1) {
      due.mail.answerNext({ kind: 'unknown', reason: 'no answer' })
      const delivered = await deliverIssue(due.deps, due.issue.id)
      if (delivered.kind !== 'waiting') throw new Error(delivered.kind)
      waits.push(due.clock().until(delivered.until).total('seconds'))
      due.clock.moveTo(delivered.until)
    }

    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60])
    expect(new Set(due.mail.calls.map(({ key }) => key)).size).toBe(1)
  })
})

/** As Resend's strict validation: a call with that address in it is refused as a whole. */
function strictPostOffice(bad: string) {
  const mail = openPostOffice()
  const strict: Answer = (mails: readonly Mail[]) =>
    mails.some(({ to }) => to === bad)
      ? { outcome: { kind: 'rejected', reason: 'no such mailbox' }, deliver: false }
      : { outcome: accepted(mails.map(({ id }) => `id-${id}`)), deliver: true }
  mail.answerNext(...Array<Answer>(40).fill(strict))
  return mail
}

function stateOfIssue() {
  return database.db.selectFrom('issue').select(['state', 'reason']).executeTakeFirstOrThrow()
}

function attempts() {
  return database.db.selectFrom('attempt').select(['fence', 'outcome']).orderBy('fence').execute()
}

describe('an answer that asking again cannot make clearer', () => {
  it('goes to a person at once where the key was used with other bytes', async () => {
    await people.ann(database.db)
    const mail = openPostOffice()
    mail.answerNext({ kind: 'unknown', reason: 'conflict', again: 'never' })
    const due = await plannedIssue(database, { mail })

    await deliverThroughWaits(due)

    expect(await standing(database.db)).toEqual({ ann: 'quarantined: conflict' })
    expect(mail.calls).toHaveLength(1)
  })

  it('is asked for once more where the ids do not fit the mails, and then goes to a person', async () => {
    await people.ann(database.db)
    const mail = openPostOffice()
    const wrong = { kind: 'unknown', reason: 'a success with 0 ids for 1 mails', again: 'once' } as const
    mail.answerNext(wrong, wrong)
    const due = await plannedIssue(database, { mail })

    await deliverThroughWaits(due)

    expect(await standing(database.db)).toEqual({ ann: `quarantined: ${wrong.reason}` })
    expect(mail.calls).toHaveLength(2)
  })
})

describe('a lost answer', () => {
  it.each<[string, Answer]>([
    ['a call too many', { kind: 'retry', after: Temporal.Duration.from('PT5S'), reason: 'too many calls' }],
    ['a full quota', { kind: 'halt', reason: 'quota', until: 'next day' }],
  ])(
    'stays lost when %s is the next answer: a reader who leaves now has perhaps had it',
    async (_, refusal) => {
      const [, bob] = [await people.ann(database.db), await people.bob(database.db)]
      const mail = openPostOffice()
      mail.answerNext(lostAnswer('after they were taken'), refusal)
      const due = await plannedIssue(database, { mail })
      await deliverIssue(due.deps, due.issue.id)
      due.clock.pass('PT2S')
      await deliverIssue(due.deps, due.issue.id)

      await unsubscribe(due.deps, bob.publicId, 'page')
      due.clock.moveTo('2026-11-21T00:10:00Z')
      await runTimetable(due.deps)

      expect(await standing(database.db)).toEqual({
        ann: 'quarantined: the answer was lost, and a member has left since',
        bob: 'quarantined: the answer was lost, and a member has left since',
      })
      expect(mail.accepted).toHaveLength(2)
    },
  )
})

describe('a day’s quota at the provider', () => {
  it('pauses the issue, which goes on by itself on the next day and sends nothing twice', async () => {
    await people.crowd(database.db, 3)
    const mail = openPostOffice({ most: oneByOne })
    const due = await plannedIssue(database, { mail })
    mail.answerNext((mails) => ({ outcome: accepted(mails.map((one) => one.id)), deliver: true }), {
      kind: 'halt',
      reason: 'The daily quota is used up',
      until: 'next day',
    })
    await runTimetable(due.deps)
    const paused = await findIssue(database.db, due.issue.week)

    due.clock.moveTo('2026-11-21T00:04:00Z')
    await runTimetable(due.deps)
    const stillPaused = mail.accepted.length
    due.clock.moveTo('2026-11-21T00:05:00Z')
    await runTimetable(due.deps)

    expect(paused).toMatchObject({ state: 'paused', reason: 'The daily quota is used up' })
    expect(paused?.resume_at?.toString()).toBe('2026-11-21T00:05:00Z')
    expect(stillPaused).toBe(1)
    expect(new Set(mail.sentTo()).size).toBe(3)
    expect(await findIssue(database.db, due.issue.week)).toMatchObject({ state: 'sent', resume_at: null })
  })
})
