import { describe, expect, it, onTestFinished } from 'vitest'
import { askProvider } from '../../src/delivery/ask-provider.ts'
import { closeCancelled } from '../../src/delivery/close-cancelled.ts'
import { confirmByEvidence } from '../../src/delivery/confirm-by-evidence.ts'
import { deliverIssue } from '../../src/delivery/deliver.ts'
import { resolveBatch, type Verb } from '../../src/delivery/quarantine.ts'
import { reconcileIssue } from '../../src/delivery/reconcile.ts'
import { decide } from '../../src/issue/decide.ts'
import { findIssue, type Issue } from '../../src/issue/issue.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { useDatabase } from '../setup/database.ts'
import {
  batches,
  claimAs,
  type DueIssue,
  deliverThroughWaits,
  friday,
  lostAnswer,
  plannedIssue,
  standing,
} from '../setup/delivery.ts'
import { accountMails, doubtOf, heard, issueInQuarantine, openAccount } from '../setup/doubt.ts'
import { people } from '../setup/people.ts'

const database = useDatabase()
const inMarch = '2026-03-01T00:00:00Z'

describe('a quarantined batch of which nothing is known', () => {
  it('is not sent again until somebody has read that its readers may have it already', async () => {
    const { due } = await annAndBob('after they were taken')

    const refused = await resolved(due, 'resend', { yes: false })

    expect(refused).toMatchObject({
      ok: false,
      warned: true,
      problem: expect.stringMatching(
        /2 readers have this mail; whoever has it would get it twice.*28 hours/s,
      ),
    })
    expect(await decisions()).toEqual([])
    expect((await issueNow()).state).toBe('partly sent')
  })

  it('is sent again under a new key to those who are still there, and the issue is finished anew', async () => {
    const { due, ann } = await annAndBob('before they were taken')
    await unsubscribe(due.deps, ann.publicId, 'page')

    const resent = await resolved(due, 'resend', { yes: true })
    await deliverThroughWaits(due)

    expect(resent).toMatchObject({ ok: true, again: 2, issueState: 'sending' })
    expect(due.mail.sentTo()).toEqual(['bob@example.test'])
    expect(new Set(due.mail.calls.map(({ key }) => key)).size).toBe(2)
    expect(await standing(database.db)).toEqual({ ann: 'excluded: unsubscribed', bob: 'accepted' })
    expect((await issueNow()).state).toBe('sent')
    expect(await violations()).toEqual([])
    expect(await decisions()).toMatchObject([['olga', 'resend', { readers: 2, withEvidence: 0, yes: true }]])
  })

  it('is recorded as accepted without ids that nobody knows, and the ledger stays sound', async () => {
    const { due } = await annAndBob('after they were taken')

    const confirmed = await resolved(due, 'confirm')

    expect(confirmed).toMatchObject({ ok: true, accepted: 2, withoutId: 2, issueState: 'sent' })
    expect((await batches(database.db)).map((batch) => batch.provider_ids)).toEqual([[null, null]])
    expect(due.mail.sentTo()).toEqual(['ann@example.test', 'bob@example.test'])
    expect(await violations()).toEqual([])
  })

  it('is left as it is, with the reason at each of its readers', async () => {
    const { due } = await annAndBob('before they were taken')

    const dropped = await resolved(due, 'drop')
    await deliverThroughWaits(due)

    const reason = 'excluded: dropped: nobody knows whether it was sent'
    expect(dropped).toMatchObject({ ok: true, excluded: 2, issueState: 'sent' })
    expect(await standing(database.db)).toEqual({ ann: reason, bob: reason })
    expect(due.mail.sentTo()).toEqual([])
    expect(await violations()).toEqual([])
  })

  it('is decided about once: a second decision on the same evidence changes nothing', async () => {
    const { due } = await annAndBob('before they were taken')
    const doubt = await doubtOf(database.db, due.batchId)
    await resolveBatch(due.deps, doubt, 'drop', { by: 'olga', yes: false })

    const late = await resolveBatch(due.deps, doubt, 'resend', { by: 'piet', yes: true })

    expect(late).toMatchObject({ ok: false, problem: expect.stringContaining('has just changed') })
    expect(await decisions()).toMatchObject([['olga', 'drop', {}]])
  })

  it('stays where it is while its issue is paused, and goes out when that is released', async () => {
    await people.crowd(database.db, 2)
    const due = await issueInQuarantine(database, 'before they were taken')
    await database.db.updateTable('issue').set({ state: 'paused', reason: 'paused by eve' }).execute()

    const resent = await resolved(due, 'resend', { yes: true })
    await deliverThroughWaits(due)
    const before = due.mail.sentTo()
    await decide(due.deps, '2026-W47', 'release', 'eve')
    await deliverThroughWaits(due)

    expect(resent).toMatchObject({ ok: true, issueState: 'paused' })
    expect(before).toEqual([])
    expect(due.mail.sentTo()).toHaveLength(2)
  })

  it('is not sent any more once its issue is cancelled, and can be left then', async () => {
    const { due } = await annAndBob('before they were taken')
    await database.db.updateTable('issue').set({ state: 'cancelled' }).execute()

    const resent = await resolved(due, 'resend', { yes: true })
    const dropped = await resolved(due, 'drop')

    expect(resent).toMatchObject({ ok: false, warned: false, problem: expect.stringContaining('cancelled') })
    expect(dropped).toMatchObject({ ok: true, issueState: 'cancelled' })
  })
})

