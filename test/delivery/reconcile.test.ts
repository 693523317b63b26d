import { randomUUID } from 'node:crypto'
import { type RawBuilder, sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { reconcileIssue, type Violation } from '../../src/delivery/reconcile.ts'
import { findIssue, type Issue } from '../../src/issue/issue.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import {
  deliverThroughWaits,
  dueIssue,
  friday,
  lostAnswer,
  plannedIssue,
  takesAll,
  thursday,
} from '../setup/delivery.ts'
import { approvedIssue, newsletterWith } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { openPostOffice } from '../setup/post-office.ts'

const database = useDatabase()

describe('a sound ledger', () => {
  it('breaks nothing after a plain send', async () => {
    await sentToThree()

    expect(await violations()).toEqual([])
  })

  it('breaks nothing after all that can happen on the way', async () => {
    await people.crowd(database.db, 12)
    const bob = await people.bob(database.db)
    const due = await plannedIssue(database, {
      mail: openPostOffice({ most: { mails: 4, bytes: 4_000_000 } }),
    })
    due.mail.answerNext(
      lostAnswer('after they were taken'),
      { kind: 'retry', after: Temporal.Duration.from('PT0.01S'), reason: 'too many requests' },
      { kind: 'rejected', reason: 'one of them is bad' },
      async (mails) => {
        await unsubscribe(due.deps, bob.publicId, 'one-click')
        return { outcome: takesAll(mails), deliver: true }
      },
      { kind: 'rejected', reason: 'one of them is bad' },
      { kind: 'rejected', reason: 'no such mailbox' },
    )

    await deliverThroughWaits(due)

    const { account, violations } = await reconcileIssue(database.db, await issueOfTheWeek())
    expect(violations).toEqual([])
    expect(account).toMatchObject({ planned: 13, accepted: 11, rejected: 1, excluded: 1, notYetSent: 0 })
    expect(due.mail.accepted).toHaveLength(11)
  })

  it('breaks nothing where a batch was halved that somebody had left before', async () => {
    await people.crowd(database.db, 3)
    const bob = await people.bob(database.db)
    const { deps, mail } = await plannedIssue(database)
    await unsubscribe(deps, bob.publicId, 'page')
    mail.answerNext({ kind: 'rejected', reason: 'one of them is bad' })

    await sendIssue(deps, '2026-W47')

    expect(mail.accepted).toHaveLength(3)
    expect(await violations()).toEqual([])
  })

  it('breaks nothing where a reader came back between two issues', async () => {
    const ann = await people.ann(database.db)
    const { deps, clock, issue } = await dueIssue(database)
    await unsubscribe(deps, ann.publicId, 'page')
    clock.pass('PT1M')
    await database.db
      .updateTable('subscriber')
      .set({ status: 'confirmed', unsubscribed_at: null })
      .where('id', '=', ann.id)
      .execute()
    await database.db
      .insertInto('consent_event')
      .values({ subscriber_id: ann.id, kind: 'confirmed', at: clock(), method: 'link', detail: null })
      .execute()
    clock.pass('PT1M')

    await sendIssue(deps, issue.week)

    expect(await violations()).toEqual([])
  })
})

