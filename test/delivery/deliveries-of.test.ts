import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import type { BatchState, FeedbackState } from '../../db/schema.ts'
import { deliveriesOf } from '../../src/delivery/deliveries-of.ts'
import { preparePartition } from '../../src/delivery/plan.ts'
import { useDatabase } from '../setup/database.ts'
import { deliveryOf, friday, plannedIssue } from '../setup/delivery.ts'
import { people } from '../setup/people.ts'

const database = useDatabase()

/** Every state that the ledger can have a delivery in: what is in the tables, and what is said of it. */
const standings: readonly [string, InLedger, object][] = [
  ['waits', { batch: 'built' }, { state: 'planned', acceptedAt: null }],
  ['is being sent', { batch: 'attempting' }, { state: 'attempting', acceptedAt: null }],
  ['was sent', { batch: 'accepted' }, { state: 'accepted', providerId: 'id-1', feedback: null }],
  ...(
    ['delayed', 'delivered', 'failed', 'suppressed', 'bounced soft', 'bounced hard', 'complained'] as const
  ).map((feedback): [string, InLedger, object] => [
    `was sent, and then: ${feedback}`,
    { batch: 'accepted', feedback },
    { state: 'accepted', providerId: 'id-1', feedback },
  ]),
  ['was refused with its batch', { batch: 'rejected' }, { state: 'rejected', reason: 'because' }],
  [
    'was refused alone',
    { batch: 'accepted', exception: 'rejected' },
    { state: 'rejected', reason: 'an exception', providerId: null, acceptedAt: null },
  ],
  [
    'was left out of a batch that went',
    { batch: 'accepted', exception: 'excluded' },
    { state: 'excluded', reason: 'an exception', providerId: null, acceptedAt: null },
  ],
  ['was left out with everybody of its batch', { batch: 'empty' }, { state: 'excluded', acceptedAt: null }],
  ['got no batch at all', { batch: 'none' }, { state: 'excluded', reason: 'an exception', batchId: null }],
  ['is not known', { batch: 'unknown' }, { state: 'unknown', reason: 'because', providerId: null }],
  ['is in doubt', { batch: 'quarantined' }, { state: 'quarantined', reason: 'because', providerId: null }],
  [
    'is in doubt, and the provider reported on it',
    { batch: 'quarantined', feedback: 'delivered' },
    { state: 'quarantined', feedback: 'delivered' },
  ],
]

describe('what a reader was sent', () => {
  it.each(standings)('says of a delivery that %s just that, once', async (_, inLedger, expected) => {
    const ann = await people.ann(database.db)
    await people.bob(database.db)
    const { issue } = await plannedIssue(database)
    await put(inLedger, issue.id, ann.id)

    const lines = await deliveriesOf(database.db, ann.id, { most: 10 })

    const { state, reason, providerId, feedback } = (await deliveryOf(database.db, issue.id, ann.id)) ?? {}
    expect(lines).toMatchObject([
      { week: '2026-W47', subject: expect.stringContaining('glyphmoor'), ...expected },
    ])
    expect(lines[0]).toMatchObject({ state, reason, providerId, feedback })
  })

  it('has the issues newest first, each in one page, and none that they were not planned for', async () => {
    const ann = await people.ann(database.db)
    const bob = await people.bob(database.db)
    const { issue } = await plannedIssue(database)
    const weeks = Array.from({ length: 7 }, (_, n) => `2025-W${String(n + 10)}`)
    for (const week of weeks) await plannedBefore(week, ann.id)
    await plannedBefore('2025-W20', bob.id)
    const seen: string[] = []

    for (let before: string | undefined; ; ) {
      const page = await deliveriesOf(database.db, ann.id, { before, most: 3 })
      seen.push(...page.map(({ week }) => week))
      if (page.length < 3) break
      before = page.at(-1)?.week
    }

    expect(seen).toEqual([issue.week, ...weeks.toReversed()])
  })

  it('is nothing for somebody whom no issue was planned for', async () => {
    await people.bob(database.db)
    await plannedIssue(database)
    const ann = await people.ann(database.db)

    expect(await deliveriesOf(database.db, ann.id, { most: 10 })).toEqual([])
  })
})

type InLedger = {
  readonly batch: BatchState | 'none'
  readonly exception?: 'excluded' | 'rejected'
  readonly feedback?: FeedbackState
}

/** Writes into the ledger what would stand there. */
async function put(
  { batch, exception, feedback }: InLedger,
  issueId: number,
  subscriberId: number,
): Promise<void> {
  const { db } = database
  const at = Temporal.Instant.from(friday)
  if (batch === 'none')
    await sql`
      update delivery set batch_id = null, slot = null, exception = 'excluded', reason = 'an exception'
       where subscriber_id = ${subscriberId}`.execute(db)
  else
    await db
      .updateTable('batch')
      .set({
        ...{
          state: batch,
          reason: ['rejected', 'unknown', 'quarantined'].includes(batch) ? 'because' : null,
        },
        ...(['attempting', 'unknown', 'accepted'].includes(batch) && { first_used_at: at }),
        ...(batch === 'attempting' && { lease_until: at.add({ minutes: 1 }) }),
        ...(batch === 'accepted' && { accepted_at: at, provider_ids: ['id-1', 'id-2'] }),
      })
      .execute()
  if (exception)
    await sql`
      update delivery set exception = ${exception}, reason = 'an exception'
       where subscriber_id = ${subscriberId}`.execute(db)
  if (feedback)
    await db
      .insertInto('feedback')
      .values({ issue_id: issueId, subscriber_id: subscriberId, state: feedback, at, soft_at: null })
      .execute()
}

/** An issue of the past that one reader was planned for, and left out of. */
async function plannedBefore(week: string, subscriberId: number): Promise<void> {
  const { db } = database
  const at = Temporal.Instant.from('2025-06-01T12:00:00Z')
  const { id } = await db
    .insertInto('issue')
    .values({
      ...{ week, state: 'cancelled', timezone: 'America/New_York', draft_at: at, due_at: at },
      ...{ planned_at: at, planned: 1 },
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  await preparePartition(db, id)
  await sql`
    insert into delivery (issue_id, subscriber_id, address, exception, reason)
    values (${id}, ${subscriberId}, ${`${subscriberId}@example.test`}, 'excluded', 'cancelled')`.execute(db)
}
