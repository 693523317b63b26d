import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { findIssue, type Issue, lockIssue } from '../issue/issue.ts'
import type { Finding } from '../issue/preflight/finding.ts'
import type { Transport } from '../mail/email.ts'
import { chooseEditions } from './choose-editions.ts'
import { type DailyLimit, smallestDay } from './daily-limit.ts'
import { type EpochDeps, whyNotThisDatabase } from './epoch.ts'
import { batchSize, planDeliveries, preparePartition } from './plan.ts'
import { blocksOf, type PreflightDeps } from './preflight.ts'

export { loadEdition } from './load-edition.ts'

export type SendRules = {
  readonly policy: 'auto' | 'approve'
  readonly grace: Temporal.Duration
}

type Deps = EpochDeps &
  PreflightDeps & {
    readonly rules: SendRules
    readonly transport: Pick<Transport, 'most'>
    readonly keyId: string
    readonly dailyLimit?: DailyLimit | undefined
  }

/**
 * Whether deliveries may leave: `ready` when they are planned, `settled` when there is nothing (more) to send. `blocks`
 * are the lines of preflight that stopped it, where that is why it was refused.
 */
export type Readiness =
  | { readonly kind: 'ready'; readonly issue: Issue }
  | { readonly kind: 'settled'; readonly issue: Issue }
  | { readonly kind: 'refused'; readonly problem: string; readonly blocks?: readonly Finding[] }

/**
 * Opens an issue for delivery: checks that it may be sent now, pins the edition and freezes the audience, or finds that
 * this was done before. `early` lets an editor send ahead of time, or long after it; `seen` is the hash of the edition
 * that they had before them, and no other one is sent.
 */
export async function openForSending(
  deps: Deps,
  week: string,
  { early, seen }: { early: boolean; seen?: string },
): Promise<Readiness> {
  const { db, clock, rules } = deps
  const issue = await findIssue(db, week)
  if (!issue) return refuse(`There is no issue for ${week}. Make one: verdict draft --week ${week}`)
  const refusal = whyNotNow(issue, clock(), rules, early)
  if (refusal) return refuse(refusal)
  if (issue.planned_at !== null && issue.state !== 'sending') return { kind: 'settled', issue }
  const foreign = await whyNotThisDatabase(deps)
  if (foreign) return refuse(foreign)
  if (issue.planned_at !== null) return { kind: 'ready', issue }

  const blocks = await blocksOf(deps, issue)
  if (blocks.length > 0) return blocked(week, blocks)

  await preparePartition(db, issue.id)
  return db.transaction().execute(async (trx): Promise<Readiness> => {
    const locked = await lockIssue(trx, week)
    if (seen !== undefined && locked?.planned_at === null && locked.edition_hash !== seen)
      return refuse(`The edition of ${week} has changed since you saw it. Look at it again.`)
    // An approval may have gone since, or another time have been given.
    const refusalNow = locked && whyNotNow(locked, clock(), rules, early)
    if (refusalNow) return refuse(refusalNow)
    if (!locked?.edition_hash || !['draft', 'approved', 'missed'].includes(locked.state)) {
      return locked?.state === 'sending'
        ? { kind: 'ready', issue: locked }
        : refuse(`${week} has just changed. Look again.`)
    }
    if (locked.edition_hash !== issue.edition_hash)
      return refuse(`${week} has just been changed, and is checked again.`)
    const { choices, heaviest, blocks } = await chooseEditions(
      { ...deps, db: trx },
      locked,
      locked.edition_hash,
    )
    if (blocks.length > 0) return blocked(week, blocks)
    if (locked.approved_hash !== locked.edition_hash) await approveBySchedule(trx, locked, clock())
    const day = deps.dailyLimit ? smallestDay(deps.dailyLimit) : Number.POSITIVE_INFINITY
    const size = Math.min(batchSize(deps.transport.most, heaviest), day)
    await planDeliveries(trx, locked, { size, keyId: deps.keyId, choices }, clock())
    return { kind: 'ready', issue: { ...locked, state: 'sending' } }
  })
}

/** Why an issue cannot be sent now, with what to do; undefined when it can, or when it is finished already. */
function whyNotNow(
  issue: Issue,
  now: Temporal.Instant,
  rules: SendRules,
  early: boolean,
): string | undefined {
  const { week, state, reason } = issue
  switch (state) {
    case 'sending':
    case 'sent':
    case 'partly sent':
      return undefined
    case 'scheduled':
      return `${week} has not been drafted. Draft it: verdict draft --week ${week}`
    case 'quiet':
      return `${week} is a quiet week (${reason}): nothing is sent.`
    case 'held':
      return `${week} is ${reason}. Let it go: verdict release ${week}`
    case 'paused':
      return `${week} is paused: ${reason}. When that is mended: verdict release ${week}`
    case 'cancelled':
      return `${week} was cancelled (${reason}).`
    case 'missed':
      return whyNotMissed(issue, rules, early)
    case 'draft':
      if (rules.policy === 'approve') return `${week} is not approved. Approve it: verdict approve ${week}`
      return early ? undefined : whyNotByTheClock(issue, now, rules)
    case 'approved':
      return early ? undefined : whyNotByTheClock(issue, now, rules)
  }
}

function whyNotMissed(
  { week, reason, ...issue }: Issue,
  rules: SendRules,
  early: boolean,
): string | undefined {
  if (issue.edition_hash === null)
    return `${week} was missed (${reason}): its comparisons are in the next issue.`
  if (!early)
    return `${week} was missed: ${reason}. Send it all the same with --now, or drop it: verdict cancel ${week}`
  const isApproved = issue.approved_hash === issue.edition_hash
  if (rules.policy === 'auto' || isApproved) return undefined
  return `${week} was missed and is not approved. First: verdict approve ${week}`
}

function whyNotByTheClock(issue: Issue, now: Temporal.Instant, { grace }: SendRules): string | undefined {
  if (Temporal.Instant.compare(now, issue.due_at) < 0)
    return `${issue.week} is due ${inZone(issue)}. Send it ahead of time with --now.`
  if (Temporal.Instant.compare(now, issue.due_at.add(grace)) > 0)
    return `${issue.week} was due ${inZone(issue)}, longer ago than SEND_GRACE (${grace}). Send it all the same with --now.`
  return undefined
}

function inZone({ due_at, timezone }: Issue): string {
  return due_at
    .toZonedDateTimeISO(timezone)
    .toPlainDateTime()
    .toLocaleString('en-GB', { dateStyle: 'full', timeStyle: 'short' })
    .concat(` ${timezone}`)
}

/** Under `auto` the schedule approves what nobody held, so that what is sent always was approved by somebody or something. */
async function approveBySchedule(db: Kysely<Database>, issue: Issue, at: Temporal.Instant): Promise<void> {
  await db
    .updateTable('issue')
    .set({ approved_hash: issue.edition_hash, approved_at: at, approved_by: 'schedule' })
    .where('id', '=', issue.id)
    .execute()
}

function blocked(week: string, blocks: readonly Finding[]): Readiness {
  const what = [...new Set(blocks.map((block) => block.what))].join('; ')
  const problem = `${week} is blocked: ${what}. Mend that at the desk, or with verdict draft --week ${week}; verdict preview ${week} shows the whole list.`
  return { kind: 'refused', problem, blocks }
}

function refuse(problem: string): Readiness {
  return { kind: 'refused', problem }
}
