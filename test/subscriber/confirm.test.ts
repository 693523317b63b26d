import { describe, expect, it } from 'vitest'
import { requestAddressChange } from '../../src/subscriber/change-address.ts'
import { confirmSubscriber, foreseeConfirmation } from '../../src/subscriber/confirm.ts'
import { eraseReader } from '../../src/subscriber/erase.ts'
import { sendLetters } from '../../src/subscriber/send-letters.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { useDatabase } from '../setup/database.ts'
import { everything, tablesWith } from '../setup/everything.ts'
import { people } from '../setup/people.ts'
import { type Desk, openDesk, proofIn } from '../setup/sign-ups.ts'

const database = useDatabase()
const address = 'ann@example.test'

describe('confirming an address', () => {
  it('puts its reader on the list, writes down that and how, and welcomes them', async () => {
    const { deps, mail, token } = await annSignedUp()

    expect(await confirmSubscriber(deps, token, '192.0.2.0/24')).toEqual({ kind: 'confirmed', address })
    await sendLetters(deps)

    expect(await ann()).toMatchObject({ status: 'confirmed', confirmed_at: deps.clock() })
    expect(await consents()).toEqual([
      { kind: 'signed up', method: 'form', network: '10.0.1.0/24' },
      { kind: 'confirmed', method: 'link', network: '192.0.2.0/24' },
    ])
    expect(mail.accepted.map(({ subject }) => subject)).toEqual([
      'Confirm your address for Weekly AI Tool Verdicts',
      'You are on the list: Weekly AI Tool Verdicts',
    ])
  })

  it('may be pressed again, and many times at once: one entry, one welcome', async () => {
    const { deps, mail, token } = await annSignedUp()

    const outcomes = await Promise.all(Array.from({ length: 10 }, () => confirmSubscriber(deps, token)))
    outcomes.push(await confirmSubscriber(deps, token))
    await sendLetters(deps)

    expect(outcomes.filter(({ kind }) => kind === 'confirmed')).toHaveLength(1)
    expect(outcomes.filter(({ kind }) => kind === 'already')).toHaveLength(10)
    expect(await consents()).toHaveLength(2)
    expect(mail.accepted).toHaveLength(2)
  })

  it('is foreseen without changing anything', async () => {
    const { deps, token } = await annSignedUp()
    const before = await everything(database.db)

    expect(await foreseeConfirmation(deps, token)).toEqual({ kind: 'confirmed', address })

    expect(await everything(database.db)).toEqual(before)
  })

  it('works for 72 hours', async () => {
    const { deps, clock, token } = await annSignedUp()

    clock.pass('PT71H59M59S')
    expect(await foreseeConfirmation(deps, token)).toMatchObject({ kind: 'confirmed' })
    clock.pass('PT1S')
    expect(await foreseeConfirmation(deps, token)).toEqual({ kind: 'expired', address })
    expect(await confirmSubscriber(deps, token)).toEqual({ kind: 'expired', address })
    expect(await ann()).toMatchObject({ status: 'pending' })
  })

  it('says "already" to a reader on the list, however old the link is', async () => {
    const { deps, clock, token } = await annSignedUp()
    await confirmSubscriber(deps, token)
    clock.pass('PT9999H')

    expect(await confirmSubscriber(deps, token)).toEqual({ kind: 'already', address })
    expect(await foreseeConfirmation(deps, token)).toEqual({ kind: 'already', address })
  })

  it('works with either of two letters, and the other one then says "already"', async () => {
    const { deps, mail, clock, signUp, token } = await annSignedUp()
    clock.pass('PT11M')
    await signUp(address)
    const second = proofIn(mail.accepted[1])

    expect(await confirmSubscriber(deps, token)).toMatchObject({ kind: 'confirmed' })
    expect(await confirmSubscriber(deps, second)).toMatchObject({ kind: 'already' })
  })

  it('does not bring back who left after using the link, or after it was sent', async () => {
    const { deps, mail, clock, signUp, token } = await annSignedUp()
    clock.pass('PT11M')
    await signUp(address)
    const spare = proofIn(mail.accepted[1])
    await confirmSubscriber(deps, token)
    clock.pass('PT1H')
    const { public_id } = await ann()
    await unsubscribe(deps, public_id, 'one-click')

    for (const link of [token, spare])
      expect(await confirmSubscriber(deps, link)).toMatchObject({ kind: 'expired' })
    expect(await ann()).toMatchObject({ status: 'unsubscribed' })
  })

  it('counts once, even in the very instant in which its reader left', async () => {
    const { deps, token } = await annSignedUp()
    await confirmSubscriber(deps, token)
    await unsubscribe(deps, (await ann()).public_id, 'one-click')

    expect(await confirmSubscriber(deps, token)).toMatchObject({ kind: 'expired' })
  })

  it('brings back who left and signed up again, as "resubscribed"', async () => {
    const { deps, mail, clock, signUp, token } = await annSignedUp()
    await confirmSubscriber(deps, token)
    await unsubscribe(deps, (await ann()).public_id, 'page')
    clock.pass('PT1H')
    await signUp(address)

    expect(await confirmSubscriber(deps, proofIn(mail.accepted.at(-1)))).toMatchObject({ kind: 'confirmed' })

    expect(await ann()).toMatchObject({ status: 'confirmed', unsubscribed_at: null })
    expect((await consents()).map(({ kind }) => kind)).toEqual([
      ...['signed up', 'confirmed', 'unsubscribed', 'signed up', 'resubscribed'],
    ])
  })

  it('knows nothing of a link whose reader was erased', async () => {
    const { deps, token } = await annSignedUp()
    await eraseReader(deps, (await ann()).public_id, 'page')

    expect(await confirmSubscriber(deps, token)).toEqual({ kind: 'unknown' })
  })
})

