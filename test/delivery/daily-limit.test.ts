import { describe, expect, it } from 'vitest'
import { runTimetable } from '../../jobs/work.ts'
import type { DailyLimit } from '../../src/delivery/daily-limit.ts'
import { deliverIssue } from '../../src/delivery/deliver.ts'
import { openForSending } from '../../src/delivery/send.ts'
import { findIssue } from '../../src/issue/issue.ts'
import { useDatabase } from '../setup/database.ts'
import { batches, dueIssue, lostAnswer } from '../setup/delivery.ts'
import { people } from '../setup/people.ts'
import { openPostOffice } from '../setup/post-office.ts'

const database = useDatabase()
const tens = { mails: 10, bytes: 4_000_000 }

describe('a domain that warms up', () => {
  it('sends as many mails on each of its first days as were set for it, and then whatever there is', async () => {
    const due = await sending(95, { warmUp: [20, 30], quota: undefined })
    const sentBy: number[] = []

    for (let day = 0; day < 3; day += 1) {
      const delivered = await deliverIssue(due.deps, due.issue.id)
      sentBy.push(due.mail.accepted.length)
      if (delivered.kind === 'waiting') due.clock.moveTo(delivered.until)
    }

    expect(sentBy).toEqual([20, 50, 95])
    expect(await findIssue(database.db, due.issue.week)).toMatchObject({ state: 'sent' })
  })

  it('waits for the beginning of the next day, in UTC', async () => {
    const due = await sending(30, { warmUp: [10], quota: undefined })

    const delivered = await deliverIssue(due.deps, due.issue.id)

    expect(delivered).toMatchObject({ kind: 'waiting' })
    expect(delivered.kind === 'waiting' && delivered.until.toString()).toBe('2026-11-21T00:00:00Z')
  })

  it('is not parked as late, although it takes days', async () => {
    const due = await sending(40, { warmUp: [], quota: 10 })

    for (let day = 0; day < 4; day += 1) {
      await runTimetable(due.deps)
      due.clock.pass('PT24H')
    }
    await runTimetable(due.deps)

    expect(due.mail.sentTo()).toHaveLength(40)
    expect(await findIssue(database.db, due.issue.week)).toMatchObject({ state: 'sent' })
  })
})

describe('a daily quota', () => {
  it('cuts batches that fit into a day, so that none waits for ever', async () => {
    await sending(12, { warmUp: [], quota: 5 })

    expect((await batches(database.db)).map(({ size }) => size)).toEqual([5, 5, 2])
  })

  it('counts a batch once, however often it is tried, and one in doubt goes on when the day is full', async () => {
    const due = await sending(20, { warmUp: [], quota: 10 })
    due.mail.answerNext(lostAnswer('after they were taken'))
    await deliverIssue(due.deps, due.issue.id)

    due.clock.pass('PT1S')
    const delivered = await deliverIssue(due.deps, due.issue.id)

    expect(delivered).toMatchObject({ kind: 'waiting' })
    expect(due.mail.sentTo()).toHaveLength(10)
    expect((await batches(database.db)).map(({ state }) => state)).toEqual(['accepted', 'built'])
  })

  it('does not count mails that were refused', async () => {
    const due = await sending(20, { warmUp: [], quota: 10 })
    due.mail.answerNext({ kind: 'rejected', reason: 'no such mailbox' })

    await deliverIssue(due.deps, due.issue.id)

    expect(due.mail.sentTo()).toHaveLength(10)
  })
})

async function sending(readers: number, dailyLimit: DailyLimit) {
  await people.crowd(database.db, readers)
  const due = await dueIssue(database, { mail: openPostOffice({ most: tens }), dailyLimit })
  const ready = await openForSending(due.deps, due.issue.week, { early: false })
  if (ready.kind !== 'ready') throw new Error(JSON.stringify(ready))
  return due
}
