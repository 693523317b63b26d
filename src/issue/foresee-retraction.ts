import type { Kysely, Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { type DraftDeps, type DraftResult, draftAgain } from './draft.ts'
import { ensureIssue, type Issue, lockIssue, nextIssueWeek } from './issue.ts'
import { lockDraftWith } from './lock-draft.ts'

/** An issue in outline: its subject and the titles in it, the lead first. A quiet week has neither, and a reason. */
export type Outline = {
  readonly subject: string
  readonly titles: readonly string[]
  readonly quiet: string | null
}

/** What the coming issue is with a comparison and would be without it. */
export type Foreseen = {
  readonly week: string
  /** Whether it is drafted; if not, both outlines are as of now. */
  readonly isDrafted: boolean
  /** Who approved the edition that would no longer be it; null when nobody has. */
  readonly approvedBy: string | null
  readonly before: Outline
  readonly after: Outline
}

/**
 * Drafts the coming issue without a comparison, with the code that drafts it in earnest, and takes it all back again.
 * Undefined when the comparison is neither in a draft nor would be in the next one.
 */
export async function foreseeRetraction(deps: DraftDeps, slug: string): Promise<Foreseen | undefined> {
  const trx = await deps.db.startTransaction().execute()
  try {
    return (await withoutDrafted(trx, deps, slug)) ?? (await withoutWaiting(trx, deps, slug))
  } finally {
    await trx.rollback().execute()
  }
}

async function withoutDrafted(
  trx: Transaction<Database>,
  deps: DraftDeps,
  slug: string,
): Promise<Foreseen | undefined> {
  const issue = await lockDraftWith(trx, slug)
  if (!issue) return undefined
  const isApproved = issue.approved_hash !== null && issue.approved_hash === issue.edition_hash
  const before = await outlineOf(trx, issue)
  await retract(trx, slug, deps.clock())
  const after = outlineFrom(await draftAgain(trx, deps, issue))
  const approvedBy = isApproved ? issue.approved_by : null
  return { week: issue.week, isDrafted: true, approvedBy, before, after }
}

/** For an issue that is not drafted yet: as if it were drafted now, twice. */
async function withoutWaiting(
  trx: Transaction<Database>,
  deps: DraftDeps,
  slug: string,
): Promise<Foreseen | undefined> {
  const now = deps.clock()
  const week = await nextIssueWeek(trx, now, deps.calendar)
  await ensureIssue(trx, week)
  const issue = await lockIssue(trx, week.name)
  if (issue?.state !== 'scheduled') return undefined
  const asOfNow = { ...issue, cutoff_at: now }
  const first = await draftAgain(trx, deps, asOfNow)
  if (!first.chosen.some((one) => one.slug === slug)) return undefined
  await retract(trx, slug, now)
  const after = outlineFrom(await draftAgain(trx, deps, asOfNow))
  return { week: week.name, isDrafted: false, approvedBy: null, before: outlineFrom(first), after }
}

async function outlineOf(db: Kysely<Database>, issue: Issue): Promise<Outline> {
  const edition = await db
    .selectFrom('edition')
    .select('subject')
    .where('hash', '=', issue.edition_hash)
    .executeTakeFirst()
  const members = await db
    .selectFrom('issue_comparison as ic')
    .innerJoin('comparison as c', 'c.id', 'ic.comparison_id')
    .select('c.title')
    .where('ic.issue_id', '=', issue.id)
    .orderBy('ic.position')
    .execute()
  return { subject: edition?.subject ?? '', titles: members.map(({ title }) => title), quiet: null }
}

function outlineFrom({ edition, chosen, reason, outcome }: DraftResult): Outline {
  return {
    subject: edition?.subject ?? '',
    titles: chosen.map(({ title }) => title),
    quiet: outcome === 'quiet week' ? (reason ?? '') : null,
  }
}

async function retract(trx: Transaction<Database>, slug: string, at: Temporal.Instant): Promise<void> {
  await trx.updateTable('comparison').set({ retracted_at: at }).where('slug', '=', slug).execute()
}
