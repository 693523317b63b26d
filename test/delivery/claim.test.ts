import { describe, expect, it } from 'vitest'
import { deliverIssue } from '../../src/delivery/deliver.ts'
import { decide } from '../../src/issue/decide.ts'
import type { Mail } from '../../src/mail/email.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { useDatabase } from '../setup/database.ts'
import {
  batches,
  claimAs,
  claimed,
  type DueIssue,
  deliverThroughWaits,
  lostAnswer,
  plannedIssue,
  standing,
  takesAll,
} from '../setup/delivery.ts'
import { people } from '../setup/people.ts'
import { openPostOffice, type PostOffice } from '../setup/post-office.ts'

const database = useDatabase()
const oneByOne = { mails: 1, bytes: 4_000_000 }

describe('claiming a batch', () => {
  it('leaves out who has gone since the audience was frozen, with the reason', async () => {
    const { ann, bob, cleo } = await threeReaders()
    const { deps, mail, issue, clock } = await plannedIssue(database)
    await unsubscribe(deps, bob.publicId, 'page')
    await database.db
      .insertInto('suppression')
      .values({ address: cleo.address, reason: 'complained', since: clock() })
      .execute()

    await deliverIssue(deps, issue.id)

    expect(mail.sentTo()).toEqual([ann.address])
    expect(await standing(database.db)).toEqual({
      ann: 'accepted',
      bob: 'excluded: unsubscribed',
      cleo: 'excluded: complained',
    })
  })

  it('honours an unsubscribe that came while an earlier batch was on its way', async () => {
    const { ann, bob, cleo } = await threeReaders()
    const { deps, mail, issue } = await plannedIssue(database, { mail: openPostOffice({ most: oneByOne }) })
    mail.answerNext(async (mails) => {
      await unsubscribe(deps, cleo.publicId, 'one-click')
      return { outcome: takesAll(mails), deliver: true }
    })

    await deliverIssue(deps, issue.id)

    expect(mail.sentTo()).toEqual([ann.address, bob.address])
    expect(await standing(database.db)).toMatchObject({ cleo: 'excluded: unsubscribed' })
  })

  it('closes a batch that everybody left, without a call', async () => {
    const ann = await people.ann(database.db)
    const { deps, mail, issue } = await plannedIssue(database)
    await unsubscribe(deps, ann.publicId, 'page')

    const delivered = await deliverIssue(deps, issue.id)

    expect(delivered).toEqual({ kind: 'finished', state: 'sent' })
    expect(mail.calls).toEqual([])
    expect(await standing(database.db)).toEqual({ ann: 'excluded: unsubscribed' })
  })

  it('gives no two workers the same batch', async () => {
    await people.crowd(database.db, 6)
    const due = await plannedIssue(database, { mail: openPostOffice({ most: oneByOne }) })

    const results = await Promise.all(Array.from({ length: 12 }, (_, n) => claimAs(`worker-${n}`, due)))

    const ids = results.flatMap((result) => (result.kind === 'claimed' ? [result.claim.batchId] : []))
    expect(new Set(ids).size).toBe(ids.length)
    const rest = await claimAll(due)
    expect(new Set([...ids, ...rest]).size).toBe(6)
  })

  it('writes the attempt down before the call, with a fingerprint of its bytes and its readers in order', async () => {
    const { ann, bob, cleo } = await threeReaders()
    const due = await plannedIssue(database)

    const claim = claimed(await claimAs('one', due))

    const attempts = await database.db.selectFrom('attempt').selectAll().execute()
    expect(attempts).toMatchObject([
      { batch_id: claim.batchId, fence: 1, worker: 'one', outcome: null, members: [ann.id, bob.id, cleo.id] },
    ])
    expect(attempts[0]?.fingerprint).toMatch(/^[0-9a-f]{64}$/)
  })

  it.each(['hold', 'cancel'] as const)('finds nothing after a %s', async (decision) => {
    await people.ann(database.db)
    const due = await plannedIssue(database)

    await decide(due.deps, '2026-W47', decision, 'eve@example.test')

    expect(await claimAs('one', due)).toEqual({ kind: 'none' })
  })
})

