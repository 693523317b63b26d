import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { confirmSubscriber } from '../../src/subscriber/confirm.ts'
import { eraseReader } from '../../src/subscriber/erase.ts'
import { sendLetters } from '../../src/subscriber/send-letters.ts'
import { recordSignUps, takeInSignUps } from '../../src/subscriber/sign-up.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { useDatabase } from '../setup/database.ts'
import { people } from '../setup/people.ts'
import { openDesk, proofIn, signUpOf } from '../setup/sign-ups.ts'

const database = useDatabase()
const ann = 'ann@example.test'

describe('signing up', () => {
  it('makes a reader who is asked to confirm', async () => {
    const { mail, signUp } = openDesk(database)

    expect(await signUp(ann)).toEqual({ posted: 1 })

    expect(await statusOf(ann)).toBe('pending')
    expect(mail.sentTo()).toEqual([ann])
    expect(mail.accepted[0]?.subject).toBe('Confirm your address for Weekly AI Tool Verdicts')
    expect(await waiting()).toBe(0)
  })

  it('keeps as proof what was shown, where, how, and from which network', async () => {
    const { signUp } = openDesk(database)

    await signUp({ address: ann, network: '192.0.2.0/24' })
    await signUp({ address: 'bob@example.test', network: '2001:db8:1:2::/64', method: 'json' })

    expect(await consents()).toEqual([
      {
        ...{ kind: 'signed up', method: 'form', wording: '2026-11', network: '192.0.2.0/24' },
        form_url: 'https://news.example.com/subscribe',
      },
      expect.objectContaining({ method: 'json', network: '2001:db8:1::/48' }),
    ])
  })

  it('again, while it is not confirmed, brings a fresh letter and no second reader', async () => {
    const { mail, signUp, clock } = openDesk(database)
    await signUp(ann)
    clock.pass('PT11M')

    await signUp(ann)

    expect(mail.sentTo()).toEqual([ann, ann])
    expect(proofIn(mail.accepted[0])).not.toBe(proofIn(mail.accepted[1]))
    expect(await readers()).toBe(1)
  })

  it.each(['confirmed', 'paused'] as const)(
    'never demotes a %s reader, and sends them nothing',
    async (status) => {
      const { id } = await people.ann(database.db)
      const { deps, mail, signUp, clock } = openDesk(database)
      if (status === 'paused') {
        const until = clock().add({ hours: 999 })
        await database.db
          .updateTable('subscriber')
          .set({ status, paused_until: until })
          .where('id', '=', id)
          .execute()
      }

      expect(await signUp(ann)).toEqual({ 'on the list': 1 })

      expect(await statusOf(ann)).toBe(status)
      expect(mail.accepted).toEqual([])
      expect(await deps.db.selectFrom('letter').select('id').execute()).toEqual([])
    },
  )

  it('leaves somebody who left outside until they confirm', async () => {
    const { publicId } = await people.ann(database.db)
    const { deps, mail, signUp } = openDesk(database)
    await unsubscribe(
      { ...deps, clock: () => Temporal.Instant.from('2026-10-01T00:00:00Z') },
      publicId,
      'page',
    )

    await signUp(ann)
    expect(await statusOf(ann)).toBe('unsubscribed')

    await confirmSubscriber(deps, proofIn(mail.accepted[0]))
    expect(await statusOf(ann)).toBe('confirmed')
  })

  it('brings nothing to an address that bounced, complained or was barred', async () => {
    await people.bobWhoComplained(database.db)
    const { mail, signUp, clock } = openDesk(database)
    await database.db
      .insertInto('suppression')
      .values({ address: ann, reason: 'bounced', since: clock() })
      .execute()

    expect(await signUp('bob@example.test', ann)).toEqual({ suppressed: 2 })

    expect(mail.accepted).toEqual([])
    expect(await readers()).toBe(1)
  })

  it.each(['k1', 'k0'])(
    'brings nothing to who complained and was erased, whose hash is under the key %s',
    async (id) => {
      const old = { id: 'k0', secret: Buffer.alloc(32, 3) }
      const now = { id: 'k1', secret: Buffer.alloc(32, 7) }
      const bob = await people.bobWhoComplained(database.db)
      const { deps, mail, signUp } = openDesk(database, { keys: [now, old] })
      await eraseReader({ ...deps, keys: id === 'k0' ? [old] : [now] }, bob.publicId, 'page')

      expect(await signUp(bob.address)).toEqual({ suppressed: 1 })

      expect(mail.accepted).toEqual([])
    },
  )

  it('is how a reader who was erased comes back', async () => {
    const { publicId } = await people.ann(database.db)
    const { deps, mail, signUp } = openDesk(database)
    await eraseReader(deps, publicId, 'page')

    await signUp(ann)
    await confirmSubscriber(deps, proofIn(mail.accepted[0]))
    await sendLetters(deps)

    expect(await statusOf(ann)).toBe('confirmed')
    expect(mail.accepted.map(({ subject }) => subject)).toContain(
      'You are on the list: Weekly AI Tool Verdicts',
    )
    expect(await database.db.selectFrom('suppression').selectAll().execute()).toEqual([])
  })

  it('is taken in once, by whoever of several workers comes first', async () => {
    const { deps, clock } = openDesk(database)
    const batch = Array.from({ length: 120 }, (_, n) =>
      signUpOf({ at: clock(), address: `r${n}@example.test`, network: `10.0.${n}.0/24` }),
    )
    await recordSignUps(database.db, batch)

    const fates = await Promise.all([takeInSignUps(deps), takeInSignUps(deps), takeInSignUps(deps)])

    const taken = fates.flatMap((each) => Object.entries(each))
    expect(new Set(taken.map(([fate]) => fate))).toEqual(new Set(['posted']))
    expect(taken.reduce((sum, [, many]) => sum + many, 0)).toBe(120)
    expect(await readers()).toBe(120)
  })
})

