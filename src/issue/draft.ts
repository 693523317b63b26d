import type { Kysely, Transaction } from 'kysely'
import type { Database, IssueState } from '../../db/schema.ts'
import type { Calendar, Clock } from '../clock.ts'
import type { MailTemplates } from '../mail/mail-templates.ts'
import type { StoredComparison } from '../verdict/comparison.ts'
import { withVotes } from '../verdict/count-votes.ts'
import { composeIssue } from './compose.ts'
import type { ComposedCorrection } from './compose-correction.ts'
import { currentEdits } from './edit-history.ts'
import { type Edition, freezeEdition } from './edition.ts'
import type { IssueEdits } from './edits.ts'
import { findCorrections } from './find-corrections.ts'
import { freezeVotes, votesOfIssue } from './freeze-votes.ts'
import { ensureIssue, type Issue, lockIssue, weekOfIssue } from './issue.ts'
import { keepCorrections } from './kept-corrections.ts'
import { addLinks, correctionLinks, type IssueLink, linksOf, saveDraftLinks } from './links.ts'
import { lookBackOf } from './look-back.ts'
import { type IssueSetting, renderIssue } from './render.ts'
import { type LeftOut, selectComparisons } from './select.ts'
import { type Week, weekBefore, weekNamed } from './week.ts'

export type DraftDeps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly calendar: Calendar
  readonly comparisons: { readonly least: number; readonly most: number }
  readonly fewestVotes: number
  readonly templates: MailTemplates
  readonly setting: IssueSetting
}

/** What drafting came to. `unchanged` when the issue had already gone past drafting. */
export type DraftResult = {
  readonly week: string
  readonly outcome: 'drafted' | 'quiet week' | 'unchanged'
  readonly state: IssueState
  readonly cutoff: Temporal.Instant | null
  readonly reason: string | null
  readonly edition: Edition | null
  readonly chosen: readonly StoredComparison[]
  readonly leftOut: readonly LeftOut[]
  readonly corrections: readonly ComposedCorrection[]
}

/**
 * Selects what is new up to now, composes, renders and saves the week's issue. Run again before the issue is approved,
 * it takes in what is newer; afterwards it changes nothing. Too few comparisons make a quiet week, kept with its reason.
 * What editors corrected stays.
 */
export async function draftIssue(deps: DraftDeps, week: Week): Promise<DraftResult> {
  const { db } = deps
  await ensureIssue(db, week)
  return db.transaction().execute(async (trx) => {
    const issue = await lockIssue(trx, week.name)
    if (!issue) throw new Error(`Issue ${week.name} has no row`)
    return isOpenForDrafting(issue) ? draftNow(trx, deps, issue, deps.clock()) : unchanged(issue)
  })
}

/**
 * Drafts again, as of the same cut-off, an issue in which a comparison has been retracted since, or given a time to come:
 * it is in no such issue, approved or not, nor is a correction of it. An approval is gone with it, because the edition is another one. Returns
 * whether that was needed.
 */
export async function dropRetracted(deps: DraftDeps, week: string): Promise<boolean> {
  return deps.db.transaction().execute(async (trx) => {
    const issue = await lockIssue(trx, week)
    if (!issue?.cutoff_at || !['draft', 'approved', 'missed'].includes(issue.state)) return false
    const retracted = await trx
      .selectFrom('comparison as c')
      .select('c.id')
      .where('c.id', 'in', spokenOf(trx, issue.id))
      .where((eb) => eb.or([eb('c.retracted_at', 'is not', null), eb('c.published_at', '>', deps.clock())]))
      .limit(1)
      .executeTakeFirst()
    if (!retracted) return false
    await draftAgain(trx, deps, issue)
    return true
  })
}

/** What is in a draft, in full or corrected. */
function spokenOf(trx: Transaction<Database>, issueId: number) {
  return trx
    .selectFrom('issue_comparison')
    .select('comparison_id')
    .where('issue_id', '=', issueId)
    .union(trx.selectFrom('issue_correction').select('comparison_id').where('issue_id', '=', issueId))
}

/**
 * Sets an issue anew as of the cut-off that it has, for whoever changed what goes into it and has its row locked. An
 * approval is of an edition: it is gone where that is another one now, and back where it is the approved one again. What
 * was held back or missed its time stays so. `edits` are those that are about to be saved.
 */