describe('a worker that fell silent', () => {
  it('keeps its batch until its lease ends', async () => {
    await people.ann(database.db)
    const due = await plannedIssue(database)
    await claimAs('one', due)

    due.clock.pass('PT89S')

    expect(await claimAs('two', due)).toEqual({
      kind: 'waiting',
      until: Temporal.Instant.from('2026-11-20T14:01:30Z'),
    })
  })

  it('is taken over with the same key and the same bytes, so that each reader has one mail', async () => {
    await threeReaders()
    const { deps, mail, issue, clock } = await plannedIssue(database)
    const calls: (readonly Mail[])[] = []
    await expect(deliverIssue({ ...deps, transport: dying(mail, calls) }, issue.id)).rejects.toThrow('ended')

    clock.pass('PT90S')
    const next = { ...deps, worker: 'two', transport: { ...mail, send: keeping(mail, calls) } }
    await deliverIssue(next, issue.id)

    expect(mail.sentTo()).toEqual(['ann@example.test', 'bob@example.test', 'cleo@example.test'])
    expect(mail.calls).toHaveLength(2)
    expect(mail.calls[1]).toEqual(mail.calls[0])
    expect(calls[1]).toEqual(calls[0])
    expect(await attempts()).toEqual(['unknown: the worker fell silent', 'accepted'])
    expect(await standing(database.db)).toEqual({ ann: 'accepted', bob: 'accepted', cleo: 'accepted' })
  })
})

describe('an answer that was lost', () => {
  it.each(['after they were taken', 'before they were taken'] as const)(
    'is asked for again under the same key after a pause, where it was lost %s',
    async (when) => {
      await threeReaders()
      const due = await plannedIssue(database)
      const { deps, mail, issue, clock } = due
      mail.answerNext(lostAnswer(when))

      const first = await deliverIssue(deps, issue.id)
      const tooSoon = await deliverIssue(deps, issue.id)
      clock.pass('PT1S')
      const second = await deliverIssue(deps, issue.id)

      const pause = { kind: 'waiting', until: Temporal.Instant.from('2026-11-20T14:00:01Z') }
      expect([first, tooSoon, second]).toEqual([pause, pause, { kind: 'finished', state: 'sent' }])
      expect(mail.sentTo()).toEqual(['ann@example.test', 'bob@example.test', 'cleo@example.test'])
      expect(mail.calls).toHaveLength(2)
      expect(mail.calls[1]).toEqual(mail.calls[0])
    },
  )

  it('goes to a person once a reader of it has left: the same bytes may not go again', async () => {
    const { bob } = await threeReaders()
    const due = await plannedIssue(database)
    due.mail.answerNext(lostAnswer('after they were taken'))
    await deliverIssue(due.deps, due.issue.id)
    await unsubscribe(due.deps, bob.publicId, 'one-click')

    await deliverThroughWaits(due)

    expect(due.mail.calls).toHaveLength(1)
    expect(await reasons()).toEqual(['quarantined: the answer was lost, and a member has left since'])
  })

  it('goes to a person where the links would be other ones now', async () => {
    await threeReaders()
    const due = await plannedIssue(database)
    due.mail.answerNext(lostAnswer('after they were taken'))
    await deliverIssue(due.deps, due.issue.id)
    const moved = { ...due.deps, wire: { ...due.deps.wire, publicUrl: 'https://elsewhere.example.com' } }

    await deliverThroughWaits({ ...due, deps: moved })

    expect(due.mail.calls).toHaveLength(1)
    expect(await reasons()).toEqual([
      'quarantined: the answer was lost, and the same bytes cannot be made again',
    ])
  })

  it('goes to a person before the provider forgets its key', async () => {
    await people.ann(database.db)
    const due = await plannedIssue(database)
    due.mail.answerNext(lostAnswer('after they were taken'))
    await deliverIssue(due.deps, due.issue.id)

    due.clock.moveTo('2026-11-21T13:00:00Z')
    await deliverIssue(due.deps, due.issue.id)

    expect(due.mail.calls).toHaveLength(1)
    expect(await reasons()).toEqual([
      'quarantined: the answer was lost, and the idempotency key is too old to repeat',
    ])
  })

  it('is still asked for a moment before that', async () => {
    await people.ann(database.db)
    const due = await plannedIssue(database)
    due.mail.answerNext(lostAnswer('after they were taken'))
    await deliverIssue(due.deps, due.issue.id)

    due.clock.moveTo('2026-11-21T12:59:59Z')
    await deliverIssue(due.deps, due.issue.id)

    expect(due.mail.sentTo()).toEqual(['ann@example.test'])
    expect(await reasons()).toEqual(['accepted'])
  })

  it('goes to a person where a second call could mean a second mail', async () => {
    await people.ann(database.db)
    const due = await plannedIssue(database, {
      mail: openPostOffice({ name: 'smtp', repeatable: false, most: oneByOne }),
    })
    due.mail.answerNext(lostAnswer('after they were taken'))

    await deliverThroughWaits(due)

    expect(due.mail.calls).toHaveLength(1)
    expect(await reasons()).toEqual([
      'quarantined: the answer was lost, and this transport cannot repeat a call safely',
    ])
  })

  it('goes to a person where a transport without keys died in the call', async () => {
    await people.ann(database.db)
    const due = await plannedIssue(database, { mail: openPostOffice({ repeatable: false }) })
    await claimAs('one', due)

    due.clock.pass('PT90S')
    await deliverThroughWaits(due)

    expect(due.mail.calls).toEqual([])
    expect(await attempts()).toEqual(['unknown: the worker fell silent'])
    expect(await reasons()).toEqual([
      'quarantined: the answer was lost, and this transport cannot repeat a call safely',
    ])
  })
})