describe('hints that nobody real is there', () => {
  it.each([
    [['trap filled'], 'posted'],
    [['too fast'], 'posted'],
    [['no stamp'], 'posted'],
    [['trap filled', 'too fast'], 'trapped'],
    [['trap filled', 'no stamp'], 'trapped'],
  ] as const)('%j: %s', async (signals, fate) => {
    const { signUp } = openDesk(database)

    expect(await signUp({ address: ann, signals })).toEqual({ [fate]: 1 })
  })
})

describe('the limits', () => {
  it('let one letter go to an address in ten minutes, and three in a day', async () => {
    const { mail, signUp, clock } = openDesk(database)
    await signUp(ann)

    clock.pass('PT9M59S')
    expect(await signUp(ann)).toEqual({ 'over the address limit': 1 })
    // More than the second that is wanting: the library looks at the machine's clock a moment before we move it to ours.
    clock.pass('PT1M')
    expect(await signUp(ann)).toEqual({ posted: 1 })
    clock.pass('PT1H')
    expect(await signUp(ann)).toEqual({ posted: 1 })
    clock.pass('PT20H')
    expect(await signUp(ann)).toEqual({ 'over the address limit': 1 })
    clock.pass('PT3H')
    expect(await signUp(ann)).toEqual({ posted: 1 })
    expect(mail.accepted).toHaveLength(4)
  })

  it('count plus-tags as one mailbox, and at Gmail dots, but keep them apart as readers', async () => {
    const { signUp, clock } = openDesk(database)

    expect(await signUp('ann@example.test', 'ann+one@example.test', 'ann+two@example.test')).toEqual({
      ...{ posted: 1, 'over the address limit': 2 },
    })
    expect(
      await signUp('bob.b@gmail.com', 'b.o.b.b@gmail.com', 'bobb@googlemail.com', 'bo.bb@example.test'),
    ).toEqual({
      ...{ posted: 2, 'over the address limit': 2 },
    })
    clock.pass('PT10M')
    expect(await signUp('ann+one@example.test')).toEqual({ posted: 1 })
    expect(await statusOf('ann+one@example.test')).toBe('pending')
  })

  it('let five letters an hour be asked for from one network', async () => {
    const { signUp, clock } = openDesk(database)
    const from = (n: number) => ({ address: `r${n}@example.test`, network: '192.0.2.0/24' })

    expect(await signUp(...[1, 2, 3, 4, 5, 6, 7].map(from))).toEqual({
      posted: 5,
      'over the network limit': 2,
    })
    expect(await readers()).toBe(5)
    clock.pass('PT1H')
    expect(await signUp(from(6))).toEqual({ posted: 1 })
  })

  it('let a stranger have three mails at most, whoever asks a thousand times from two hundred networks', async () => {
    const { mail, signUp, clock } = openDesk(database)

    for (let round = 0; round < 10; round++) {
      await signUp(
        ...Array.from({ length: 100 }, (_, n) => ({
          address: ann,
          network: `10.1.${(round * 100 + n) % 200}.0/24`,
        })),
      )
      clock.pass('PT15M')
    }

    expect(mail.accepted).toHaveLength(3)
  })

  it('stop at 300 mails an hour, whoever asks for ten thousand addresses, and say so once', async () => {
    const { lines, log } = listeningLog()
    const { deps, mail, clock } = openDesk(database, { log })
    const addresses = Array.from({ length: 10_000 }, (_, n) => `r${n}@example.test`)
    const batch = addresses.map((address, n) =>
      signUpOf({ at: clock(), address, network: `10.${n >> 8}.${n & 255}.0/24` }),
    )
    await recordSignUps(database.db, batch)

    const fates = await takeInSignUps(deps)
    await sendLetters({ ...deps, log: pino({ level: 'silent' }) })

    expect(fates).toEqual({ posted: 300, 'over the overall limit': 9_700 })
    expect(mail.accepted).toHaveLength(300)
    expect(await readers()).toBe(300)
    expect(lines().filter(({ level }) => level === 40)).toMatchObject([{ most: 300, seconds: 3600 }])
  })

  it('open again after the hour, and are said again when they close again', async () => {
    const { lines, log } = listeningLog()
    const limits = {
      perAddress: [],
      perNetwork: { points: 99, seconds: 60 },
      overall: { points: 2, seconds: 3600 },
    }
    const { signUp, clock } = openDesk(database, { log, limits })

    await signUp('a@example.test', 'b@example.test', 'c@example.test')
    await signUp('d@example.test')
    expect(warnings(lines())).toBe(1)
    clock.pass('PT1H')

    expect(await signUp('e@example.test', 'f@example.test', 'g@example.test')).toEqual({
      ...{ posted: 2, 'over the overall limit': 1 },
    })
    expect(warnings(lines())).toBe(2)
  })

  it('are kept under keyed hashes, and forgotten when they are over', async () => {
    const { signUp, clock } = openDesk(database)
    await signUp({ address: ann, network: '192.0.2.0/24' })
    const kept = await database.db.selectFrom('rate_limit').select('key').execute()
    clock.pass('PT48H')

    await signUp('bob@example.test')

    expect(JSON.stringify(kept)).not.toMatch(/ann|192\.0/)
    const still = await database.db.selectFrom('rate_limit').select('key').execute()
    expect(still.map(({ key }) => key).filter((key) => kept.some((old) => old.key === key))).toEqual([
      'sign-up/overall:all',
    ])
  })
})

