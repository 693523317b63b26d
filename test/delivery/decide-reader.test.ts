import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { claimBatch } from '../../src/delivery/claim.ts'
import { decideReader, type ReaderWish } from '../../src/delivery/decide-reader.ts'
import { deliverIssue } from '../../src/delivery/deliver.ts'
import { reconcileIssue } from '../../src/delivery/reconcile.ts'
import { eraseReader } from '../../src/subscriber/erase.ts'
import { clockAt } from '../setup/clock.ts'
import { isOnPostgres, untilSomebodyWaits, useDatabase } from '../setup/database.ts'
import { friday, plannedIssue, standing } from '../setup/delivery.ts'
import { everything, tablesWith } from '../setup/everything.ts'
import { testKeys } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { openPostOffice } from '../setup/post-office.ts'
import { openDesk } from '../setup/sign-ups.ts'

const database = useDatabase()
const clock = clockAt(friday)
const eve = 'eve@example.test'
const deps = {
  get db() {
    return database.db
  },
  clock,
  keys: testKeys,
}

const wishes: readonly ReaderWish[] = [
  ...(['resend confirmation', 'end pause', 'unsubscribe', 'suppress'] as const).map((action) => ({ action })),
  { action: 'lift suppression', why: 'they asked for it' },
  { action: 'erase', typed: 'ann@example.test' },
]

describe('deciding about a reader', () => {
  it.each(wishes)('who was erased meanwhile changes nothing: $action', async (wish) => {
    const ann = await people.ann(database.db)
    await eraseReader(deps, ann.publicId, 'page')
    const before = await everything(database.db)

    const decided = await decideReader(deps, ann.publicId, wish, eve)

    expect(decided.ok).toBe(false)
    expect(await everything(database.db)).toEqual(before)
  })

  it.each(wishes)('who never was changes nothing: $action', async (wish) => {
    const before = await everything(database.db)

    const decided = await decideReader(deps, '3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f', wish, eve)

    expect(decided.ok).toBe(false)
    expect(await everything(database.db)).toEqual(before)
  })

  it.each(['unsubscribe', 'suppress'] as const)('ten times at once is one decision: %s', async (action) => {
    const ann = await people.ann(database.db)

    const decided = await Promise.all(
      Array.from({ length: 10 }, () => decideReader(deps, ann.publicId, { action }, eve)),
    )

    expect(decided.filter(({ ok }) => ok)).toHaveLength(1)
    expect(await decisions()).toEqual([{ what: action, by: eve, evidence: { reader: ann.publicId } }])
  })

  it('takes them off the list, with how, and names them in the log by a number only', async () => {
    const ann = await people.ann(database.db)

    await decideReader(deps, ann.publicId, { action: 'unsubscribe' }, eve)

    const record = await database.db
      .selectFrom('consent_event')
      .select(['kind', 'method'])
      .orderBy('id')
      .execute()
    expect(record.at(-1)).toEqual({ kind: 'unsubscribed', method: 'editor' })
    expect(await tablesWith(database.db, ann.address)).toEqual(['subscriber'])
  })

  it('ends a pause once', async () => {
    const ann = await people.ann(database.db)
    await database.db
      .updateTable('subscriber')
      .set({ status: 'paused', paused_until: clock().add({ hours: 1000 }) })
      .execute()

    expect(await decideReader(deps, ann.publicId, { action: 'end pause' }, eve)).toMatchObject({ ok: true })
    expect(await decideReader(deps, ann.publicId, { action: 'end pause' }, eve)).toEqual({
      ...{ ok: false, why: 'not paused' },
    })
  })

  it('erases only who is meant, and everything of them', async () => {
    const ann = await people.ann(database.db)
    await people.bob(database.db)

    const wrong = await decideReader(deps, ann.publicId, { action: 'erase', typed: 'bob@example.test' }, eve)
    const right = await decideReader(deps, ann.publicId, { action: 'erase', typed: ' ANN@example.test' }, eve)

    expect([wrong, right]).toEqual([
      { ok: false, why: 'another address' },
      { ok: true, evidence: {} },
    ])
    expect(await tablesWith(database.db, ann.address)).toEqual([])
    expect(await tablesWith(database.db, 'bob@example.test')).toEqual(['subscriber'])
    expect(await decisions()).toEqual([{ what: 'erase', by: eve, evidence: { reader: ann.publicId } }])
  })
})

describe('lifting a suppression', () => {
  it.each([
    ['by hand', 'it was a mistake', true],
    ['by hand', 'the mailbox works again', false],
    ['bounced', 'the mailbox works again', true],
    ['complained', 'they asked for it', true],
    ['complained', 'it was a mistake', false],
    ['complained', 'the mailbox works again', false],
  ] as const)('that came because %s, because %s: %s', async (reason, why, isLifted) => {
    const ann = await people.ann(database.db)
    await database.db
      .insertInto('suppression')
      .values({ address: ann.address, reason, since: clock() })
      .execute()

    const decided = await decideReader(deps, ann.publicId, { action: 'lift suppression', why }, eve)

    const left = await database.db.selectFrom('suppression').select('reason').execute()
    expect(decided.ok).toBe(isLifted)
    expect(left).toEqual(isLifted ? [] : [{ reason }])
    expect(await decisions()).toEqual(
      isLifted
        ? [{ what: 'lift suppression', by: eve, evidence: { reader: ann.publicId, was: reason, why } }]
        : [],
    )
  })
})

