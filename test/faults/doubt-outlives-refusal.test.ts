import { describe, expect, it } from 'vitest'
import { deliverIssue } from '../../src/delivery/deliver.ts'
import { decide } from '../../src/issue/decide.ts'
import type { SendOutcome } from '../../src/mail/email.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { useDatabase } from '../setup/database.ts'
import { batches, deliverThroughWaits, lostAnswer, plannedIssue } from '../setup/delivery.ts'
import { people } from '../setup/people.ts'

const database = useDatabase()
const putOff: SendOutcome = {
  kind: 'retry',
  after: Temporal.Duration.from('PT1S'),
  reason: '429 rate_limit_exceeded',
}
const overQuota: SendOutcome = { kind: 'halt', reason: 'the daily quota is used up' }

describe('a batch whose answer was lost, and whose next call the provider refused,', () => {
  it('is still in doubt: once a reader has left it goes to a person, not out under a new key', async () => {
    const { db } = database
    await people.ann(db)
    const bob = await people.bob(db)
    const due = await plannedIssue(database)
    due.mail.answerNext(lostAnswer('after they were taken'), putOff)
    await deliverIssue(due.deps, due.issue.id)
    due.clock.pass('PT2S')
    await deliverIssue(due.deps, due.issue.id)

    await unsubscribe(due.deps, bob.publicId, 'one-click')
    await deliverThroughWaits(due)

    expect(due.mail.sentTo()).toEqual(['ann@example.test', 'bob@example.test'])
    expect(await states()).toEqual(['quarantined'])
  })

  it('is not sent once its key has been forgotten, however long the quota held it up', async () => {
    await people.ann(database.db)
    const due = await plannedIssue(database)
    due.mail.answerNext(lostAnswer('after they were taken'), overQuota)
    await deliverIssue(due.deps, due.issue.id)
    due.clock.pass('PT2S')
    await deliverIssue(due.deps, due.issue.id)

    due.clock.pass('PT25H')
    await decide(due.deps, due.issue.week, 'release', 'eve@example.test')
    await deliverThroughWaits(due)

    expect(due.mail.calls).toHaveLength(2)
    expect(await states()).toEqual(['quarantined'])
  })

  it('goes out under its old key while nobody has left', async () => {
    await people.ann(database.db)
    const due = await plannedIssue(database)
    due.mail.answerNext(lostAnswer('before they were taken'), putOff)

    await deliverThroughWaits(due)

    expect(new Set(due.mail.calls.map(({ key }) => key)).size).toBe(1)
    expect(due.mail.sentTo()).toEqual(['ann@example.test'])
    expect(await states()).toEqual(['accepted'])
  })
})

async function states(): Promise<readonly string[]> {
  return (await batches(database.db)).map(({ state }) => state)
}