describe('a call that the provider put off', () => {
  it('goes again under the same key while its readers are the same', async () => {
    await threeReaders()
    const due = await plannedIssue(database)
    due.mail.answerNext(later)

    await deliverThroughWaits(due)

    expect(due.mail.calls[1]).toEqual(due.mail.calls[0])
    expect(due.mail.calls).toHaveLength(2)
  })

  it('goes under a new key once a reader has left, because the old one may be bound to other bytes', async () => {
    const { bob } = await threeReaders()
    const due = await plannedIssue(database)
    due.mail.answerNext(later)
    await deliverIssue(due.deps, due.issue.id)
    await unsubscribe(due.deps, bob.publicId, 'page')

    await deliverThroughWaits(due)

    const [{ id } = { id: '' }] = await batches(database.db)
    expect(due.mail.calls).toEqual([
      { key: `wv1/2026-W47/${id}/1`, to: ['ann@example.test', 'bob@example.test', 'cleo@example.test'] },
      { key: `wv1/2026-W47/${id}/2`, to: ['ann@example.test', 'cleo@example.test'] },
    ])
    expect(due.mail.sentTo()).toEqual(['ann@example.test', 'cleo@example.test'])
  })

  it('does not bring back who came back in between', async () => {
    const { bob } = await threeReaders()
    const due = await plannedIssue(database)
    due.mail.answerNext(later, later)
    await deliverIssue(due.deps, due.issue.id)
    await unsubscribe(due.deps, bob.publicId, 'page')
    due.clock.pass('PT5S')
    await deliverIssue(due.deps, due.issue.id)

    await database.db
      .updateTable('subscriber')
      .set({ status: 'confirmed', unsubscribed_at: null })
      .where('id', '=', bob.id)
      .execute()
    await deliverThroughWaits(due)

    expect(due.mail.sentTo()).toEqual(['ann@example.test', 'cleo@example.test'])
  })
})

const later = {
  kind: 'retry' as const,
  after: Temporal.Duration.from('PT0.05S'),
  reason: 'too many requests',
}

async function threeReaders() {
  const { db } = database
  return { ann: await people.ann(db), bob: await people.bob(db), cleo: await people.cleo(db) }
}

async function claimAll(due: DueIssue): Promise<readonly string[]> {
  const ids: string[] = []
  for (;;) {
    const result = await claimAs('last', due)
    if (result.kind !== 'claimed') return ids
    ids.push(result.claim.batchId)
  }
}

/** A process that ends between the provider's answer and the ledger. */
function dying(mail: PostOffice, seen: (readonly Mail[])[]): PostOffice {
  return {
    ...mail,
    async send(mails, key) {
      seen.push(mails)
      await mail.send(mails, key)
      throw new Error('the process ended here')
    },
  }
}

function keeping(mail: PostOffice, seen: (readonly Mail[])[]): PostOffice['send'] {
  return (mails, key) => {
    seen.push(mails)
    return mail.send(mails, key)
  }
}

async function attempts(): Promise<readonly string[]> {
  const rows = await database.db
    .selectFrom('attempt')
    .select(['outcome', 'reason'])
    .orderBy('fence')
    .execute()
  return rows.map(({ outcome, reason }) => (reason === null ? `${outcome}` : `${outcome}: ${reason}`))
}

async function reasons(): Promise<readonly string[]> {
  const rows = await batches(database.db)
  return rows.map(({ state, reason }) => (reason === null ? state : `${state}: ${reason}`))
}
