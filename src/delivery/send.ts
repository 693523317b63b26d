import type { Kysely, Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Edition } from '../issue/edition.ts'
import { findIssue, type Issue, lockIssue } from '../issue/issue.ts'
import { addLinks } from '../issue/links.ts'
import type { Finding } from '../issue/preflight/finding.ts'
import type { Transport } from '../mail/email.ts'
import { choiceOfEverybody, choicesOf, readChoice, wholeWith } from './choice.ts'
import { type DailyLimit, smallestDay } from './daily-limit.ts'
import { type EpochDeps, whyNotThisDatabase } from './epoch.ts'
import { loadEdition } from './load-edition.ts'
import { batchSize, type ChosenEdition, planDeliveries, preparePartition } from './plan.ts'
import { blocksOf, openCheck, type PreflightDeps, stopsOf } from './preflight.ts'
import { type Tells, variantsOf } from './variant.ts'

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

/** Renders each of the audience's choices once and keeps it beside the approved edition. `heaviest` is in bytes of one mail. */
async function chooseEditions(
  deps: Omit<Deps, 'db'> & { db: Transaction<Database> },
  issue: Issue,
  approvedHash: string,
): Promise<{ choices: readonly ChosenEdition[]; heaviest: number; blocks: readonly Finding[] }> {
  const approved = await loadEdition(deps.db, approvedHash)
  const variantFor = await variantsOf(deps, issue)
  const check = await openCheck(deps, issue)
  const choices: ChosenEdition[] = []
  let heaviest = weigh(approved)
  const blocks: Finding[] = []
  for (const choice of await choicesWithWholes(deps.db, issue.id)) {
    const variant = await variantFor(choice)
    switch (variant.kind) {
      case 'approved':
        await keepTells(deps.db, approvedHash, variant.tells)
        choices.push({ choice, hash: approvedHash, reason: null })
        break
      case 'nothing':
        choices.push({ choice, hash: null, reason: variant.reason })
        break
      case 'variant':
        await keepVariant(deps, issue, variant.edition, approvedHash)
        await keepTells(deps.db, variant.edition.hash, variant.tells)
        await addLinks(deps.db, issue.id, variant.links)
        blocks.push(...stopsOf(await check.look(choice, variant.edition, variant.links)))
        choices.push({ choice, hash: variant.edition.hash, reason: null })
        heaviest = Math.max(heaviest, weigh(variant.edition))
    }
  }
  return { choices, heaviest, blocks }
}

/** The audience's choices; the whole issue for who changes theirs just now; and what the web shows. */
async function choicesWithWholes(db: Transaction<Database>, issueId: number): Promise<readonly string[]> {
  const choices = await choicesOf(db, issueId)
  const wholes = choices.map((choice) => wholeWith(readChoice(choice).corrections))
  return [...new Set([...choices, ...wholes, 'weekly', await choiceOfEverybody(db, issueId)])]
}

/** The same bytes may have been set from an earlier revision, before the draft was made again. */
async function keepTells(
  db: Transaction<Database>,
  edition_hash: string,
  tells: readonly Tells[],
): Promise<void> {
  if (tells.length === 0) return
  await db
    .insertInto('edition_tells')
    .values(tells.map((one) => ({ edition_hash, ...one })))
    .onConflict((oc) =>
      oc.columns(['edition_hash', 'comparison_id']).doUpdateSet((eb) => ({
        revision: eb.ref('excluded.revision'),
        corrects: eb.ref('excluded.corrects'),
      })),
    )
    .execute()
}

async function keepVariant(
  { db, clock }: Pick<Deps, 'clock'> & { db: Transaction<Database> },
  issue: Issue,
  edition: Edition,
  approvedHash: string,
): Promise<void> {
  await db
    .insertInto('edition')
    .values({ ...edition, issue_id: issue.id, frozen_at: clock(), variant_of: approvedHash })
    .onConflict((oc) => oc.column('hash').doNothing())
    .execute()
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

/** About what one mail takes in a request: both parts, escaped, and its headers. */
function weigh({ html, text }: Edition): number {
  return Buffer.byteLength(JSON.stringify(html)) + Buffer.byteLength(JSON.stringify(text)) + 2000
}

function blocked(week: string, blocks: readonly Finding[]): Readiness {
  const what = [...new Set(blocks.map((block) => block.what))].join('; ')
  const problem = `${week} is blocked: ${what}. Mend that at the desk, or with verdict draft --week ${week}; verdict preview ${week} shows the whole list.`
  return { kind: 'refused', problem, blocks }
}

function refuse(problem: string): Readiness {
  return { kind: 'refused', problem }
}
