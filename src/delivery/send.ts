import type { Kysely, Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { cutEdition, type Edition, freezeEdition } from '../issue/edition.ts'
import { findIssue, type Issue, lockIssue } from '../issue/issue.ts'
import { addLinks, linkTargets } from '../issue/links.ts'
import { preflight } from '../issue/preflight.ts'
import type { IssueSetting } from '../issue/render.ts'
import type { Transport } from '../mail/email.ts'
import type { MailTemplates } from '../mail/mail-templates.ts'
import type { WireFacts } from '../mail/wire.ts'
import type { SigningKey } from '../subscriber/token.ts'
import { choicesOf } from './choice.ts'
import { type DailyLimit, smallestDay } from './daily-limit.ts'
import { type EpochDeps, whyNotThisDatabase } from './epoch.ts'
import { personalise, testReader } from './personalise.ts'
import { batchSize, type ChosenEdition, planDeliveries, preparePartition } from './plan.ts'
import { variantsOf } from './variant.ts'

export type SendRules = {
  readonly policy: 'auto' | 'approve'
  readonly grace: Temporal.Duration
}

type Deps = EpochDeps & {
  readonly rules: SendRules
  readonly transport: Pick<Transport, 'most'>
  readonly keyId: string
  readonly keys: readonly SigningKey[]
  readonly wire: WireFacts
  readonly listId: string
  readonly dailyLimit?: DailyLimit | undefined
  readonly templates: MailTemplates
  readonly setting: IssueSetting
}

/** Whether deliveries may leave: `ready` when they are planned, `settled` when there is nothing (more) to send. */
export type Readiness =
  | { readonly kind: 'ready'; readonly issue: Issue }
  | { readonly kind: 'settled'; readonly issue: Issue }
  | { readonly kind: 'refused'; readonly problem: string }

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

  const block =
    issue.edition_hash && (await whatBlocks(deps, issue, await loadEdition(db, issue.edition_hash)))
  if (block) return refuse(blocked(week, block))

  await preparePartition(db, issue.id)
  return db.transaction().execute(async (trx): Promise<Readiness> => {
    const locked = await lockIssue(trx, week)
    if (seen !== undefined && locked?.planned_at === null && locked.edition_hash !== seen)
      return refuse(`The edition of ${week} has changed since you saw it. Look at it again.`)
    if (!locked?.edition_hash || !['draft', 'approved', 'missed'].includes(locked.state)) {
      return locked?.state === 'sending'
        ? { kind: 'ready', issue: locked }
        : refuse(`${week} has just changed. Look again.`)
    }
    const { choices, heaviest, block } = await chooseEditions(
      { ...deps, db: trx },
      locked,
      locked.edition_hash,
    )
    if (block) return refuse(blocked(week, block))
    if (locked.approved_hash !== locked.edition_hash) await approveBySchedule(trx, locked, clock())
    const day = deps.dailyLimit ? smallestDay(deps.dailyLimit) : Number.POSITIVE_INFINITY
    const size = Math.min(batchSize(deps.transport.most, heaviest), day)
    await planDeliveries(trx, locked, { size, keyId: deps.keyId, choices }, clock())
    return { kind: 'ready', issue: { ...locked, state: 'sending' } }
  })
}

/** What preflight finds in an edition as a reader would get it that must not leave; undefined when nothing. */
async function whatBlocks(deps: Deps, { id, week }: Issue, edition: Edition): Promise<string | undefined> {
  const [key] = deps.keys
  if (!key) return 'there is no signing key'
  const reader = { publicId: testReader, address: 'reader@example.com' }
  const mail = personalise({ ...deps, key }, cutEdition(edition), reader, { week, batchId: 'preflight' })
  const links = await linkTargets(deps.db, id)
  const findings = preflight({ ...mail, preheader: edition.preheader, links })
  return findings.find(({ level }) => level === 'block')?.what
}

/** Renders each of the audience's choices once and keeps it beside the approved edition. `heaviest` is in bytes of one mail. */
async function chooseEditions(
  deps: Omit<Deps, 'db'> & { db: Transaction<Database> },
  issue: Issue,
  approvedHash: string,
): Promise<{ choices: readonly ChosenEdition[]; heaviest: number; block: string | undefined }> {
  const approved = await loadEdition(deps.db, approvedHash)
  const variantFor = await variantsOf(deps, issue)
  const choices: ChosenEdition[] = []
  let heaviest = weigh(approved)
  let block: string | undefined
  for (const choice of await choicesOf(deps.db, issue.id)) {
    const variant = await variantFor(choice)
    switch (variant.kind) {
      case 'approved':
        choices.push({ choice, hash: approvedHash, reason: null })
        break
      case 'nothing':
        choices.push({ choice, hash: null, reason: variant.reason })
        break
      case 'variant':
        await keepVariant(deps, issue, variant.edition, approvedHash)
        await addLinks(deps.db, issue.id, variant.links)
        block ??= await whatBlocks(deps, issue, variant.edition)
        choices.push({ choice, hash: variant.edition.hash, reason: null })
        heaviest = Math.max(heaviest, weigh(variant.edition))
    }
  }
  return { choices, heaviest, block }
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

/** The stored edition. Throws when its bytes are not those of its hash: such an edition is never sent. */
export async function loadEdition(db: Kysely<Database>, hash: string): Promise<Edition> {
  const row = await db
    .selectFrom('edition')
    .select(['subject', 'preheader', 'html', 'text'])
    .where('hash', '=', hash)
    .executeTakeFirstOrThrow()
  const edition = freezeEdition(row)
  if (edition.hash !== hash) throw new Error(`Edition ${hash} does not match its hash`)
  return edition
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

function blocked(week: string, block: string): string {
  return `${week} is blocked: ${block}. Mend that, then: verdict draft --week ${week}`
}

function refuse(problem: string): Readiness {
  return { kind: 'refused', problem }
}
