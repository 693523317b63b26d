import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { deliverIssue } from '../../src/delivery/deliver.ts'
import {
  changeAddress,
  foreseeAddressChange,
  requestAddressChange,
} from '../../src/subscriber/change-address.ts'
import { proofToken } from '../../src/subscriber/letter.ts'
import { clockAt } from '../setup/clock.ts'
import { isOnPostgres, untilSomebodyWaits, useDatabase } from '../setup/database.ts'
import { deliverThroughWaits, lostAnswer, plannedIssue, standing } from '../setup/delivery.ts'
import { everything } from '../setup/everything.ts'
import { testKeys } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'

const database = useDatabase()
const start = '2026-11-20T14:00:00Z'
const [key = { id: '', secret: Buffer.alloc(0) }] = testKeys

describe('a change of address', () => {
  it('is asked for at the new one and told to the old one, with one line in the record and no address in it', async () => {
    const ann = await people.ann(database.db)

    const { proof } = await ask(ann, 'ann@new.test')
    const changes = await Promise.all(Array.from({ length: 5 }, () => changeAddress(deps(), proof)))

    expect(changes.map(({ kind }) => kind)).toEqual(Array(5).fill('changed'))
    expect(await addressOf(ann)).toBe('ann@new.test')
    expect(await letters()).toEqual([
      { kind: 'confirm new address', to_address: 'ann@new.test' },
      { kind: 'address changed', to_address: 'ann@example.test' },
    ])
    expect(await record()).toEqual([{ kind: 'address changed', method: 'link', detail: null }])
  })

  it('changes nothing until its link is pressed', async () => {
    const ann = await people.ann(database.db)
    const { proof } = await ask(ann, 'ann@new.test')
    const before = await everything(database.db)

    await foreseeAddressChange(deps(), proof)

    expect(await everything(database.db)).toEqual(before)
    expect(await addressOf(ann)).toBe('ann@example.test')
  })

  it('makes links to other new addresses worth nothing', async () => {
    const ann = await people.ann(database.db)
    const [slip, meant] = [await ask(ann, 'ann@nwe.test'), await ask(ann, 'ann@new.test')]

    await changeAddress(deps(), meant.proof)

    expect(await changeAddress(deps(), slip.proof)).toEqual({ kind: 'expired' })
    expect(await addressOf(ann)).toBe('ann@new.test')
  })

  it('does not take an address that somebody has', async () => {
    const [ann] = [await people.ann(database.db), await people.bob(database.db)]
    const { wish, proof } = await ask(ann, 'bob@example.test')

    expect(wish).toBe('asked')
    expect(await changeAddress(deps(), proof)).toEqual({ kind: 'taken' })
    expect(await addressOf(ann)).toBe('ann@example.test')
  })

  it('writes to strangers three times a day and no more', async () => {
    const ann = await people.ann(database.db)
    const wish = (n: number) => requestAddressChange(deps(), ann.publicId, `stranger-${n}@new.test`)

    const wishes = await Promise.all([1, 2, 3, 4, 5].map(wish))

    expect(wishes.filter((one) => one === 'asked')).toHaveLength(3)
    expect(wishes.filter((one) => one === 'too often')).toHaveLength(2)
    expect(await letters()).toHaveLength(3)
    expect(await requestAddressChange(deps('PT24H1M'), ann.publicId, 'ann@new.test')).toBe('asked')
  })

  it('holds for 72 hours', async () => {
    const ann = await people.ann(database.db)
    const { proof } = await ask(ann, 'ann@new.test')

    expect(await changeAddress(deps('PT72H'), proof)).toEqual({ kind: 'expired' })
    expect(await changeAddress(deps('PT71H59M'), proof)).toMatchObject({ kind: 'changed' })
  })
})

