import { Readable } from 'node:stream'
import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { claimBatch } from '../../src/delivery/claim.ts'
import { deliverIssue } from '../../src/delivery/deliver.ts'
import { reconcileIssue } from '../../src/delivery/reconcile.ts'
import { castVote } from '../../src/subscriber/cast-vote.ts'
import { changeAddress, requestAddressChange } from '../../src/subscriber/change-address.ts'
import { explainDeparture } from '../../src/subscriber/departure.ts'
import { eraseReader } from '../../src/subscriber/erase.ts'
import { importSubscribers } from '../../src/subscriber/import.ts'
import { postLetter, proofToken } from '../../src/subscriber/letter.ts'
import { orderWithClaims } from '../../src/subscriber/order-with-claims.ts'
import { pauseEnd, pauseReader } from '../../src/subscriber/pause.ts'
import { savePreferences } from '../../src/subscriber/preferences.ts'
import { barredAmong, suppressedAmong, suppressionHash } from '../../src/subscriber/suppressed.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { clockAt } from '../setup/clock.ts'
import { isOnPostgres, untilSomebodyWaits, useDatabase } from '../setup/database.ts'
import { lostAnswer, plannedIssue, standing } from '../setup/delivery.ts'
import { everything, tablesWith } from '../setup/everything.ts'
import { testKeys } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { openPostOffice } from '../setup/post-office.ts'

const database = useDatabase()
const clock = clockAt('2026-11-20T14:00:00Z')
const [key = { id: '', secret: Buffer.alloc(0) }] = testKeys

describe('erasing a reader', () => {
  it('leaves neither the address nor one they had before in any column of any table', async () => {
    const ann = await annWithAPast()
    const before = [
      await tablesWith(database.db, 'ann@new.test'),
      await tablesWith(database.db, 'ann@example.test'),
    ]

    await erase(ann)

    expect(before[0]).toEqual(
      expect.arrayContaining(['letter', 'proof', 'sign_up', 'subscriber', 'provider_event']),
    )
    expect(before[1]).toEqual(expect.arrayContaining(['delivery_1', 'letter']))
    expect(await tablesWith(database.db, 'ann@new.test')).toEqual([])
    expect(await tablesWith(database.db, 'ann@example.test')).toEqual([])
    expect(await tablesWith(database.db, 'Sundays')).toEqual([])
  })

  it('keeps the ledger and the record, without a name', async () => {
    const ann = await annWithAPast()

    await erase(ann)

    const record = await database.db.selectFrom('consent_event').select('kind').orderBy('id').execute()
    expect(record.map(({ kind }) => kind)).toEqual([
      'imported',
      'preferences changed',
      'address changed',
      'unsubscribed',
      'erased',
    ])
    expect(await standing(database.db)).toEqual({ erased: 'accepted' })
    expect(await database.db.selectFrom('provider_event').select(['type', 'body']).execute()).toEqual([
      { type: 'email.delivered', body: { erased: true } },
    ])
  })

  it('takes their votes out of every count, and nobody else’s', async () => {
    const [ann, bob] = [await people.ann(database.db), await people.bob(database.db)]
    const { issue } = await plannedIssue(database)
    const wish = { toolId: 1, comparisonId: 1, issueId: issue.id, network: '192.0.2.0/24' }
    for (const { publicId } of [ann, bob])
      await castVote({ db: database.db, clock }, publicId, { ...wish, verdict: 'ship' })

    await erase(ann)

    const votes = await database.db.selectFrom('vote').select('subscriber_id').execute()
    const tally = await database.db.selectFrom('vote_tally').select(['ship', 'skip']).execute()
    expect(votes).toEqual([{ subscriber_id: bob.id }])
    expect(tally).toEqual([{ ship: 1, skip: 0 }])
  })

  it('is done once, however often it is asked', async () => {
    const ann = await people.ann(database.db)

    const answers = await Promise.all(Array.from({ length: 10 }, () => erase(ann)))

    expect(answers).toEqual(Array(10).fill('erased'))
    const record = await database.db
      .selectFrom('consent_event')
      .selectAll()
      .where('kind', '=', 'erased')
      .execute()
    expect(record).toHaveLength(1)
  })

  it('leaves everybody else as they were', async () => {
    const [ann] = [await people.ann(database.db), await people.bob(database.db)]
    await database.db
      .transaction()
      .execute((trx) =>
        postLetter(
          trx,
          { clock, keys: testKeys },
          { subscriberId: 2, kind: 'welcome', toAddress: 'bob@example.test' },
        ),
      )
    const bobs = async () => [await tablesWith(database.db, 'bob@example.test'), await rowsOfBob()]
    const before = await bobs()

    await erase(ann)

    expect(await bobs()).toEqual(before)
  })

  it('finds nobody under an id that is nobody’s', async () => {
    const before = await everything(database.db)

    expect(await erase({ publicId: '3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f' })).toBe('unknown')
    expect(await everything(database.db)).toEqual(before)
  })

  it('gives up the letters that wait, whoever asked for them', async () => {
    const [ann, bob] = [await people.ann(database.db), await people.bob(database.db)]
    await requestAddressChange(deps, bob.publicId, ann.address)
    await database.db
      .transaction()
      .execute((trx) => postLetter(trx, deps, { subscriberId: ann.id, kind: 'welcome' }))

    await erase(ann)

    const letters = await database.db
      .selectFrom('letter')
      .select(['to_address', 'given_up_at', 'reason'])
      .execute()
    expect(letters).toEqual(
      Array(2).fill({ to_address: null, given_up_at: clock(), reason: 'its reader was erased' }),
    )
    expect(await database.db.selectFrom('proof').selectAll().execute()).toEqual([])
  })
})