export function draftAgain(
  trx: Transaction<Database>,
  deps: DraftDeps,
  issue: Issue,
  edits?: IssueEdits,
): Promise<DraftResult> {
  const { cutoff_at } = issue
  if (cutoff_at === null) throw new Error(`Issue ${issue.week} was never drafted`)
  return draftNow(trx, deps, issue, cutoff_at, edits)
}

async function draftNow(
  trx: Transaction<Database>,
  deps: DraftDeps,
  issue: Issue,
  cutoff: Temporal.Instant,
  given?: IssueEdits,
): Promise<DraftResult> {
  const week = weekOfIssue(issue)
  const { least, most } = deps.comparisons
  await trx.deleteFrom('issue_comparison').where('issue_id', '=', issue.id).execute()
  await keepCorrections(trx, issue.id, [])
  const baseline = await baselineOf(trx, week, cutoff, deps.calendar)
  const edits = given ?? (await currentEdits(trx, issue.id)).edits
  const byHand = { leftOut: edits.leftOut, include: edits.include, now: deps.clock() }
  const rule = { issueId: issue.id, cutoff, baseline, most, byHand }
  const { chosen, leftOut } = await selectComparisons(trx, rule)
  if (chosen.length < Math.max(least, 1)) {
    const reason = quietReason(chosen.length, least, edits)
    await saveQuietWeek(trx, issue, cutoff, reason)
    const waiting = chosen.map(({ slug, title }) => ({
      slug,
      title,
      reason: `waits for the next issue: ${reason}`,
    }))
    return {
      ...{
        week: week.name,
        outcome: 'quiet week',
        state: 'quiet',
        cutoff,
        reason,
        edition: null,
        chosen: [],
      },
      ...{ leftOut: [...leftOut, ...waiting], corrections: [] },
    }
  }

  const ids = chosen.map(({ id }) => id)
  await freezeVotes(trx, issue, { ids, cutoff, least: deps.fewestVotes })
  const votes = await votesOfIssue(trx, issue.id)
  const comparisons = chosen.map((comparison) => withVotes(comparison, votes))
  const lookBack = await lookBackOf(trx, issue.id, votes)
  const corrections = await findCorrections(trx, issue.id, cutoff)
  const composed = composeIssue(week, comparisons, edits, { corrections, lookBack })
  const edition = freezeEdition(renderIssue(deps.templates, composed, deps.setting))
  const order = composed.comparisons.map((comparison) => comparison.slug)
  const ordered = chosen.toSorted((a, b) => order.indexOf(a.slug) - order.indexOf(b.slug))
  const links = linksOf(composed, deps.setting)
  const state = stateAfter(issue, edition.hash)
  await saveDraft(trx, issue, { state, cutoff, edition, comparisons: ordered, links })
  await keepCorrections(trx, issue.id, corrections)
  await addLinks(trx, issue.id, correctionLinks(composed, deps.setting))
  return {
    ...{ week: week.name, outcome: 'drafted', state, cutoff, reason: reasonAfter(issue, state), edition },
    ...{ chosen: ordered, leftOut, corrections: composed.corrections },
  }
}

/**
 * What came before the first issue is archive. The first issue looks back to the draft before the oldest week there is
 * (its own, unless weeks before it were missed), or seven days where that is longer; an issue of an earlier week drafted
 * afterwards (a rehearsal) becomes the first.
 */
async function baselineOf(
  trx: Transaction<Database>,
  week: Week,
  cutoff: Temporal.Instant,
  calendar: Calendar,
) {
  const { baseline, isKnown } = await foreseeBaseline(trx, week, cutoff, calendar)
  if (isKnown) return baseline
  await trx
    .insertInto('newsletter')
    .values({ baseline_at: baseline })
    .onConflict((oc) => oc.column('single').doUpdateSet({ baseline_at: baseline }))
    .execute()
  return baseline
}

