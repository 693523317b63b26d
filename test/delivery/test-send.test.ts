import { describe, expect, it } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { testReader } from '../../src/delivery/personalise.ts'
import { sendTest } from '../../src/delivery/test-send.ts'
import { readToken } from '../../src/subscriber/token.ts'
import { useDatabase } from '../setup/database.ts'
import { type DueIssue, dueIssue } from '../setup/delivery.ts'
import { testKeys } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'

const database = useDatabase()

describe('a test mail', () => {
  it('is the issue, marked, through the transport that readers get it by', async () => {
    const due = await dueIssue(database)

    const outcome = await test(due, 'eve@example.test')

    const [mail] = due.mail.accepted
    expect(outcome.kind).toBe('accepted')
    expect(mail?.to).toBe('eve@example.test')
    expect(mail?.subject).toMatch(/^\[Test\] ./)
    const edition = await database.db.selectFrom('edition').selectAll().executeTakeFirstOrThrow()
    expect(mail?.subject).toBe(`[Test] ${edition.subject}`)
    expect(mail?.html).toContain('/unsubscribe/')
  })

  it('leaves the ledger and the issue as they are', async () => {
    await people.ann(database.db)
    const due = await dueIssue(database)
    const before = await everythingIn()

    await test(due, 'ann@example.test')

    expect(await everythingIn()).toEqual(before)
  })

  it('does not count as the mail that a reader gets', async () => {
    await people.ann(database.db)
    const due = await dueIssue(database)
    await test(due, 'ann@example.test')

    await sendIssue(due.deps, '2026-W47')

    expect(due.mail.sentTo()).toEqual(['ann@example.test', 'ann@example.test'])
    expect(due.mail.accepted.map(({ subject }) => subject.startsWith('[Test] '))).toEqual([true, false])
  })

  it('arrives again when it is asked for again', async () => {
    const due = await dueIssue(database)

    await test(due, 'eve@example.test')
    await test(due, 'eve@example.test')

    expect(due.mail.accepted).toHaveLength(2)
    expect(new Set(due.mail.accepted.map(({ id }) => id)).size).toBe(2)
    expect(new Set(due.mail.calls.map(({ key }) => key)).size).toBe(2)
  })

  it('has links of nobody, even when it goes to a reader', async () => {
    const ann = await people.ann(database.db)
    const due = await dueIssue(database)

    await test(due, ann.address)

    const header = due.mail.accepted[0]?.headers['List-Unsubscribe'] ?? ''
    const token = header.slice(1, -1).split('/').at(-1) ?? ''
    expect(readToken(testKeys, 'unsubscribe', token)).toBe(testReader)
  })

  it('says so when the transport does not take it', async () => {
    const due = await dueIssue(database)
    due.mail.answerNext({ kind: 'halt', reason: 'the key is not known' })

    expect(await test(due, 'eve@example.test')).toEqual({ kind: 'halt', reason: 'the key is not known' })
  })
})

function test({ deps, issue }: DueIssue, address: string) {
  return sendTest(deps, { week: issue.week, editionHash: issue.edition_hash ?? '' }, address)
}

async function everythingIn() {
  const { db } = database
  return {
    issues: await db.selectFrom('issue').selectAll().execute(),
    batches: await db.selectFrom('batch').selectAll().execute(),
    deliveries: await db.selectFrom('delivery').selectAll().execute(),
    attempts: await db.selectFrom('attempt').selectAll().execute(),
  }
}