describe('sending the confirmation again', () => {
  it('brings a fresh letter to who has not confirmed, as often as a form would, and no more', async () => {
    const { deps: desk, mail, signUp, clock: time } = openDesk(database)
    await signUp('ann@example.test')
    const { public_id } = await database.db
      .selectFrom('subscriber')
      .select('public_id')
      .executeTakeFirstOrThrow()
    const again = () => decideReader(desk, public_id, { action: 'resend confirmation' }, eve)

    const tooSoon = await again()
    time.pass('PT11M')
    const second = await again()
    time.pass('PT11M')
    const third = await again()
    time.pass('PT11M')
    const fourth = await again()

    const letters = await database.db.selectFrom('letter').select('kind').execute()
    expect([tooSoon, second, third, fourth]).toMatchObject([
      { ok: false, why: 'over the address limit' },
      { ok: true },
      { ok: true },
      { ok: false, why: 'over the address limit' },
    ])
    expect(letters).toEqual(Array(3).fill({ kind: 'confirm' }))
    expect(mail.accepted).toHaveLength(1)
    expect((await decisions()).map(({ what }) => what)).toEqual(Array(2).fill('resend confirmation'))
  })

  it('is refused for a suppressed address, and for who is on the list', async () => {
    const { deps: desk, signUp, clock: time } = openDesk(database)
    await signUp('ann@example.test')
    time.pass('PT11M')
    await database.db
      .insertInto('suppression')
      .values({ address: 'ann@example.test', reason: 'bounced', since: clock() })
      .execute()
    const bob = await people.bob(database.db)
    const ann = await database.db
      .selectFrom('subscriber')
      .select('public_id')
      .where('status', '=', 'pending')
      .executeTakeFirstOrThrow()
    const ask = (publicId: string) => decideReader(desk, publicId, { action: 'resend confirmation' }, eve)

    expect(await ask(ann.public_id)).toEqual({ ok: false, why: 'suppressed' })
    expect(await ask(bob.publicId)).toEqual({ ok: false, why: 'not pending' })
  })
})

describe.runIf(isOnPostgres)('an editor who decides while a batch is being claimed', () => {
  it.each(['unsubscribe', 'suppress'] as const)(
    'waits for a claim that was there first, which then still has that reader: %s',
    async (action) => {
      const ann = await people.ann(database.db)
      await plannedIssue(database)
      const claiming = await database.db.startTransaction().execute()
      await sql`select from batch for update`.execute(claiming)

      let isDone = false
      const deciding = decideReader(deps, ann.publicId, { action }, eve).then(() => {
        isDone = true
      })
      await untilSomebodyWaits(database.db)
      const doneBefore = isDone
      await claiming.commit().execute()
      await deciding

      expect([doneBefore, isDone]).toEqual([false, true])
    },
  )

  it.each(wishes.filter(({ action }) => ['unsubscribe', 'suppress', 'erase'].includes(action)))(
    'who was first leaves the reader out: $action',
    async (wish) => {
      const ann = await people.ann(database.db)
      await people.bob(database.db)
      const due = await plannedIssue(database)

      await decideReader(deps, ann.publicId, wish, eve)
      const claim = await claimBatch({ ...due.deps, repeatable: true }, due.issue.id)

      expect(claim.kind === 'claimed' && claim.claim.members.map(({ address }) => address)).toEqual([
        'bob@example.test',
      ])
    },
  )

  it('is strictly before or after it, whoever wins a race of many, and nobody is mailed afterwards', async () => {
    await people.crowd(database.db, 40)
    const readers = await database.db.selectFrom('subscriber').select(['public_id', 'address']).execute()
    const mail = openPostOffice({ most: { mails: 4, bytes: 4_000_000 }, concurrency: 4 })
    const due = await plannedIssue(database, { mail })

    await Promise.all([
      deliverIssue(due.deps, due.issue.id),
      ...readers.flatMap(({ public_id, address }) => [
        decideReader(due.deps, public_id, { action: 'unsubscribe' }, eve),
        decideReader(due.deps, public_id, { action: 'suppress' }, 'sam@example.test'),
        decideReader(due.deps, public_id, { action: 'erase', typed: address ?? '' }, eve),
      ]),
    ])

    const { account, violations } = await reconcileIssue(database.db, due.issue)
    expect(violations).toEqual([])
    expect(account).toMatchObject({ planned: 40, accepted: mail.accepted.length, notYetSent: 0 })
    expect(Object.keys(await standing(database.db))).toEqual(['erased'])
    expect(await tablesWith(database.db, 'reader-0')).toEqual([])
  })
})

/** What was decided about readers, oldest first; not what made the issue. */
function decisions() {
  return database.db
    .selectFrom('decision')
    .select(['what', 'by', 'evidence'])
    .where('issue_id', 'is', null)
    .orderBy('id')
    .execute()
}
