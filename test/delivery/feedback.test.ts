import { describe, expect, it } from 'vitest'
import { applyEvents, hasEvents } from '../../src/delivery/apply-events.ts'
import { deliverIssue } from '../../src/delivery/deliver.ts'
import { readEvent } from '../../src/delivery/event.ts'
import { eventsAbout } from '../../src/delivery/evidence.ts'
import { feedbackOf } from '../../src/delivery/feedback.ts'
import { keepEvents } from '../../src/delivery/keep-events.ts'
import { postLetter } from '../../src/subscriber/letter.ts'
import { suppress, unsuppress } from '../../src/subscriber/suppress.ts'
import { isOnPostgres, untilSomebodyWaits, useDatabase } from '../setup/database.ts'
import {
  batches,
  claimAs,
  claimed,
  type DueIssue,
  deliveryOf,
  plannedIssue,
  standing,
} from '../setup/delivery.ts'
import { bounces, type KnownMail, mailEvent, type SentEvent } from '../setup/events.ts'
import { people } from '../setup/people.ts'
import { openPostOffice } from '../setup/post-office.ts'

const database = useDatabase()

describe('the state of a delivery', () => {
  const ascending = [
    ['delayed', 'delivery_delayed', {}],
    ['delivered', 'delivered', {}],
    ['failed', 'failed', {}],
    ['suppressed', 'suppressed', {}],
    ['bounced soft', 'bounced', bounces.soft],
    ['bounced hard', 'bounced', bounces.hard],
    ['complained', 'complained', {}],
  ] as const

  it('only ever rises, and its issue counts it once', async () => {
    const ann = await people.ann(database.db)
    const due = await sentIssue()
    const mail = await mailTo(ann.address)

    for (const [state, type, more] of ascending) {
      await tell(due, mailEvent(type, mail, more))
      await tell(due, mailEvent('delivery_delayed', mail))

      const known = await deliveryOf(database.db, due.issue.id, ann.id)
      expect(known).toMatchObject({ state: 'accepted', feedback: state })
      expect(await nonZero(due)).toEqual([[state, 1]])
    }
  })

  it.each(ascending.map((row, at) => [row[0], at] as const))(
    '%s outweighs all before it',
    async (state, at) => {
      const ann = await people.ann(database.db)
      const due = await sentIssue()
      const mail = await mailTo(ann.address)

      for (const [, type, more] of ascending.slice(0, at + 1).toReversed())
        await tell(due, mailEvent(type, mail, more))

      expect(await deliveryOf(database.db, due.issue.id, ann.id)).toMatchObject({
        state: 'accepted',
        feedback: state,
      })
      expect(await nonZero(due)).toEqual([[state, 1]])
    },
  )

  it('has the instant at which it was first reported, by the provider’s clock', async () => {
    const ann = await people.ann(database.db)
    const due = await sentIssue()
    const mail = await mailTo(ann.address)

    await tell(due, mailEvent('delivered', mail, { at: '2026-11-20T15:00:02Z' }))
    await tell(due, mailEvent('delivered', mail, { at: '2026-11-20 15:00:01.5+00' }))
    await tell(due, mailEvent('delivery_delayed', mail, { at: '2026-11-20T14:00:00Z' }))

    const known = await deliveryOf(database.db, due.issue.id, ann.id)
    expect(known?.feedbackAt?.toString()).toBe('2026-11-20T15:00:01.5Z')
  })
})