describe('a broken ledger', () => {
  it('has a delivery too few', async () => {
    await sentToThree()

    const named = await violationsWith(
      sql`delete from delivery where subscriber_id = (select max(id) from subscriber)`,
    )

    expect(named).toContainEqual({ invariant: 1, what: 'planned 3 deliveries, but 2 are there' })
  })

  it('has a delivery in a batch of another issue', async () => {
    const { ann } = await sentToThree()
    const other = await anotherIssue()

    const named = await violationsWith(
      sql`insert into batch (id, issue_id, edition_hash, ordinal, size, state, idempotency_key, key_id)
          values (${randomUUID()}, ${other.id}, ${other.edition_hash}, 1, 1, 'built', 'another key', 'k1')`,
      sql`update delivery set batch_id = (select id from batch where issue_id = ${other.id})
           where subscriber_id = ${ann.id}`,
    )

    expect(named).toContainEqual({
      invariant: 1,
      what: `delivery to reader ${ann.id} has no batch of its issue`,
    })
  })

  it('has a delivery to a reader, and an attempt on a batch, who do not exist', async () => {
    await sentToThree()
    const nowhere = randomUUID()

    const named = await violationsWith(
      sql`insert into delivery (issue_id, subscriber_id, exception, reason)
          select id, 4711, 'excluded', 'a test' from issue where week = '2026-W47'`,
      sql`insert into attempt (batch_id, fence, fingerprint, members, worker, started_at)
          values (${nowhere}, 1, 'none', '{}', 'nobody', ${friday})`,
    )

    expect(named).toContainEqual({ invariant: 1, what: 'delivery to reader 4711, who does not exist' })
    expect(named).toContainEqual({
      invariant: 1,
      what: expect.stringContaining(`is on batch ${nowhere}, which does not exist`),
    })
  })

  it('has a delivery in a batch that was halved', async () => {
    const { ann } = await sentToThree()

    const named = await violationsWith(
      sql`update batch set state = 'split', provider_ids = null, accepted_at = null`,
    )

    expect(named).toContainEqual({
      invariant: 1,
      what: `delivery to reader ${ann.id} has no batch of its issue`,
    })
  })

  it.each([
    ['built', sql`provider_ids = null, accepted_at = null`],
    ['unknown', sql`provider_ids = null, accepted_at = null, reason = 'lost'`],
    ['attempting', sql`provider_ids = null, accepted_at = null, lease_until = ${friday}::timestamptz`],
  ])('has a batch that is %s although the issue is sent', async (state, rest) => {
    const { batchId } = await sentToThree()

    const named = await violationsWith(sql`update batch set state = ${state}, ${rest}`)

    expect(named).toEqual([{ invariant: 1, what: `the issue is sent, but batch ${batchId} is ${state}` }])
  })

  it('has two accepted deliveries to one mailbox', async () => {
    const { ann, bob } = await sentToThree()

    const named = await violationsWith(
      sql`alter table delivery drop constraint delivery_issue_id_address_key`,
      sql`update delivery set address = ${ann.address} where subscriber_id = ${bob.id}`,
    )

    expect(named).toEqual([{ invariant: 2, what: `delivery ${ann.id} and ${bob.id} went to one mailbox` }])
  })

  it.each([
    ['too few', sql`provider_ids[1:2]`],
    ['too many', sql`provider_ids || 'id-of-nobody'::text`],
    ['in another place', sql`array[null, null, null, 'a', 'b', 'c']`],
  ])('has an accepted batch with ids of the provider that are %s', async (_, ids) => {
    const { batchId } = await sentToThree()

    const named = await violationsWith(sql`update batch set provider_ids = ${ids}`)

    expect(named).toEqual([
      {
        invariant: 2,
        what: `batch ${batchId} was accepted, but the provider's ids do not match its members`,
      },
    ])
  })

  it('has a batch that was accepted twice', async () => {
    const { batchId } = await sentToThree()

    const named = await violationsWith(
      sql`insert into attempt (batch_id, fence, fingerprint, members, worker, started_at, finished_at, outcome)
          select batch_id, fence + 1, fingerprint, members, worker, started_at, finished_at, outcome from attempt`,
    )

    expect(named).toEqual([{ invariant: 2, what: `batch ${batchId} was accepted 2 times` }])
  })

  it('has an attempt on a reader who had left', async () => {
    const { batchId, bob } = await sentToThree()

    const named = await violationsWith(
      sql`insert into consent_event (subscriber_id, kind, at, method)
          values (${bob.id}, 'unsubscribed', ${thursday}::timestamptz, 'page')`,
    )

    expect(named).toEqual([
      {
        invariant: 3,
        what: `attempt 1 on batch ${batchId} was claimed after reader ${bob.id} left`,
      },
    ])
  })

  it('has an attempt on a reader who was suppressed', async () => {
    const { batchId, bob } = await sentToThree()

    const named = await violationsWith(
      sql`insert into suppression (address, reason, since)
          values (${bob.address}, 'bounced', ${thursday}::timestamptz)`,
    )

    expect(named).toEqual([
      {
        invariant: 3,
        what: `attempt 1 on batch ${batchId} was claimed after reader ${bob.id} was suppressed`,
      },
    ])
  })

  it('has an edition that nobody approved', async () => {
    const { batchId } = await sentToThree()
    const { edition_hash: hash } = await issueOfTheWeek()

    const named = await violationsWith(sql`update issue set approved_hash = 'of another edition'`)

    expect(named).toEqual([
      { invariant: 4, what: `batch ${batchId} carries edition ${hash}, which was not the one approved` },
    ])
  })

  it.each(['subject', 'preheader', 'html', 'text'])('has an edition whose %s was touched', async (part) => {
    await sentToThree()
    const { edition_hash: hash } = await issueOfTheWeek()

    const named = await violationsWith(
      sql`alter table edition disable trigger edition_is_frozen`,
      sql`alter table edition drop constraint edition_check`,
      sql`update edition set ${sql.ref(part)} = ${sql.ref(part)} || '.'`,
    )

    expect(named).toEqual([{ invariant: 4, what: `edition ${hash} does not have the bytes of its hash` }])
  })

  it('has a comparison that is in another issue as well', async () => {
    await sentToThree()
    const other = await anotherIssue()

    const named = await violationsWith(
      sql`drop index comparison_in_one_live_issue`,
      sql`insert into issue_comparison (issue_id, comparison_id, position, revision)
          select ${other.id}, comparison_id, 9, revision from issue_comparison where issue_id <> ${other.id}`,
    )

    expect(named).toEqual([
      { invariant: 5, what: 'comparison glyphmoor-vs-kernwick is also in issue 2026-W48' },
    ])
  })

  it('is not made by the constraints that would have to fall first', async () => {
    const { ann, bob } = await sentToThree()
    const refusals = [
      sql`update delivery set address = ${ann.address} where subscriber_id = ${bob.id}`,
      sql`update batch set provider_ids = null`,
      sql`update edition set html = html || '.'`,
      sql`delete from consent_event`,
      sql`update consent_event set at = ${friday}::timestamptz`,
      sql`update issue set planned_at = null`,
    ]

    for (const refused of refusals) await expect(refused.execute(database.db)).rejects.toThrow()
  })
})