/** The baseline that drafting a week as of an instant goes by; `isKnown` when it is the stored one. Writes nothing. */
export async function foreseeBaseline(
  db: Kysely<Database>,
  week: Week,
  cutoff: Temporal.Instant,
  calendar: Calendar,
): Promise<{ readonly baseline: Temporal.Instant; readonly isKnown: boolean }> {
  const earlier = await db
    .selectFrom('issue')
    .select('id')
    .where('week', '<', week.name)
    .where('cutoff_at', 'is not', null)
    .limit(1)
    .executeTakeFirst()
  const known = await db.selectFrom('newsletter').select('baseline_at').executeTakeFirst()
  if (known && earlier) return { baseline: known.baseline_at, isKnown: true }

  const oldest = await db.selectFrom('issue').select('week').orderBy('week').limit(1).executeTakeFirst()
  const first = (oldest && weekNamed(oldest.week, calendar)) ?? week
  const reach = earliest(weekBefore(first, calendar).draftAt, cutoff.subtract({ hours: 7 * 24 }))
  return { baseline: known ? earliest(known.baseline_at, reach) : reach, isKnown: false }
}

function earliest(a: Temporal.Instant, b: Temporal.Instant): Temporal.Instant {
  return Temporal.Instant.compare(a, b) <= 0 ? a : b
}

async function saveDraft(
  trx: Transaction<Database>,
  issue: Issue,
  draft: {
    state: IssueState
    cutoff: Temporal.Instant
    edition: Edition
    comparisons: readonly StoredComparison[]
    links: readonly IssueLink[]
  },
): Promise<void> {
  await trx
    .insertInto('edition')
    .values({ ...draft.edition, issue_id: issue.id, frozen_at: draft.cutoff })
    .onConflict((oc) => oc.column('hash').doNothing())
    .execute()
  await trx
    .insertInto('issue_comparison')
    .values(
      draft.comparisons.map(({ id, revision }, index) => ({
        issue_id: issue.id,
        comparison_id: id,
        position: index + 1,
        revision,
      })),
    )
    .execute()
  await saveDraftLinks(trx, issue.id, draft.links)
  await trx
    .updateTable('issue')
    .set({
      ...{ state: draft.state, reason: reasonAfter(issue, draft.state) },
      ...{ cutoff_at: draft.cutoff, edition_hash: draft.edition.hash },
    })
    .where('id', '=', issue.id)
    .execute()
  await dropSuperseded(trx, issue, draft.edition.hash)
}

/** Where an issue stands once it was set anew. */
function stateAfter({ state, approved_hash }: Issue, hash: string): IssueState {
  switch (state) {
    case 'held':
    case 'missed':
      return state
    case 'draft':
    case 'approved':
      return approved_hash === hash ? 'approved' : 'draft'
    default:
      return 'draft'
  }
}

function reasonAfter({ state, reason }: Issue, now: IssueState): string | null {
  return now === state ? reason : null
}

/**
 * Deletes the editions that this one took the place of, so that a draft which is saved every few seconds leaves none
 * behind. The one before it stays, because somebody may be reading it just now; and one that was approved.
 */
async function dropSuperseded(trx: Transaction<Database>, issue: Issue, current: string): Promise<void> {
  const kept = [current, issue.edition_hash ?? '', issue.approved_hash ?? '']
  await trx
    .deleteFrom('edition')
    .where('issue_id', '=', issue.id)
    .where('hash', 'not in', kept)
    .where('variant_of', 'is', null)
    .execute()
}

async function saveQuietWeek(
  trx: Transaction<Database>,
  issue: Issue,
  cutoff: Temporal.Instant,
  reason: string,
) {
  await trx
    .updateTable('issue')
    .set({ state: 'quiet', reason, cutoff_at: cutoff, edition_hash: null })
    .where('id', '=', issue.id)
    .execute()
}

function isOpenForDrafting({ state }: Issue): boolean {
  return state === 'scheduled' || state === 'draft' || state === 'quiet'
}

function unchanged(issue: Issue): DraftResult {
  return {
    ...{
      week: issue.week,
      outcome: 'unchanged',
      state: issue.state,
      cutoff: issue.cutoff_at,
      reason: issue.reason,
    },
    ...{ edition: null, chosen: [], leftOut: [], corrections: [] },
  }
}

/** Why there is no issue: how many comparisons there were. */
export function quietReason(found: number, least: number, { leftOut }: IssueEdits): string {
  const byHand = leftOut.length > 0 ? ', without what an editor left out' : ''
  const comparisons = found === 1 ? '1 new comparison' : `${found === 0 ? 'no' : found} new comparisons`
  return found === 0
    ? `${comparisons}${byHand}`
    : `${comparisons}${byHand}, fewer than the ${least} that make an issue`
}