describe('an event that comes before our own record (W6)', () => {
  it.each(['with tags', 'without tags'])('counts, %s', async (how) => {
    const ann = await people.ann(database.db)
    const due = await plannedIssue(database)
    due.mail.answerNext(async (mails) => {
      const [sent] = mails
      if (!sent) throw new Error('Nothing was sent')
      const mail = { emailId: `id-${sent.id}`, to: sent.to }
      await tell(due, mailEvent('delivered', how === 'with tags' ? { ...mail, tags: sent.tags } : mail))
      return { outcome: { kind: 'accepted', providerIds: [mail.emailId] }, deliver: true }
    })

    await deliverIssue(due.deps, due.issue.id)
    due.clock.pass('PT2M')
    await applyEvents(due.deps)

    expect(await deliveryOf(database.db, due.issue.id, ann.id)).toMatchObject({ feedback: 'delivered' })
    expect(await database.db.selectFrom('event_to_apply').select('id').execute()).toEqual([])
  })

  it('is evidence that the mail was accepted, however the call ended', async () => {
    const [ann] = [await people.ann(database.db), await people.bob(database.db)]
    const due = await plannedIssue(database)
    due.mail.answerNext({ kind: 'unknown', reason: 'no answer' })
    await deliverIssue(due.deps, due.issue.id)
    const [batch] = await batches(database.db)

    await keep(due, mailEvent('sent', await mailTo(ann.address), { at: '2026-11-20T14:00:01Z' }))

    expect(await eventsAbout(database.db, batch?.id ?? '')).toEqual([
      {
        ...{ subscriberId: ann.id, emailId: expect.any(String), type: 'email.sent' },
        at: Temporal.Instant.from('2026-11-20T14:00:01Z'),
      },
    ])
  })

  it('is looked for more and more seldom when nobody knows its mail, and given up after a day', async () => {
    await people.ann(database.db)
    const due = await sentIssue()
    await keep(due, mailEvent('delivered', { emailId: 'theirs', to: 'ann@example.test' }))
    let looks = 0

    for (let minute = 0; minute < 2 * 24 * 60; minute += 5) {
      if (await hasEvents(due.deps)) looks += 1
      await applyEvents(due.deps)
      due.clock.pass('PT5M')
    }

    expect(looks).toBeGreaterThan(5)
    expect(looks).toBeLessThan(15)
    expect(await database.db.selectFrom('event_to_apply').select('id').execute()).toEqual([])
  })
})

describe('soft bounces', () => {
  it.each([
    ['three mails in thirty days', ['2026-11-01', '2026-11-10', '2026-11-30'], true],
    ['three mails in more', ['2026-10-30', '2026-11-10', '2026-11-30'], false],
    ['the last three of four', ['2026-09-01', '2026-11-10', '2026-11-20', '2026-11-30'], true],
    ['two mails', ['2026-11-10', '2026-11-20'], false],
  ])('suppress after %s, in any order', async (_what, days, isSuppressed) => {
    const ann = await people.ann(database.db)
    const due = await plannedIssue(database)
    const letters = await Promise.all(days.map(() => letterTo(due, ann.id)))
    const events = days.map((day, at) =>
      mailEvent('bounced', letterMail(letters[at], ann.address), { ...bounces.soft, at: `${day}T00:00:00Z` }),
    )

    for (const event of [...events.slice(1), ...events]) await tell(due, event)

    expect(await suppressed()).toEqual(isSuppressed ? ['ann@example.test: bounced'] : [])
  })

  it('of one mail count once, however often it bounced', async () => {
    const ann = await people.ann(database.db)
    const due = await sentIssue()
    const mail = await mailTo(ann.address)

    for (let time = 0; time < 5; time += 1) await tell(due, mailEvent('bounced', mail, bounces.unclear))

    expect(await suppressed()).toEqual([])
  })
})