describe('a quarantined batch of which webhooks told in part', () => {
  it('is split: who has evidence is accepted, the others are sent the issue, nobody has two mails', async () => {
    const { due, ann, bob } = await annAndBob('before they were taken')
    await heard(database.db, due.batchId, [bob])

    const warned = await resolved(due, 'resend', { yes: false })
    const resent = await resolved(due, 'resend', { yes: true })
    await deliverThroughWaits(due)

    expect(warned).toMatchObject({ ok: false, problem: expect.stringContaining('whole or not at all') })
    expect(resent).toMatchObject({ ok: true, accepted: 1, again: 1 })
    expect(due.mail.sentTo()).toEqual([ann.address])
    expect(await standing(database.db)).toEqual({ ann: 'accepted', bob: 'accepted' })
    expect((await batches(database.db)).map(({ state }) => state)).toEqual(['accepted', 'accepted'])
    expect(await violations()).toEqual([])
  })

  it('can be dropped for the others only', async () => {
    const { due, bob } = await annAndBob('before they were taken')
    await heard(database.db, due.batchId, [bob])

    await resolved(due, 'drop')

    expect(await standing(database.db)).toEqual({
      ann: 'excluded: dropped: nobody knows whether it was sent',
      bob: 'accepted',
    })
    expect(await violations()).toEqual([])
  })
})

describe('evidence about every reader of a batch', () => {
  it.each(['quarantined', 'unknown'] as const)(
    'settles one that is %s, by itself and once',
    async (state) => {
      const ann = await people.ann(database.db)
      const due = await plannedIssue(database)
      due.mail.answerNext(lostAnswer('after they were taken'))
      await claimAndLose(due)
      if (state === 'quarantined')
        await database.db.updateTable('batch').set({ state, reason: 'conflict: 409' }).execute()
      const [batch] = await batches(database.db)
      await heard(database.db, batch?.id ?? '', [ann], 'email.bounced')

      const [first, second] = [await confirmByEvidence(due.deps), await confirmByEvidence(due.deps)]
      await deliverThroughWaits(due)

      expect([first, second]).toEqual([1, 0])
      expect(await standing(database.db)).toEqual({ ann: 'accepted' })
      expect(due.mail.accepted).toHaveLength(1)
      expect((await issueNow()).state).toBe('sent')
      expect(await violations()).toEqual([])
      expect(await decisions()).toMatchObject([['webhooks', 'confirm', { withEvidence: 1 }]])
    },
  )

  it('is needed: one reader without any leaves the batch to a person', async () => {
    const { due, ann } = await annAndBob('after they were taken')
    await heard(database.db, due.batchId, [ann])

    expect(await confirmByEvidence(due.deps)).toBe(0)

    expect(await standing(database.db)).toMatchObject({ ann: expect.stringContaining('quarantined') })
  })

  it('leaves nothing to send again', async () => {
    const { due, ann, bob } = await annAndBob('after they were taken')
    await heard(database.db, due.batchId, [ann, bob])

    const resent = await resolved(due, 'resend', { yes: true })

    expect(resent).toMatchObject({ ok: false, problem: expect.stringContaining('quarantine confirm') })
  })
})