describe('a link that is not ours', () => {
  it('changes nothing: ten thousand of them, each a byte away from a real one', async () => {
    const { deps, token } = await annSignedUp()
    const before = await everything(database.db)
    const bytes = Buffer.from(token, 'base64url')
    const forged = Array.from({ length: 10_000 }, (_, n) => {
      const copy = Buffer.from(bytes)
      copy[n % 32] = (copy[n % 32] ?? 0) ^ (1 + (Math.floor(n / 32) % 255))
      return copy.toString('base64url')
    })
    forged.push(
      '',
      token.slice(1),
      `${token}A`,
      token.toUpperCase(),
      `${token.slice(0, -1)}!`,
      'x'.repeat(43),
    )

    for (let from = 0; from < forged.length; from += 500) {
      const outcomes = await Promise.all(
        forged.slice(from, from + 500).map((one) => confirmSubscriber(deps, one)),
      )
      expect(outcomes.every(({ kind }) => kind === 'unknown')).toBe(true)
    }

    expect(await everything(database.db)).toEqual(before)
  })

  it('was made for another purpose', async () => {
    const { publicId } = await people.bob(database.db)
    const { deps, mail } = openDesk(database)
    await requestAddressChange(deps, publicId, 'bob@elsewhere.test')
    await sendLetters(deps)

    expect(await confirmSubscriber(deps, proofIn(mail.accepted[0]))).toEqual({ kind: 'unknown' })
  })

  it('cannot be made from the database: the proof is in no table, only in the mail', async () => {
    const { deps, token } = await annSignedUp()
    const hashes = await database.db.selectFrom('proof').select('token_hash').execute()

    expect(await tablesWith(database.db, token)).toEqual([])
    expect(await tablesWith(database.db, hashes[0]?.token_hash ?? 'no proof')).toEqual(['proof'])
    expect(await confirmSubscriber(deps, hashes[0]?.token_hash ?? '')).toEqual({ kind: 'unknown' })
  })
})

/** Ann signed up on Monday; `token` is the proof in her confirmation mail. */
async function annSignedUp(): Promise<Desk & { token: string }> {
  const desk = openDesk(database)
  await desk.signUp(address)
  return { ...desk, token: proofIn(desk.mail.accepted[0]) }
}

function ann() {
  return database.db
    .selectFrom('subscriber')
    .selectAll()
    .where('address', '=', address)
    .executeTakeFirstOrThrow()
}

function consents() {
  return database.db.selectFrom('consent_event').select(['kind', 'method', 'network']).orderBy('id').execute()
}