describe('a change of address while an issue goes out', () => {
  it('before the mail was tried sends it to the new one', async () => {
    const ann = await people.ann(database.db)
    const { proof } = await ask(ann, 'ann@new.test')
    const due = await plannedIssue(database)

    await changeAddress(due.deps, proof)
    await deliverIssue(due.deps, due.issue.id)

    expect(due.mail.sentTo()).toEqual(['ann@new.test'])
  })

  it('after a refusal that took nothing sends it to the new one, under a new key', async () => {
    const ann = await people.ann(database.db)
    const { proof } = await ask(ann, 'ann@new.test')
    const due = await plannedIssue(database)
    const after = Temporal.Duration.from('PT1S')
    due.mail.answerNext({ kind: 'retry', after, reason: 'too many requests' })
    await deliverIssue(due.deps, due.issue.id)

    await changeAddress(due.deps, proof)
    await deliverThroughWaits(due)

    expect(due.mail.sentTo()).toEqual(['ann@new.test'])
    expect(new Set(due.mail.calls.map(({ key: used }) => used)).size).toBe(2)
  })

  it('after the answer was lost goes to neither again: a person decides', async () => {
    const ann = await people.ann(database.db)
    const { proof } = await ask(ann, 'ann@new.test')
    const due = await plannedIssue(database)
    due.mail.answerNext(lostAnswer('after they were taken'))
    await deliverIssue(due.deps, due.issue.id)

    await changeAddress(due.deps, proof)
    await deliverThroughWaits(due)

    expect(due.mail.sentTo()).toEqual(['ann@example.test'])
    expect(Object.values(await standing(database.db))).toEqual([expect.stringContaining('quarantined')])
  })

  it('never sends two mails to one mailbox: an address that is in the issue already gets one', async () => {
    const [ann, bob] = [await people.ann(database.db), await people.bob(database.db)]
    const due = await plannedIssue(database)
    await database.db
      .updateTable('subscriber')
      .set({ address: 'gone@example.test' })
      .where('id', '=', bob.id)
      .execute()
    const { proof } = await ask(ann, 'bob@example.test')

    await changeAddress(due.deps, proof)
    await deliverIssue(due.deps, due.issue.id)

    expect(due.mail.sentTo()).toEqual([])
    expect(await standing(database.db)).toEqual({
      ann: 'excluded: address changed',
      bob: 'excluded: address changed',
    })
  })
})

describe.runIf(isOnPostgres)('a change of address while its mail is being claimed', () => {
  it('comes after a claim that was there first, which keeps the address that it was made with', async () => {
    const ann = await people.ann(database.db)
    const due = await plannedIssue(database)
    const { proof } = await ask(ann, 'ann@new.test')
    const claiming = await database.db.startTransaction().execute()
    await sql`select from batch for update`.execute(claiming)

    const changing = changeAddress(deps(), proof)
    await untilSomebodyWaits(database.db)
    await sql`update batch set state = 'attempting', lease_until = ${due.clock()}::timestamptz, first_used_at = ${due.clock()}::timestamptz`.execute(
      claiming,
    )
    await claiming.commit().execute()
    await changing

    const delivery = await database.db.selectFrom('delivery').select('address').executeTakeFirstOrThrow()
    expect(delivery).toEqual({ address: 'ann@example.test' })
  })
})

function deps(later = 'PT0S') {
  const clock = clockAt(start)
  clock.pass(later)
  return { db: database.db, clock, keys: testKeys }
}

async function ask({ id, publicId }: { id: number; publicId: string }, address: string) {
  const wish = await requestAddressChange(deps(), publicId, address)
  const letter = await database.db
    .selectFrom('letter')
    .select('id')
    .where('subscriber_id', '=', id)
    .where('to_address', '=', address)
    .executeTakeFirstOrThrow()
  return { wish, proof: proofToken(key, letter.id) }
}

async function addressOf({ id }: { id: number }) {
  const row = await database.db
    .selectFrom('subscriber')
    .select('address')
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return row.address
}

function letters() {
  return database.db.selectFrom('letter').select(['kind', 'to_address']).orderBy('kind', 'desc').execute()
}

function record() {
  return database.db
    .selectFrom('consent_event')
    .select(['kind', 'method', 'detail'])
    .where('kind', '<>', 'imported')
    .execute()
}
