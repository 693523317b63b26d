import { sql } from 'kysely'
import { beforeEach, describe, expect, it } from 'vitest'
import { deliverIssue } from '../../src/delivery/deliver.ts'
import { type Earlier, lookAgain, progressOf } from '../../src/delivery/progress.ts'
import { resolveBatch } from '../../src/delivery/quarantine.ts'
import { type Account, accountOf } from '../../src/delivery/report.ts'
import { retryFailed } from '../../src/delivery/retry-failed.ts'
import { openForSending } from '../../src/delivery/send.ts'
import { findIssue, type Issue } from '../../src/issue/issue.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { useDatabase } from '../setup/database.ts'
import {
  claimAs,
  type DueIssue,
  deliverThroughWaits,
  dueIssue,
  lostAnswer,
  plannedIssue,
  takesAll,
} from '../setup/delivery.ts'
import { doubtOf, heard, issueInQuarantine } from '../setup/doubt.ts'
import { people, reader } from '../setup/people.ts'
import { type Answer, openPostOffice } from '../setup/post-office.ts'

const database = useDatabase()
/** What was seen of each issue the last time. */
const looks = new Map<number, Earlier>()
const fewAtOnce = { mails: 2, bytes: 4_000_000 }

beforeEach(() => looks.clear())

describe('how far an issue is', () => {
  it('is the account of its deliveries, from before the first mail to after the last', async () => {
    await people.crowd(database.db, 7)
    const due = await plannedIssue(database, { mail: openPostOffice({ most: fewAtOnce }) })

    expect(await agreed(due)).toMatchObject({ planned: 7, accepted: 0, notYetSent: 7 })
    await claimAs('another', due)
    expect(await agreed(due)).toMatchObject({ planned: 7, accepted: 0, notYetSent: 7 })
    due.clock.pass('PT1H')
    await deliverThroughWaits(due)
    expect(await agreed(due)).toMatchObject({ planned: 7, accepted: 7, notYetSent: 0 })
  })

  it('has who was left out, with why: from the start, and on the way', async () => {
    await people.crowd(database.db, 4)
    const ann = await people.ann(database.db)
    const bob = await people.bob(database.db)
    const cleo = await people.cleo(database.db)
    await database.db
      .updateTable('subscriber')
      .set({ cadence: 'followed' })
      .where('id', '=', cleo.id)
      .execute()
    const due = await plannedIssue(database, { mail: openPostOffice({ most: fewAtOnce }) })
    await unsubscribe(due.deps, ann.publicId, 'page')
    await unsubscribe(due.deps, bob.publicId, 'page')

    await deliverThroughWaits(due)

    expect(await agreed(due)).toMatchObject({
      ...{ planned: 7, accepted: 4, excluded: 3, notYetSent: 0 },
      reasons: [
        { state: 'excluded', reason: expect.stringMatching(/follow/), count: 1 },
        { state: 'excluded', reason: 'unsubscribed', count: 2 },
      ],
    })
  })

  it('has a mail that was refused, though its batch was taken apart for it', async () => {
    await people.crowd(database.db, 5)
    const due = await plannedIssue(database)
    due.mail.answerNext(...Array.from({ length: 8 }, () => refusing('reader-000003@example.test')))

    await deliverThroughWaits(due)

    const account = await agreed(due)
    expect(account).toMatchObject({ planned: 5, rejected: 1, accepted: 4 })
    expect(account.reasons).toEqual([{ state: 'rejected', reason: 'no such domain', count: 1 }])
    await retryFailed(due.deps, due.issue.week, 'eve@example.test')
    expect(await agreed(due)).toMatchObject({ rejected: 0, accepted: 4, notYetSent: 1 })
  })

  it.each(['confirm', 'resend', 'drop'] as const)(
    'has what is in doubt, and what became of it once somebody decided: %s',
    async (verb) => {
      const ann = await people.ann(database.db)
      await people.bob(database.db)
      const due = await issueInQuarantine(database, 'before they were taken')
      expect(await agreed(due)).toMatchObject({ quarantined: 2, accepted: 0 })

      await heard(database.db, due.batchId, [ann])
      const doubt = await doubtOf(database.db, due.batchId)
      await resolveBatch(due.deps, doubt, verb, { by: 'eve@example.test', yes: true })

      const account = await agreed(due)
      expect(account).toMatchObject({
        quarantined: 0,
        ...{
          confirm: { accepted: 2 },
          resend: { accepted: 1, notYetSent: 1 },
          drop: { accepted: 1, excluded: 1 },
        }[verb],
      })
    },
  )

  it('keeps a batch whose answer was lost among what is not yet sent', async () => {
    await people.crowd(database.db, 3)
    const due = await plannedIssue(database)
    due.mail.answerNext(lostAnswer('after they were taken'))
    await deliverIssue(due.deps, due.issue.id)

    expect(await agreed(due)).toMatchObject({ notYetSent: 3, accepted: 0 })
  })

  it('is right for who looks again and again, though what was accepted long ago is not read again', async () => {
    await people.crowd(database.db, 12)
    const [ann, bob] = [await people.ann(database.db), await people.bob(database.db)]
    const mail = openPostOffice({ most: { mails: 5, bytes: 4_000_000 } })
    const due = await plannedIssue(database, { mail })
    mail.answerNext(...Array.from({ length: 9 }, () => refusing('reader-000007@example.test')))
    await unsubscribe(due.deps, ann.publicId, 'page')

    for (let calls = 0; calls < 12; calls += 1) {
      await agreed(due)
      if (calls === 3) await unsubscribe(due.deps, bob.publicId, 'page')
      await deliverOneBatch(due)
      due.clock.pass('PT50S')
    }

    expect(await agreed(due)).toMatchObject({ planned: 14, rejected: 1, excluded: 2, accepted: 11 })
    // Had they been read again, they would be missed now.
    await sql`delete from batch where accepted_at < ${due.clock().subtract({ minutes: 2 })}`.execute(
      database.db,
    )
    const seen = looks.get(due.issue.id)
    const { account } = await lookAgain(
      database.db,
      due.issue,
      due.clock(),
      seen && { ...seen, countedAt: due.clock() },
    )
    expect(account).toMatchObject({ rejected: 1, excluded: 2, accepted: 11 })
    const later = await lookAgain(database.db, due.issue, due.clock().add({ minutes: 2 }), seen)
    expect(later.account.accepted).toBeLessThan(11)
  })

  it('says how fast it goes: over the last minute and over all, pauses included', async () => {
    await people.crowd(database.db, 120)
    const due = await plannedIssue(database, {
      mail: openPostOffice({ most: { mails: 60, bytes: 4_000_000 } }),
    })
    const issue = await planned(due)
    const rate = async () => (await progressOf(database.db, issue, due.clock())).rate

    due.clock.pass('PT10S')
    await deliverThroughWaits(due)
    expect(await rate()).toEqual({ lately: 12, overall: 12 })
    due.clock.pass('PT20S')
    expect(await rate()).toEqual({ lately: 4, overall: 4 })
    due.clock.pass('PT5M')
    expect(await rate()).toEqual({ lately: 0, overall: 12 })
  })

  it('reads batches and those who were left out, whatever the number of deliveries', async () => {
    await people.crowd(database.db, 6)
    const left = await reader(database.db, 'dora')
    const due = await dueIssue(database)
    await deliverEverything(due)
    await unsubscribe(due.deps, left.publicId, 'page')
    const counted = await progressOf(database.db, due.issue, due.clock())

    // Deliveries that nobody was left out of are not looked at.
    await sql`delete from delivery where exception is null`.execute(database.db)

    expect(await progressOf(database.db, due.issue, due.clock())).toEqual(counted)
  })
})

