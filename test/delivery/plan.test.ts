import { describe, expect, it } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { batchSize } from '../../src/delivery/plan.ts'
import { openForSending } from '../../src/delivery/send.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { useDatabase } from '../setup/database.ts'
import { batches, crowd, dueIssue, friday, plannedIssue, standing } from '../setup/delivery.ts'
import { people, reader } from '../setup/people.ts'
import { openPostOffice } from '../setup/post-office.ts'

const database = useDatabase()

describe('the audience', () => {
  it('is every confirmed reader, and nobody who left, complained, paused or has not confirmed', async () => {
    const { db } = database
    await people.ann(db)
    await people.bobWhoComplained(db)
    const cleo = await people.cleo(db)
    await unsubscribe({ db, clock: () => Temporal.Instant.from(friday) }, cleo.publicId, 'page')
    const joined = { created_at: Temporal.Instant.from(friday), confirmed_at: Temporal.Instant.from(friday) }
    await db
      .insertInto('subscriber')
      .values([
        { ...joined, address: 'dan@example.test', status: 'pending', confirmed_at: null },
        { ...joined, address: 'eve@example.test', status: 'paused', paused_until: joined.created_at },
      ])
      .execute()
    const { deps, mail } = await dueIssue(database)

    await sendIssue(deps, '2026-W47')

    expect(mail.sentTo()).toEqual(['ann@example.test'])
    expect(await standing(db)).toEqual({ ann: 'accepted' })
  })

  it('is frozen once: who joins afterwards gets the next issue', async () => {
    await people.ann(database.db)
    const { deps, mail } = await plannedIssue(database)

    await people.bob(database.db)
    await sendIssue(deps, '2026-W47')

    expect(mail.sentTo()).toEqual(['ann@example.test'])
  })

  it('may be nobody: the issue is sent all the same', async () => {
    const { deps, mail } = await dueIssue(database)

    expect(await sendIssue(deps, '2026-W47')).toEqual({ kind: 'finished', state: 'sent' })
    expect(mail.calls).toEqual([])
  })

  it('is planned once, however often and by however many at once', async () => {
    await people.crowd(database.db, 7)
    const { deps, mail } = await dueIssue(database)

    const together = await Promise.all(
      Array.from({ length: 5 }, () => openForSending(deps, '2026-W47', { early: false })),
    )
    const again = await openForSending(deps, '2026-W47', { early: false })
    await sendIssue(deps, '2026-W47')

    expect([...together, again].map(({ kind }) => kind)).toEqual(Array(6).fill('ready'))
    expect(mail.sentTo()).toEqual(crowd(7))
    expect(await batches(database.db)).toHaveLength(1)
  })
})

describe('the batches', () => {
  it('are as many mails as the transport takes in a call', async () => {
    await people.crowd(database.db, 25)
    const { deps, mail } = await dueIssue(database, {
      mail: openPostOffice({ most: { mails: 10, bytes: 4_000_000 } }),
    })

    await sendIssue(deps, '2026-W47')

    expect(mail.calls.map(({ to }) => to.length)).toEqual([10, 10, 5])
    expect(mail.sentTo()).toEqual(crowd(25))
  })

  it('stay under the bytes that the transport takes in a call', async () => {
    await people.crowd(database.db, 25)
    const most = { mails: 100, bytes: 120_000 }
    const { deps, mail } = await dueIssue(database, { mail: openPostOffice({ most }) })

    await sendIssue(deps, '2026-W47')

    const sizes = mail.calls.map(({ to }) =>
      Buffer.byteLength(JSON.stringify(mail.accepted.filter((one) => to.includes(one.to)))),
    )
    expect(sizes.length).toBeGreaterThan(1)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(most.bytes)
    expect(mail.calls[0]?.to.length).toBeGreaterThan(1)
    expect(mail.sentTo()).toEqual(crowd(25))
  })

  it('have a random id, and a key that names issue, batch and generation', async () => {
    await people.crowd(database.db, 3)
    await plannedIssue(database, { mail: openPostOffice({ most: { mails: 1, bytes: 4_000_000 } }) })

    const cut = await batches(database.db)

    expect(cut.map(({ ordinal }) => ordinal)).toEqual([1, 2, 3])
    expect(new Set(cut.map(({ id }) => id)).size).toBe(3)
    expect(cut.map(({ idempotency_key }) => idempotency_key)).toEqual(
      cut.map(({ id }) => `wv1/2026-W47/${id}/1`),
    )
  })

  it.each([
    ['the number', { mails: 100, bytes: 4_000_000 }, 20_000, 100],
    ['the weight', { mails: 100, bytes: 4_000_000 }, 120_000, 33],
    ['what the ledger has room for', { mails: 5_000, bytes: 4_000_000_000 }, 20_000, 100],
    ['one, where a single mail is heavier than a call should be', { mails: 100, bytes: 10_000 }, 20_000, 1],
  ])('are bounded by %s', (_, most, bytesPerMail, size) => {
    expect(batchSize(most, bytesPerMail)).toBe(size)
  })
})

describe('an issue that may not leave', () => {
  it('is not planned before its time, but for an editor who says so', async () => {
    await reader(database.db, 'ann')
    const { deps, clock, mail } = await dueIssue(database)
    clock.moveTo('2026-11-20T13:59:59Z')

    const refused = await sendIssue(deps, '2026-W47')
    const sent = await sendIssue(deps, '2026-W47', { early: true })

    expect(refused).toMatchObject({ kind: 'refused', problem: expect.stringContaining('--now') })
    expect(sent).toEqual({ kind: 'finished', state: 'sent' })
    expect(mail.sentTo()).toEqual(['ann@example.test'])
  })
})
