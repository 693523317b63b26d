import { parseHTML } from 'linkedom'
import { describe, expect, it } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { changeAddress, requestAddressChange } from '../../src/subscriber/change-address.ts'
import { confirmSubscriber } from '../../src/subscriber/confirm.ts'
import { eraseReader } from '../../src/subscriber/erase.ts'
import { postLetter } from '../../src/subscriber/letter.ts'
import { hasLettersDue, sendLetters } from '../../src/subscriber/send-letters.ts'
import { recordSignUps, takeInSignUps } from '../../src/subscriber/sign-up.ts'
import { readToken } from '../../src/subscriber/token.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { useDatabase } from '../setup/database.ts'
import { dueIssue } from '../setup/delivery.ts'
import { testKeys } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import type { Answer } from '../setup/post-office.ts'
import { type Desk, openDesk, proofIn, signUpOf } from '../setup/sign-ups.ts'

const database = useDatabase()
const ann = 'ann@example.test'
const lost: Answer = () => ({ outcome: { kind: 'unknown', reason: 'the connection was cut' }, deliver: true })

describe('a confirmation', () => {
  it('asks for one press, and answers nobody’s automatic reply', async () => {
    const { mail, signUp } = openDesk(database)

    await signUp(ann)

    const [letter] = mail.accepted
    expect(letter?.headers).toEqual({ 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' })
    expect(linksOf(letter?.html)).toEqual([`https://news.example.com/confirm/${proofIn(letter)}`])
    expect(letter?.text).toContain('Confirm my address')
    expect(letter?.text).toContain('1 Example Street')
  })

  it('holds no word that whoever signed the address up could choose', async () => {
    const { mail, signUp } = openDesk(database)

    await signUp({
      address: 'buy-now.example+visit.evil.example@example.test',
      formUrl: 'https://evil.example/',
    })

    const [{ html = '', text = '', subject = '' } = {}] = mail.accepted
    expect(`${html}${text}${subject}`).not.toMatch(/buy-now|evil/)
  })
})

describe('a welcome', () => {
  it('carries the latest issue and a way out that works', async () => {
    await people.bob(database.db)
    const { deps: issueDeps } = await dueIssue(database)
    await sendIssue(issueDeps, '2026-W47', { early: true })
    const { deps, mail } = await confirmedAnn({ clock: issueDeps.clock })

    const welcome = mail.accepted[1]
    const [issue, preferences, unsubscribe] = linksOf(welcome?.html)
    expect(issue).toBe('https://news.example.com/issues/2026-W47')
    expect(welcome?.text).toContain('glyphmoor-vs-kernwick left vs')
    expect(welcome?.text).toContain('Panel ships')
    expect(welcome?.headers).toEqual({
      'List-Unsubscribe': `<${unsubscribe}>`,
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      'List-Id': 'Weekly Verdict <weekly.example.com>',
    })
    const { public_id } = await deps.db
      .selectFrom('subscriber')
      .select('public_id')
      .where('address', '=', ann)
      .executeTakeFirstOrThrow()
    expect(readToken(testKeys, 'unsubscribe', unsubscribe?.split('/').at(-1) ?? '')).toBe(public_id)
    expect(readToken(testKeys, 'preferences', preferences?.split('/').at(-1) ?? '')).toBe(public_id)
  })

  it('says so when none has gone out yet, and tells nothing of a draft', async () => {
    const draft = await dueIssue(database)
    const { mail } = await confirmedAnn({ clock: draft.clock })

    expect(mail.accepted[1]?.text).toContain('The first issue is on its way.')
    expect(linksOf(mail.accepted[1]?.html)).toHaveLength(2)
  })
})

describe('a change of address', () => {
  it('is confirmed at the new address and told to the old one', async () => {
    const { publicId } = await people.ann(database.db)
    const { deps, mail } = openDesk(database)
    await requestAddressChange(deps, publicId, 'ann@elsewhere.test')
    await sendLetters(deps)

    await changeAddress(deps, proofIn(mail.accepted[0]))
    await sendLetters(deps)

    expect(mail.accepted.map(({ to, subject }) => [to, subject])).toEqual([
      ['ann@elsewhere.test', 'Confirm your new address for Weekly AI Tool Verdicts'],
      [ann, 'Your issues now go to another address'],
    ])
    expect(mail.accepted[1]?.text).toContain('verdicts@example.com')
    expect(mail.accepted[1]?.text).not.toContain('elsewhere')
  })
})

describe('sending letters', () => {
  it('sends each once, however many processes are at it', async () => {
    const { deps, mail, clock } = openDesk(database)
    const addresses = Array.from({ length: 30 }, (_, n) => `r${n}@example.test`)
    const networks = addresses.map((address, n) => ({ address, network: `10.0.${n}.0/24` }))
    await recordSignUps(
      database.db,
      networks.map((given) => signUpOf({ at: clock(), ...given })),
    )
    await takeInSignUps(deps)

    const sent = await Promise.all(Array.from({ length: 5 }, () => sendLetters(deps)))

    expect(mail.calls.map(({ to }) => to[0]).toSorted()).toEqual(addresses.toSorted())
    expect(sent.reduce((sum, each) => sum + each.sent, 0)).toBe(30)
    expect(await hasLettersDue(deps)).toBe(false)
  })

  it('tries again with the same key and the same bytes, whatever was published meanwhile', async () => {
    await people.bob(database.db)
    const issue = await dueIssue(database)
    const { deps, mail } = await confirmedAnn({ clock: issue.clock }, (office) =>
      office.answerNext(accept, lost),
    )
    const first = mail.accepted[1]
    issue.clock.pass('PT1M')
    await sendIssue(issue.deps, '2026-W47', { early: true })

    const resend: typeof mail.accepted = []
    const transport = { ...deps.transport, send: deps.transport.send }
    await sendLetters({
      ...deps,
      transport: {
        ...transport,
        async send(mails, key) {
          resend.push(...mails)
          return transport.send(mails, key)
        },
      },
    })

    expect(resend).toEqual([first])
    expect(mail.calls.map(({ key }) => key).slice(1)).toEqual([mail.calls[1]?.key, mail.calls[1]?.key])
    expect(mail.calls[1]?.key).toMatch(/^wv1\/letter\/[0-9a-f-]{36}\/1$/)
    expect(mail.accepted).toHaveLength(2)
  })

  it('waits longer after each failure, and gives up after five', async () => {
    const { deps, clock, mail } = await annWaits()
    mail.answerNext(...Array.from({ length: 9 }, (): Answer => ({ kind: 'unknown', reason: 'cut off' })))
    const waits: string[] = []

    for (let attempt = 0; attempt < 5; attempt++) {
      await sendLetters(deps)
      const { not_before } = await theLetter()
      waits.push(clock().until(not_before).toString())
      clock.moveTo(not_before)
    }
    clock.pass('PT70H')
    await sendLetters(deps)

    expect(waits.slice(0, 4)).toEqual(['PT60S', 'PT300S', 'PT1500S', 'PT7500S'])
    expect(mail.calls).toHaveLength(5)
    expect(await theLetter()).toMatchObject({ reason: 'cut off', sent_at: null })
    expect((await theLetter()).given_up_at).not.toBeNull()
  })

  it('waits as long as the provider asks', async () => {
    const { deps, clock, mail } = await annWaits()
    mail.answerNext({ kind: 'retry', after: Temporal.Duration.from({ minutes: 9 }), reason: 'slow down' })

    await sendLetters(deps)
    clock.pass('PT8M')
    await sendLetters(deps)
    expect(mail.accepted).toEqual([])

    clock.pass('PT1M')
    await sendLetters(deps)
    expect(mail.sentTo()).toEqual([ann])
  })

  it('gives up at once what is refused', async () => {
    const { deps, mail, clock } = await annWaits()
    mail.answerNext({ kind: 'rejected', reason: 'no such mailbox' })

    await sendLetters(deps)
    clock.pass('PT1H')
    await sendLetters(deps)

    expect(mail.calls).toHaveLength(1)
    expect(await theLetter()).toMatchObject({
      reason: 'no such mailbox',
      given_up_at: Temporal.Instant.from('2026-11-16T09:00:00Z'),
    })
  })

  it('stops at a halt, which costs a letter none of its attempts', async () => {
    const { deps, mail, clock } = await annWaits()
    mail.answerNext({ kind: 'halt', reason: 'the key is wrong' })

    expect(await sendLetters(deps)).toEqual({ sent: 0, halted: true })

    expect(await theLetter()).toMatchObject({ attempts: 0, sent_at: null, given_up_at: null })
    clock.pass('PT5M')
    expect(await sendLetters(deps)).toEqual({ sent: 1, halted: false })
  })

  it('takes up again what a dead process had claimed, after its lease', async () => {
    const { deps, clock, mail } = await annWaits()
    mail.answerNext(() => {
      throw new Error('the machine was switched off')
    })
    await sendLetters(deps).catch(() => {})

    clock.pass('PT2M')
    await sendLetters(deps)
    expect(mail.accepted).toEqual([])

    clock.pass('PT1M')
    await sendLetters(deps)
    expect(mail.sentTo()).toEqual([ann])
  })

  it('does not write before its time', async () => {
    const { id } = await people.ann(database.db)
    const { deps, clock, mail } = openDesk(database)
    const notBefore = clock().add({ hours: 1 })
    await deps.db
      .transaction()
      .execute((trx) => postLetter(trx, deps, { subscriberId: id, kind: 'resumed', notBefore }))

    await sendLetters(deps)
    expect(mail.accepted).toEqual([])
    clock.pass('PT1H')
    await sendLetters(deps)
    expect(mail.accepted.map(({ subject }) => subject)).toEqual([
      'Your pause is over: Weekly AI Tool Verdicts',
    ])
  })

  it('uses the key that a letter was posted under, and gives up when it is gone', async () => {
    const newer = { id: 'k2', secret: Buffer.alloc(32, 9) }
    const rotated = await annWaits()
    await sendLetters({ ...rotated.deps, keys: [newer, ...testKeys] })
    expect(await confirmSubscriber(rotated.deps, proofIn(rotated.mail.accepted[0]))).toMatchObject({
      kind: 'confirmed',
    })

    await sendLetters({ ...rotated.deps, keys: [newer] })
    expect(rotated.mail.accepted).toHaveLength(1)
  })
})

describe('a letter that nobody needs any more', () => {
  it.each<[string, (desk: Desk) => Promise<unknown>]>([
    ['its reader was erased', async ({ deps }) => eraseReader(deps, await publicId(), 'page')],
    ['its link expired', async ({ clock }) => clock.pass('PT72H')],
    [
      'its reader confirmed by another letter',
      async ({ deps }) =>
        deps.db.updateTable('subscriber').set({ status: 'confirmed', confirmed_at: deps.clock() }).execute(),
    ],
    [
      'its reader left since',
      async ({ deps, clock }) => {
        clock.pass('PT1S')
        await unsubscribe(deps, await publicId(), 'page')
      },
    ],
    [
      'its address bounced',
      async ({ deps }) =>
        deps.db
          .insertInto('suppression')
          .values({ address: ann, reason: 'bounced', since: deps.clock() })
          .execute(),
    ],
  ])('is given up: %s', async (_, happens) => {
    const desk = await annWaits()

    await happens(desk)
    await sendLetters(desk.deps)

    expect(desk.mail.calls).toEqual([])
    expect((await theLetter()).given_up_at).not.toBeNull()
  })

  it('is a welcome to somebody who left at once', async () => {
    const { deps, mail, signUp } = openDesk(database)
    await signUp(ann)
    await confirmSubscriber(deps, proofIn(mail.accepted[0]))
    await unsubscribe(deps, await publicId(), 'page')

    await sendLetters(deps)

    expect(mail.accepted).toHaveLength(1)
  })
})

const accept: Answer = (mails) => ({
  outcome: { kind: 'accepted', providerIds: mails.map(({ id }) => id) },
  deliver: true,
})

/** Ann signed up; her letter is posted and not sent. */
async function annWaits(): Promise<Desk> {
  const desk = openDesk(database)
  await recordSignUps(database.db, [signUpOf({ at: desk.clock() })])
  await takeInSignUps(desk.deps)
  return desk
}

/** Ann signed up, confirmed, and was sent her welcome, with the answers that `prepare` sets. */
async function confirmedAnn(
  parts: Partial<Desk['deps']> = {},
  prepare: (mail: Desk['mail']) => void = () => {},
): Promise<Desk> {
  const desk = openDesk(database, parts)
  prepare(desk.mail)
  await desk.signUp({ address: ann, at: desk.deps.clock() })
  await confirmSubscriber(desk.deps, proofIn(desk.mail.accepted[0]))
  await sendLetters(desk.deps)
  return desk
}

function theLetter() {
  return database.db.selectFrom('letter').selectAll().executeTakeFirstOrThrow()
}

async function publicId(): Promise<string> {
  return (await database.db.selectFrom('subscriber').select('public_id').executeTakeFirstOrThrow()).public_id
}

function linksOf(html = ''): string[] {
  return [...parseHTML(html).document.querySelectorAll('a')].map((link) => link.getAttribute('href') ?? '')
}