/** The cheap account, which is the one that counts every delivery, also for who looked a while ago and now looks again. */
async function agreed({ clock, issue }: DueIssue) {
  const { account } = await progressOf(database.db, issue, clock())
  const exact = await accountOf(database.db, issue.id)
  expect(told(account)).toEqual(told(exact))
  const seen = looks.get(issue.id)
  const again = await lookAgain(database.db, issue, clock(), seen && { ...seen, countedAt: clock() })
  expect(told(again.account)).toEqual(told(exact))
  looks.set(issue.id, again.earlier)
  return told(account)
}

function told(account: Account): Account {
  const states = ['excluded', 'rejected', 'quarantined']
  return { ...account, reasons: account.reasons.filter(({ state }) => states.includes(state)) }
}

/** A provider that refuses a call in which there is this address. */
function refusing(address: string): Answer {
  return (mails) => {
    const isRefused = mails.some(({ to }) => to === address)
    const outcome = isRefused ? { kind: 'rejected' as const, reason: 'no such domain' } : takesAll(mails)
    return { outcome, deliver: !isRefused }
  }
}

async function planned({ deps, issue }: DueIssue): Promise<Issue> {
  const found = await findIssue(deps.db, issue.week)
  if (!found) throw new Error(`${issue.week} is gone`)
  return found
}

async function deliverOneBatch({ deps, issue }: DueIssue): Promise<void> {
  const stop = new AbortController()
  await deliverIssue({ ...deps, onProgress: () => stop.abort() }, issue.id, stop.signal)
}

async function deliverEverything(due: DueIssue): Promise<void> {
  await openForSending(due.deps, due.issue.week, { early: false })
  await deliverThroughWaits(due)
}