/** Ann, bob and cleo have week 47; nothing is broken. */
async function sentToThree() {
  const { db } = database
  const [ann, bob, cleo] = [await people.ann(db), await people.bob(db), await people.cleo(db)]
  const { deps } = await dueIssue(database)
  await sendIssue(deps, '2026-W47')
  const batch = await db.selectFrom('batch').select('id').executeTakeFirstOrThrow()
  return { ann, bob, cleo, batchId: batch.id }
}

/** Week 48 with a comparison of its own, drafted and approved. */
async function anotherIssue(): Promise<Issue> {
  const at = '2026-11-26T14:00:00Z'
  await publish(database.db, documentFor('siltbed-vs-marrowgate', { publishedAt: '2026-11-25T14:00:00Z' }))
  const clock = () => Temporal.Instant.from(at)
  return approvedIssue(newsletterWith(database, { clock, transport: openPostOffice() }), '2026-W48')
}

async function issueOfTheWeek(): Promise<Issue> {
  const issue = await findIssue(database.db, '2026-W47')
  if (!issue) throw new Error('Week 47 has no issue')
  return issue
}

async function violations(): Promise<readonly Violation[]> {
  return (await reconcileIssue(database.db, await issueOfTheWeek())).violations
}

/** What is named once the statements have run; they and all that they broke are rolled back. */
async function violationsWith(...statements: readonly RawBuilder<unknown>[]): Promise<readonly Violation[]> {
  const issue = await issueOfTheWeek()
  const trx = await database.db.startTransaction().execute()
  try {
    for (const statement of statements) await statement.execute(trx)
    return (await reconcileIssue(trx, issue)).violations
  } finally {
    await trx.rollback().execute()
  }
}
