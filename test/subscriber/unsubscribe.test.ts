import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { claimBatch } from '../../src/delivery/claim.ts'
import { audienceLock, orderWithClaims } from '../../src/subscriber/order-with-claims.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { clockAt } from '../setup/clock.ts'
import { isOnPostgres, untilSomebodyWaits, useDatabase } from '../setup/database.ts'
import { dueIssue, plannedIssue, standing } from '../setup/delivery.ts'
import { people } from '../setup/people.ts'
import { openPostOffice } from '../setup/post-office.ts'

const database = useDatabase()
const clock = clockAt('2026-11-18T14:00:00Z')

describe('unsubscribing', () => {
  it('takes the reader off the list and writes down how', async () => {
    const ann = await people.ann(database.db)
    const { deps, mail } = await dueIssue(database)

    const isGone = await unsubscribe({ db: database.db, clock }, ann.publicId, 'one-click')
    await sendIssue(deps, '2026-W47')

    expect(isGone).toBe(true)
    expect(mail.sentTo()).toEqual([])
    expect(await departures()).toMatchObject([{ subscriber_id: ann.id, at: clock(), method: 'one-click' }])
  })

  it('twenty times at once is one departure', async () => {
    const ann = await people.ann(database.db)

    const answers = await Promise.all(
      Array.from({ length: 20 }, () => unsubscribe({ db: database.db, clock }, ann.publicId, 'page')),
    )

    expect(answers).toEqual(Array(20).fill(true))
    expect(await departures()).toHaveLength(1)
  })

  it('does not touch anybody else', async () => {
    const [ann] = [await people.ann(database.db), await people.bob(database.db)]

    await unsubscribe({ db: database.db, clock }, ann.publicId, 'page')

    expect(
      await database.db.selectFrom('subscriber').select(['address', 'status']).orderBy('id').execute(),
    ).toEqual([
      { address: 'ann@example.test', status: 'unsubscribed' },
      { address: 'bob@example.test', status: 'confirmed' },
    ])
  })

  it('ends a pause as well', async () => {
    const ann = await people.ann(database.db)
    await database.db
      .updateTable('subscriber')
      .set({ status: 'paused', paused_until: clock().add({ hours: 24 }) })
      .execute()

    expect(await unsubscribe({ db: database.db, clock }, ann.publicId, 'page')).toBe(true)
    expect(await departures()).toHaveLength(1)
  })

  it('finds nobody under an id that is nobody’s', async () => {
    expect(
      await unsubscribe({ db: database.db, clock }, '3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f', 'page'),
    ).toBe(false)
  })
})

describe.runIf(isOnPostgres)('unsubscribing while a batch is being claimed', () => {
  it('waits for a claim that was there first, which then still has that reader', async () => {
    const ann = await people.ann(database.db)
    const due = await plannedIssue(database)
    const claiming = await database.db.startTransaction().execute()
    await sql`select from batch for update`.execute(claiming)

    let isGone = false
    const leaving = unsubscribe(due.deps, ann.publicId, 'one-click').then(() => {
      isGone = true
    })
    await untilSomebodyWaits(database.db)
    const goneBefore = isGone
    await claiming.commit().execute()
    await leaving

    expect([goneBefore, isGone]).toEqual([false, true])
  })

  it('keeps its batch from a claim until it has committed; then that reader is left out', async () => {
    const ann = await people.ann(database.db)
    await people.bob(database.db)
    const due = await plannedIssue(database)
    const leaving = await database.db.startTransaction().execute()
    await orderWithClaims(leaving, [ann.id])
    await leaving
      .updateTable('subscriber')
      .set({ status: 'unsubscribed', unsubscribed_at: clock() })
      .where('id', '=', ann.id)
      .execute()

    const before = await claimBatch({ ...due.deps, repeatable: true }, due.issue.id)
    await leaving.commit().execute()
    const after = await claimBatch({ ...due.deps, repeatable: true }, due.issue.id)

    expect(before.kind).toBe('waiting')
    expect(after.kind === 'claimed' && after.claim.members.map(({ address }) => address)).toEqual([
      'bob@example.test',
    ])
    expect(await standing(database.db)).toMatchObject({ ann: 'excluded: unsubscribed' })
  })

  it('waits for a freeze that is about to commit, and then finds its delivery', async () => {
    const ann = await people.ann(database.db)
    const due = await dueIssue(database)
    const freezing = await database.db.startTransaction().execute()
    await sql`select pg_advisory_xact_lock(${audienceLock})`.execute(freezing)

    const leaving = unsubscribe(due.deps, ann.publicId, 'one-click')
    await untilSomebodyWaits(database.db)
    await freezing.commit().execute()

    expect(await leaving).toBe(true)
  })

  it('is strictly before or after it, whoever wins a race of many', async () => {
    await people.crowd(database.db, 30)
    const ids = await database.db.selectFrom('subscriber').select(['public_id', 'address']).execute()
    const { deps, issue, mail } = await plannedIssue(database, {
      mail: openPostOffice({ most: { mails: 1, bytes: 4_000_000 } }),
    })

    const sending = sendIssue({ ...deps, transport: { ...mail, concurrency: 4 } }, issue.week)
    await Promise.all(ids.map(({ public_id }) => unsubscribe(deps, public_id, 'one-click')))
    await sending

    const claimedFor = await database.db.selectFrom('attempt').select('members').execute()
    const excluded = await database.db
      .selectFrom('delivery')
      .select('address')
      .where('exception', '=', 'excluded')
      .execute()
    expect(mail.accepted).toHaveLength(claimedFor.length)
    expect(claimedFor.length + excluded.length).toBe(30)
    expect(mail.sentTo().filter((to) => excluded.some(({ address }) => address === to))).toEqual([])
  })
})

function departures() {
  return database.db.selectFrom('consent_event').selectAll().where('kind', '=', 'unsubscribed').execute()
}
