import { describe, expect, it } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { lookAtTimetable } from '../../jobs/tick.ts'
import { reconcileIssue } from '../../src/delivery/reconcile.ts'
import { retryFailed } from '../../src/delivery/retry-failed.ts'
import { findIssue } from '../../src/issue/issue.ts'
import type { Mail } from '../../src/mail/email.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { useDatabase } from '../setup/database.ts'
import { deliverThroughWaits, dueIssue, plannedIssue, standing, takesAll } from '../setup/delivery.ts'
import { people } from '../setup/people.ts'

const database = useDatabase()
const week = '2026-W47'

describe('trying the refused mails of an issue again', () => {
  it('sends each under a key that was never used, and nobody who has the issue gets it again', async () => {
    const due = await bobRefused()

    const retried = await retryFailed(due.deps, week, 'olga')
    await deliverThroughWaits(due)

    expect(retried).toEqual({ ok: true, mails: 1 })
    expect(due.mail.sentTo()).toEqual(['ann@example.test', 'bob@example.test', 'cleo@example.test'])
    const keysOfBob = due.mail.calls
      .filter(({ to }) => to.join() === 'bob@example.test')
      .map(({ key }) => key)
    expect(new Set(keysOfBob).size).toBe(keysOfBob.length)
    expect(await standing(database.db)).toEqual({ ann: 'accepted', bob: 'accepted', cleo: 'accepted' })
    expect(await proof()).toMatchObject({ state: 'sent', violations: [], account: { accepted: 3 } })
    expect(await decisions()).toEqual([{ by: 'olga', what: 'retry failed', evidence: { mails: 1 } }])
  })

  it('leaves out who has left since', async () => {
    const due = await bobRefused()
    await unsubscribe(due.deps, due.bob.publicId, 'page')

    await retryFailed(due.deps, week, 'olga')
    await deliverThroughWaits(due)

    expect(await standing(database.db)).toMatchObject({ bob: 'excluded: unsubscribed' })
    expect(due.mail.sentTo()).not.toContain('bob@example.test')
    expect(await proof()).toMatchObject({ state: 'sent', violations: [] })
  })

  it('leaves the issue partly sent when they are refused again, and can be asked for again', async () => {
    const due = await bobRefused()

    await retryFailed(due.deps, week, 'olga')
    due.mail.answerNext({ kind: 'rejected', reason: 'still no such mailbox' })
    await deliverThroughWaits(due)
    const again = await retryFailed(due.deps, week, 'olga')
    await deliverThroughWaits(due)

    expect(again).toEqual({ ok: true, mails: 1 })
    expect(await proof()).toMatchObject({ state: 'sent', violations: [] })
  })

  it('changes nothing where nothing was refused', async () => {
    await people.ann(database.db)
    const due = await dueIssue(database)
    await sendIssue(due.deps, week)

    expect(await retryFailed(due.deps, week, 'olga')).toEqual({ ok: true, mails: 0 })

    expect(await decisions()).toEqual([])
    expect(await proof()).toMatchObject({ state: 'sent' })
  })

  it.each([
    ['sending', 'When it is done'],
    ['paused', 'verdict release'],
    ['cancelled', 'was cancelled'],
  ] as const)('is refused while the issue is %s, with what to do', async (state, way) => {
    await people.ann(database.db)
    const due = await plannedIssue(database)
    await database.db.updateTable('issue').set({ state, reason: 'because' }).execute()

    expect(await retryFailed(due.deps, week, 'olga')).toMatchObject({
      ok: false,
      problem: expect.stringContaining(way),
    })
  })

  it('is refused before anything was sent, and for a week without an issue', async () => {
    const due = await dueIssue(database)

    expect(await retryFailed(due.deps, week, 'olga')).toMatchObject({
      ok: false,
      problem: expect.stringContaining('nothing of it has been tried'),
    })
    expect(await retryFailed(due.deps, '2026-W48', 'olga')).toMatchObject({
      ok: false,
      problem: expect.stringContaining('There is no issue'),
    })
  })

  it('has as long as any issue before the timetable parks it again, however late it is', async () => {
    const due = await bobRefused()
    due.clock.pass('PT120H')
    await retryFailed(due.deps, week, 'olga')
    await lookAtTimetable(due.deps)
    const atOnce = (await proof()).state

    due.clock.pass('PT37H')
    await lookAtTimetable(due.deps)

    expect([atOnce, (await proof()).state]).toEqual(['sending', 'paused'])
  })
})

/** Ann and cleo have week 47; bob's mail was refused when it stood alone. */
async function bobRefused() {
  const { db } = database
  const [, bob] = [await people.ann(db), await people.bob(db), await people.cleo(db)]
  const due = await plannedIssue(database)
  // All three, two and one of them, ann, bob: five calls in some order, of which three have bob in them.
  const withoutBob = (mails: readonly Mail[]) =>
    mails.some(({ to }) => to === bob.address)
      ? { outcome: { kind: 'rejected' as const, reason: 'no such mailbox' }, deliver: false }
      : { outcome: takesAll(mails), deliver: true }
  due.mail.answerNext(...Array.from({ length: 5 }, () => withoutBob))
  await deliverThroughWaits(due)
  expect(await standing(db)).toEqual({ ann: 'accepted', bob: 'rejected: no such mailbox', cleo: 'accepted' })
  return { ...due, bob }
}

async function proof() {
  const issue = await findIssue(database.db, week)
  if (!issue) throw new Error('Week 47 has no issue')
  return { state: issue.state, ...(await reconcileIssue(database.db, issue)) }
}

function decisions() {
  return database.db
    .selectFrom('decision')
    .select(['by', 'what', 'evidence'])
    .where('what', '=', 'retry failed')
    .orderBy('id')
    .execute()
}
