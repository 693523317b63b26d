import { describe, expect, it } from 'vitest'
import type { ConsentKind } from '../../db/schema.ts'
import { sendIssue } from '../../jobs/send-issue.ts'
import { reconcileIssue } from '../../src/delivery/reconcile.ts'
import { recordOutcome } from '../../src/delivery/record.ts'
import { findIssue } from '../../src/issue/issue.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { useDatabase } from '../setup/database.ts'
import { claimAs, claimed, dueIssue, friday, plannedIssue, thursday } from '../setup/delivery.ts'
import { people } from '../setup/people.ts'

const database = useDatabase()

describe('a reader who was claimed after they had gone', () => {
  it.each(['unsubscribed', 'paused', 'erased'] as const)(
    'breaks the ledger when they had %s',
    async (kind) => {
      const ann = await annWithTheIssue()

      await happened(ann.id, kind, thursday)

      expect(await broken()).toEqual([
        `attempt 1 on batch ${await theBatch()} was claimed after reader ${ann.id} left`,
      ])
    },
  )

  it('breaks it also when they were paused, came back, and then left', async () => {
    const ann = await annWithTheIssue()

    await happened(ann.id, 'paused', thursday)
    await happened(ann.id, 'resumed', thursday)
    await happened(ann.id, 'unsubscribed', thursday)

    expect(await broken()).toHaveLength(1)
  })
})

describe('a reader who was there when they were claimed', () => {
  it.each([
    ['paused', 'resumed'],
    ['unsubscribed', 'resubscribed'],
    ['unsubscribed', 'confirmed'],
  ] as const)('breaks nothing: they had %s, and then %s', async (gone, back) => {
    const ann = await annWithTheIssue()

    await happened(ann.id, gone, thursday)
    await happened(ann.id, back, thursday)

    expect(await broken()).toEqual([])
  })

  it('breaks nothing by leaving afterwards', async () => {
    const ann = await people.ann(database.db)
    const { deps, clock } = await dueIssue(database)
    await sendIssue(deps, '2026-W47')
    clock.pass('PT1M')
    await unsubscribe(deps, ann.publicId, 'page')

    expect(await broken()).toEqual([])
  })

  it('breaks nothing by an undo that a claim waited for: the claim had looked at its clock before', async () => {
    const ann = await people.ann(database.db)
    await happened(ann.id, 'unsubscribed', thursday)
    const due = await plannedIssue(database)
    const claim = claimed(await claimAs('a', due))
    due.clock.pass('PT1S')
    await happened(ann.id, 'resubscribed', due.clock().toString())
    due.clock.pass('PT1S')
    await recordOutcome(due.deps, claim, { kind: 'accepted', providerIds: ['id-of-ann'] })

    expect(await broken()).toEqual([])
  })

  it('breaks it when they only came back after the call had ended', async () => {
    const ann = await annWithTheIssue()

    await happened(ann.id, 'unsubscribed', thursday)
    await happened(ann.id, 'resubscribed', '2026-11-20T14:00:01Z')

    expect(await broken()).toHaveLength(1)
  })
})

/** Ann has week 47; the call took no time at all. */
async function annWithTheIssue() {
  const ann = await people.ann(database.db)
  const { deps, clock } = await dueIssue(database)
  await sendIssue(deps, '2026-W47')
  expect(clock().toString()).toBe(friday)
  return ann
}

async function happened(subscriberId: number, kind: ConsentKind, at: string): Promise<void> {
  await database.db
    .insertInto('consent_event')
    .values({
      subscriber_id: subscriberId,
      kind,
      at: Temporal.Instant.from(at),
      method: 'page',
      detail: null,
    })
    .execute()
}

async function broken(): Promise<readonly string[]> {
  const issue = await findIssue(database.db, '2026-W47')
  if (!issue) throw new Error('Week 47 has no issue')
  return (await reconcileIssue(database.db, issue)).violations.map(({ what }) => what)
}

async function theBatch(): Promise<string> {
  const { id } = await database.db.selectFrom('batch').select('id').executeTakeFirstOrThrow()
  return id
}