describe('a suppression by an event', () => {
  it('takes effect in every later claim', async () => {
    const [ann, bob] = [await people.ann(database.db), await people.bob(database.db)]
    const due = await plannedIssue(database)
    const letter = await letterTo(due, bob.id)

    await tell(due, mailEvent('bounced', letterMail(letter, bob.address), bounces.hard))
    await deliverIssue(due.deps, due.issue.id)

    expect(due.mail.sentTo()).toEqual([ann.address])
    expect(await standing(database.db)).toEqual({ ann: 'accepted', bob: 'excluded: bounced' })
  })

  it('keeps its strongest reason, whichever came first, and when it began', async () => {
    const first = Temporal.Instant.from('2026-11-01T00:00:00Z')
    const later = Temporal.Instant.from('2026-11-02T00:00:00Z')
    for (const reasons of [['complained', 'bounced'] as const, ['bounced', 'complained'] as const]) {
      await unsuppress(database.db, 'ann@example.test')
      const [one, two] = reasons

      await bar(first, one)
      await bar(later, two)

      const row = await database.db.selectFrom('suppression').select(['reason', 'since']).executeTakeFirst()
      expect(row).toEqual({ reason: 'complained', since: first })
    }
  })

  it('ends the subscription only of who complained about it, and only while the address is still theirs', async () => {
    const [ann, bob, cleo] = [
      await people.ann(database.db),
      await people.bob(database.db),
      await people.cleo(database.db),
    ]
    const due = await sentIssue()
    const mails = [await mailTo(ann.address), await mailTo(bob.address), await mailTo(cleo.address)]
    await database.db
      .updateTable('subscriber')
      .set({ address: 'cleo.new@example.test' })
      .where('id', '=', cleo.id)
      .execute()

    await tell(due, mailEvent('complained', mails[0] ?? never()))
    await tell(due, mailEvent('bounced', mails[1] ?? never(), bounces.hard))
    await tell(due, mailEvent('complained', mails[2] ?? never()))

    const rows = await database.db
      .selectFrom('subscriber')
      .select(['address', 'status'])
      .orderBy('id')
      .execute()
    expect(rows.map(({ address, status }) => `${address} ${status}`)).toEqual([
      'ann@example.test unsubscribed',
      'bob@example.test confirmed',
      'cleo.new@example.test confirmed',
    ])
    expect(await suppressed()).toEqual([
      'ann@example.test: complained',
      'bob@example.test: bounced',
      'cleo@example.test: complained',
    ])
  })

  it.runIf(isOnPostgres)('is strictly after a claim that it met under way', async () => {
    const ann = await people.ann(database.db)
    const due = await plannedIssue(database)
    const letter = await letterTo(due, ann.id)
    await keep(due, mailEvent('complained', letterMail(letter, ann.address)))
    let applying: Promise<unknown> = Promise.resolve()

    await database.db.transaction().execute(async (trx) => {
      const result = await claimAs('w1', { ...due, deps: { ...due.deps, db: inside(trx) } })
      expect(claimed(result).members).toHaveLength(1)
      due.clock.pass('PT5S')
      applying = applyEvents(due.deps)
      await untilSomebodyWaits(database.db)
      due.clock.pass('PT5S')
    })
    await applying

    const [attempt] = await database.db.selectFrom('attempt').select('started_at').execute()
    const [row] = await database.db.selectFrom('suppression').select('since').execute()
    const between = attempt && row && attempt.started_at.until(row.since).total('seconds')
    expect(between).toBe(10)
  })
})

function bar(at: Temporal.Instant, reason: 'bounced' | 'complained') {
  return database.db
    .transaction()
    .execute((trx) => suppress(trx, () => at, [{ address: 'ann@example.test', reason }]))
}

/** A database whose transactions are this one. */
function inside(trx: Parameters<Parameters<ReturnType<typeof database.db.transaction>['execute']>[0]>[0]) {
  return new Proxy(database.db, {
    get: (_db, name) =>
      name === 'transaction'
        ? () => ({ execute: (run: (own: typeof trx) => unknown) => run(trx) })
        : Reflect.get(trx, name, trx),
  })
}

async function sentIssue(): Promise<DueIssue> {
  const due = await plannedIssue(database, { mail: openPostOffice() })
  await deliverIssue(due.deps, due.issue.id)
  return due
}

async function keep({ clock }: DueIssue, { svixId, document }: SentEvent): Promise<void> {
  const read = readEvent(document, { svixId, receivedAt: clock() })
  if (!read.ok) throw new Error(read.problem)
  await keepEvents(database.db, [read.event])
}

async function tell(due: DueIssue, event: SentEvent): Promise<void> {
  await keep(due, event)
  await applyEvents(due.deps)
}

async function mailTo(address: string): Promise<KnownMail> {
  const row = await database.db
    .selectFrom('delivery_state as d')
    .innerJoin('subscriber as s', 's.id', 'd.subscriber_id')
    .select(['d.batch_id', 's.public_id'])
    .where('d.address', '=', address)
    .executeTakeFirstOrThrow()
  const tags = { issue: '2026-W47', batch: row.batch_id ?? '', delivery: row.public_id }
  return { emailId: `id-2026-W47.${row.public_id}`, to: address, tags }
}

function letterTo({ deps }: DueIssue, subscriberId: number): Promise<string> {
  return database.db.transaction().execute((trx) => postLetter(trx, deps, { subscriberId, kind: 'welcome' }))
}

function letterMail(letter = '', to: string): KnownMail {
  return { emailId: `l-${letter}`, to, tags: { letter, kind: 'welcome' } }
}

async function suppressed(): Promise<readonly string[]> {
  const rows = await database.db
    .selectFrom('suppression')
    .select(['address', 'reason'])
    .orderBy('address')
    .execute()
  return rows.map(({ address, reason }) => `${address}: ${reason}`)
}

async function nonZero({ issue }: DueIssue) {
  const { counts } = await feedbackOf(database.db, issue.id)
  return Object.entries(counts).filter(([, count]) => count !== 0)
}

function never(): never {
  throw new Error('There is no such mail')
}