describe("Resend's own log", () => {
  it('gives every id of a batch that it took', async () => {
    const { due } = await annAndBob('after they were taken')
    const { account } = await accountOf(due)

    const doubt = await askProvider(
      { db: database.db, now: due.clock(), account },
      await doubtOf(database.db, due.batchId),
    )
    const confirmed = await resolveBatch(due.deps, doubt, 'confirm', { by: 'olga', yes: false })

    expect(doubt.provider).toBe('took it')
    expect(confirmed).toMatchObject({ ok: true, accepted: 2, withoutId: 0 })
    const [batch] = await batches(database.db)
    expect(batch?.provider_ids).toEqual(due.mail.accepted.map(({ id }) => `id-${id}`))
    expect(await violations()).toEqual([])
  })

  it('lets a batch that it never took be sent again without a warning, and warns of confirming it', async () => {
    const { due } = await annAndBob('before they were taken')
    const { account } = await accountOf(due, [inMarch])
    due.clock.pass('PT1H')

    const doubt = await askProvider(
      { db: database.db, now: due.clock(), account },
      await doubtOf(database.db, due.batchId),
    )
    const confirmed = await resolveBatch(due.deps, doubt, 'confirm', { by: 'olga', yes: false })
    const resent = await resolveBatch(due.deps, doubt, 'resend', { by: 'olga', yes: false })

    expect(doubt.provider).toBe('did not take it')
    expect(confirmed).toMatchObject({ ok: false, warned: true })
    expect(resent).toMatchObject({ ok: true, again: 2 })
  })

  it.each([
    ['does not reach back to the first attempt', 'PT1H', []],
    ['may not have the call yet', 'PT1M', [inMarch]],
    ['has a call at that time that cannot be read', 'PT1H', [inMarch, friday]],
  ])('proves nothing where it %s', async (_, later, otherCalls) => {
    const { due } = await annAndBob('before they were taken')
    const { account } = await accountOf(due, otherCalls)
    due.clock.pass(later)

    const doubt = await askProvider(
      { db: database.db, now: due.clock(), account },
      await doubtOf(database.db, due.batchId),
    )

    expect(doubt.provider).toBe('cannot tell')
    expect(await resolveBatch(due.deps, doubt, 'resend', { by: 'olga', yes: false })).toMatchObject({
      ok: false,
      warned: true,
    })
  })

  it('is helped by the list of mails: address, subject and time', async () => {
    const { due, ann } = await annAndBob('after they were taken')
    // Its log has lost the call, its list has the mails, one of them under last week's subject.
    const [first, second] = accountMails(due.mail)
    const listed = [first, second].map((mail, n) => ({
      ...{ id: '', at: friday, key: null, to: '', subject: '', ...mail },
      ...{ tags: {}, subject: n === 0 ? (mail?.subject ?? '') : 'Last week' },
    }))
    const { account, server } = await openAccount(() => listed)
    onTestFinished(() => server.close())

    const doubt = await askProvider(
      { db: database.db, now: due.clock(), account },
      await doubtOf(database.db, due.batchId),
    )

    expect(doubt.members.filter(({ proof }) => proof === 'list').map(({ address }) => address)).toEqual([
      ann.address,
    ])
  })
})

describe('an issue that is cancelled in the middle', () => {
  it('leaves what was under way to a person, once its worker is silent', async () => {
    await people.ann(database.db)
    const due = await plannedIssue(database)
    await claimAs('a', due)
    await decide(due.deps, '2026-W47', 'cancel', 'eve')

    const atOnce = await closeCancelled(due.deps)
    due.clock.pass('PT2M')
    const later = await closeCancelled(due.deps)

    expect([atOnce, later]).toEqual([0, 1])
    expect(await standing(database.db)).toEqual({
      ann: 'quarantined: the answer was lost, and the issue was cancelled',
    })
  })
})

/** Two readers whose one batch is in quarantine. */
async function annAndBob(taken: 'after they were taken' | 'before they were taken') {
  const [ann, bob] = [await people.ann(database.db), await people.bob(database.db)]
  return { ann, bob, due: await issueInQuarantine(database, taken) }
}

async function resolved(due: DueIssue & { batchId: string }, verb: Verb, { yes = false } = {}) {
  return resolveBatch(due.deps, await doubtOf(database.db, due.batchId), verb, { by: 'olga', yes })
}

/** One call whose answer is lost, and nothing after it. */
async function claimAndLose(due: DueIssue): Promise<void> {
  const stop = new AbortController()
  await deliverIssue({ ...due.deps, onProgress: () => stop.abort() }, due.issue.id, stop.signal)
}

async function accountOf(due: DueIssue, otherCalls: readonly string[] = []) {
  const opened = await openAccount(() => accountMails(due.mail), { otherCalls })
  onTestFinished(() => opened.server.close())
  return opened
}

async function decisions() {
  const rows = await database.db
    .selectFrom('decision')
    .select(['by', 'what', 'evidence'])
    .where('batch_id', 'is not', null)
    .orderBy('id')
    .execute()
  return rows.map(({ by, what, evidence }) => [by, what, evidence])
}

async function issueNow(): Promise<Issue> {
  const issue = await findIssue(database.db, '2026-W47')
  if (!issue) throw new Error('Week 47 has no issue')
  return issue
}

async function violations() {
  return (await reconcileIssue(database.db, await issueNow())).violations
}