describe('an erased address', () => {
  it('is kept as a hash that keeps imports out, and the reader’s own sign-up not', async () => {
    const ann = await people.ann(database.db)
    await erase(ann)

    const barred = await barredAmong(database.db, testKeys, [ann.address])
    const suppressed = await suppressedAmong(database.db, testKeys, [ann.address])
    const imported = await importSubscribers(
      deps,
      Readable.from(['address,consent\nann@example.test,meetup\n']),
    )

    expect(barred.get(ann.address)).toBe('erased')
    expect(suppressed.has(ann.address)).toBe(false)
    expect(imported).toMatchObject({ added: 0, erased: 1 })
    expect(await tablesWith(database.db, ann.address)).toEqual([])
  })

  it('is known under an older key, and worth nothing without it', async () => {
    const ann = await people.ann(database.db)
    await erase(ann)
    const fresh = { id: 'k2', secret: Buffer.alloc(32, 9) }

    expect((await barredAmong(database.db, [fresh, key], [ann.address])).get(ann.address)).toBe('erased')
    expect((await barredAmong(database.db, [fresh], [ann.address])).has(ann.address)).toBe(false)
  })

  it('that complained stays suppressed for the reader, too', async () => {
    const bob = await people.bobWhoComplained(database.db)

    await erase(bob)

    expect(await database.db.selectFrom('suppression').selectAll().execute()).toMatchObject([
      { address: null, address_hash: suppressionHash(key, bob.address), key_id: 'k1', reason: 'complained' },
    ])
    expect((await suppressedAmong(database.db, testKeys, [bob.address])).has(bob.address)).toBe(true)
  })

  it('may be erased a second time, after its reader came back', async () => {
    await erase(await people.ann(database.db))
    await database.db
      .insertInto('subscriber')
      .values({
        address: 'ann@example.test',
        status: 'confirmed',
        created_at: clock(),
        confirmed_at: clock(),
      })
      .execute()
    const again = await database.db
      .selectFrom('subscriber')
      .select('public_id')
      .where('address', '=', 'ann@example.test')
      .executeTakeFirstOrThrow()

    expect(await erase({ publicId: again.public_id })).toBe('erased')
    expect(await database.db.selectFrom('suppression').selectAll().execute()).toHaveLength(1)
    expect(await tablesWith(database.db, 'ann@example.test')).toEqual([])
  })
})

describe('erasing while an issue goes out', () => {
  it('leaves the reader out of it, and the ledger sound', async () => {
    const [ann] = [await people.ann(database.db), await people.bob(database.db)]
    const due = await plannedIssue(database)

    await erase(ann)
    await deliverIssue(due.deps, due.issue.id)

    expect(due.mail.sentTo()).toEqual(['bob@example.test'])
    expect(await standing(database.db)).toEqual({ erased: 'excluded: erased', bob: 'accepted' })
    expect((await reconcileIssue(database.db, due.issue)).violations).toEqual([])
  })

  it('never repeats a mail whose answer was lost', async () => {
    const ann = await people.ann(database.db)
    const due = await plannedIssue(database)
    due.mail.answerNext(lostAnswer('before they were taken'))
    await deliverIssue(due.deps, due.issue.id)

    await erase(ann)
    due.clock.pass('PT5M')
    await deliverIssue(due.deps, due.issue.id)

    expect(due.mail.sentTo()).toEqual([])
    expect(due.mail.calls).toHaveLength(1)
  })
})

