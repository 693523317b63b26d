import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { WorkDeps } from '../../jobs/work.ts'
import type { Claim, ClaimResult } from '../../src/delivery/claim.ts'
import { claimBatch } from '../../src/delivery/claim.ts'
import { type Delivered, deliverIssue } from '../../src/delivery/deliver.ts'
import { openForSending } from '../../src/delivery/send.ts'
import type { Issue } from '../../src/issue/issue.ts'
import type { Mail, SendOutcome } from '../../src/mail/email.ts'
import { clockAt, type MovableClock } from './clock.ts'
import { documentFor, publish } from './comparisons.ts'
import type { TestDatabase } from './database.ts'
import { approvedIssue, newsletterWith } from './newsletter.ts'
import { openPostOffice, type PostOffice } from './post-office.ts'

/** The Thursday on which week 47 is drafted, and the Friday at which it is due, 09:00 in New York. */
export const thursday = '2026-11-19T14:00:00Z'
export const friday = '2026-11-20T14:00:00Z'

export type DueIssue = {
  readonly deps: WorkDeps
  readonly clock: MovableClock
  readonly mail: PostOffice
  readonly issue: Issue
}

/** Week 47 with one comparison, approved on Thursday; the clock stands at its due time and nobody has planned it yet. */
export async function dueIssue(
  { db }: Pick<TestDatabase, 'db'>,
  { mail = openPostOffice(), ...parts }: { mail?: PostOffice } & Partial<WorkDeps> = {},
): Promise<DueIssue> {
  const clock = clockAt(thursday)
  const deps = newsletterWith({ db }, { clock, transport: mail, ...parts })
  await publish(db, documentFor('glyphmoor-vs-kernwick'))
  const issue = await approvedIssue(deps)
  clock.moveTo(friday)
  return { deps, clock, mail, issue }
}

/** The same with its audience frozen: every reader that is there now has a delivery. */
export async function plannedIssue(
  database: Pick<TestDatabase, 'db'>,
  parts: { mail?: PostOffice } & Partial<WorkDeps> = {},
): Promise<DueIssue> {
  const due = await dueIssue(database, parts)
  const ready = await openForSending(due.deps, due.issue.week, { early: false })
  if (ready.kind !== 'ready') throw new Error(`Not ready: ${JSON.stringify(ready)}`)
  return { ...due, issue: ready.issue }
}

/** Claims as a worker of that name would. */
export function claimAs(worker: string, { deps, issue }: DueIssue): Promise<ClaimResult> {
  return claimBatch({ ...deps, worker, repeatable: deps.transport.repeatable }, issue.id)
}

/** The claim, or an error that says what came instead. */
export function claimed(result: ClaimResult): Claim {
  if (result.kind !== 'claimed') throw new Error(`Nothing was claimed: ${JSON.stringify(result)}`)
  return result.claim
}

/** Delivers, and moves the clock on through every wait that is asked for. */
export async function deliverThroughWaits({ deps, clock, issue }: DueIssue): Promise<Delivered> {
  for (let waits = 0; waits < 200; waits += 1) {
    const delivered = await deliverIssue(deps, issue.id)
    if (delivered.kind !== 'waiting') return delivered
    clock.moveTo(delivered.until)
  }
  throw new Error('Still waiting after two hundred waits')
}

/** Where each reader's delivery stands: `{ ann: 'accepted', bob: 'excluded: unsubscribed' }`. */
export async function standing(db: Kysely<Database>): Promise<Record<string, string>> {
  const rows = await db
    .selectFrom('delivery_state')
    .select(['address', 'state', 'reason'])
    .orderBy('address')
    .execute()
  return Object.fromEntries(
    rows.map(({ address, state, reason }) => [
      (address ?? 'erased').replace('@example.test', ''),
      reason === null ? state : `${state}: ${reason}`,
    ]),
  )
}

/** The batches in the order they were cut. */
export function batches(db: Kysely<Database>) {
  return db.selectFrom('batch').selectAll().orderBy('ordinal').orderBy('id').execute()
}

/** What a provider says that took them all. */
export function takesAll(mails: readonly Mail[]): SendOutcome {
  return { kind: 'accepted', providerIds: mails.map((mail) => `id-${mail.id}`) }
}

/** An answer that got lost on its way back, after the provider took the mails or before. */
export function lostAnswer(taken: 'after they were taken' | 'before they were taken') {
  return () => ({
    outcome: { kind: 'unknown' as const, reason: 'the connection was reset' },
    deliver: taken === 'after they were taken',
  })
}

/** The addresses that `people.crowd` makes, in order. */
export function crowd(size: number): readonly string[] {
  return Array.from({ length: size }, (_, n) => `reader-${String(n + 1).padStart(6, '0')}@example.test`)
}

/** Where one reader's delivery stands, what we did and what came back since; undefined when there is none. */
export function deliveryOf(db: Kysely<Database>, issueId: number, subscriberId: number) {
  return db
    .selectFrom('delivery_state as d')
    .leftJoin('feedback as f', (join) =>
      join.onRef('f.issue_id', '=', 'd.issue_id').onRef('f.subscriber_id', '=', 'd.subscriber_id'),
    )
    .select(['d.state', 'd.reason', 'd.provider_id as providerId'])
    .select(['f.state as feedback', 'f.at as feedbackAt'])
    .where('d.issue_id', '=', issueId)
    .where('d.subscriber_id', '=', subscriberId)
    .executeTakeFirst()
}