describe('what is logged of sign-ups', () => {
  it('is counts and ids: no address, no link', async () => {
    const { text, log } = listeningLog()
    const { deps, mail, signUp } = openDesk(database, { log })
    await signUp(ann, ann, 'bob@example.test')
    const token = proofIn(mail.accepted[0])
    await confirmSubscriber(deps, token)
    await sendLetters(deps)

    expect(text()).toContain('"fates":{"posted":2')
    expect(text()).not.toMatch(/@|ann|bob/)
    expect(text()).not.toContain(token)
  })
})

function listeningLog() {
  const written: string[] = []
  const log = pino({ level: 'info', base: null }, { write: (line) => void written.push(line) })
  return {
    log,
    text: () => written.join(''),
    lines: () => written.map((line): { level: number } => JSON.parse(line)),
  }
}

function warnings(lines: readonly { level: number }[]): number {
  return lines.filter(({ level }) => level === 40).length
}

async function statusOf(address: string): Promise<string | undefined> {
  const row = await database.db
    .selectFrom('subscriber')
    .select('status')
    .where('address', '=', address)
    .executeTakeFirst()
  return row?.status
}

async function readers(): Promise<number> {
  return (await database.db.selectFrom('subscriber').select('id').execute()).length
}

async function waiting(): Promise<number> {
  return (await database.db.selectFrom('sign_up').select('id').execute()).length
}

function consents() {
  return database.db
    .selectFrom('consent_event')
    .select(['kind', 'method', 'wording', 'form_url', 'network'])
    .orderBy('id')
    .execute()
}