describe.runIf(isOnPostgres)('erasing while a batch is being claimed', () => {
  it('waits for a claim that was there first', async () => {
    const ann = await people.ann(database.db)
    await plannedIssue(database)
    const claiming = await database.db.startTransaction().execute()
    await sql`select from batch for update`.execute(claiming)

    let isErased = false
    const erasing = erase(ann).then(() => {
      isErased = true
    })
    await untilSomebodyWaits(database.db)
    const erasedBefore = isErased
    await claiming.commit().execute()
    await erasing

    expect([erasedBefore, isErased]).toEqual([false, true])
  })

  it('keeps its batch from a claim until it has committed; then the reader is left out', async () => {
    const [ann] = [await people.ann(database.db), await people.bob(database.db)]
    const due = await plannedIssue(database)
    const erasing = await database.db.startTransaction().execute()
    await orderWithClaims(erasing, [ann.id])
    await erasing
      .updateTable('subscriber')
      .set({ status: 'erased', address: null })
      .where('id', '=', ann.id)
      .execute()
    await sql`update delivery set address = null where subscriber_id = ${ann.id}`.execute(erasing)

    const before = await claimBatch({ ...due.deps, repeatable: true }, due.issue.id)
    await erasing.commit().execute()
    const after = await claimBatch({ ...due.deps, repeatable: true }, due.issue.id)

    expect(before.kind).toBe('waiting')
    expect(after.kind === 'claimed' && after.claim.members.map(({ address }) => address)).toEqual([
      'bob@example.test',
    ])
  })

  it('and leaving, pausing and sending in a race of many neither deadlocks nor mails anybody afterwards', async () => {
    await people.crowd(database.db, 60)
    const readers = await database.db.selectFrom('subscriber').select('public_id').execute()
    const mail = openPostOffice({ most: { mails: 4, bytes: 4_000_000 }, concurrency: 4 })
    const due = await plannedIssue(database, { mail })
    const end = pauseEnd('P2W', clock(), 'America/New_York')
    if (!end) throw new Error('out of range')

    await Promise.all([
      deliverIssue(due.deps, due.issue.id),
      ...readers.map(({ public_id }) => pauseReader(deps, public_id, end)),
      ...readers.map(({ public_id }) => unsubscribe(deps, public_id, 'one-click')),
      ...readers.map(({ public_id }) => erase({ publicId: public_id })),
    ])

    const { account, violations } = await reconcileIssue(database.db, due.issue)
    expect(await tablesWith(database.db, 'reader-0')).toEqual([])
    expect(violations).toEqual([])
    expect(account).toMatchObject({ planned: 60, accepted: mail.accepted.length, notYetSent: 0 })
  })
})

const deps = {
  get db() {
    return database.db
  },
  clock,
  keys: testKeys,
}

function erase({ publicId }: { publicId: string }) {
  return eraseReader(deps, publicId, 'page')
}

/** Ann got an issue, changed her address, asked for another change, signed up again, left and said why. */
async function annWithAPast() {
  const ann = await people.ann(database.db)
  const { deps: all, issue } = await plannedIssue(database)
  await deliverIssue(all, issue.id)
  await savePreferences(deps, ann.publicId, {
    cadence: 'monthly',
    categories: ['Developer Tools'],
    tools: [],
  })
  await requestAddressChange(deps, ann.publicId, 'ann@new.test')
  const letter = await database.db.selectFrom('letter').select('id').executeTakeFirstOrThrow()
  await changeAddress(deps, proofToken(key, letter.id))
  await requestAddressChange(deps, ann.publicId, 'ann@newer.test')
  await database.db
    .insertInto('provider_event')
    .values({
      ...{ svix_id: 'msg_1', type: 'email.delivered', email_id: 'id-1', subscriber_public_id: ann.publicId },
      ...{ occurred_at: clock(), received_at: clock(), body: JSON.stringify({ to: ['ann@new.test'] }) },
    })
    .execute()
  await database.db
    .insertInto('sign_up')
    .values({
      ...{ address: 'ann@new.test', at: clock(), network: '192.0.2.0/24', form_url: '/', wording: '1' },
      ...{ method: 'form', signals: [] },
    })
    .execute()
  await unsubscribe(deps, ann.publicId, 'page')
  const words = 'Write to ann@new.test on Sundays'
  await explainDeparture(deps, ann.publicId, { why: 'other', words })
  return ann
}

async function rowsOfBob() {
  return {
    reader: await database.db.selectFrom('subscriber').selectAll().where('id', '=', 2).execute(),
    letters: await database.db.selectFrom('letter').selectAll().where('subscriber_id', '=', 2).execute(),
  }
}
