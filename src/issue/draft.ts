import type { Kysely, Transaction } from 'kysely'
import type { Database, IssueState } from '../../db/schema.ts'
import type { Calendar, Clock } from '../clock.ts'
import type { MailTemplates } from '../mail/mail-templates.ts'
import type { StoredComparison } from '../verdict/comparison.ts'
import { composeIssue } from './compose.ts'
import { type Edition, freezeEdition } from './edition.ts'
import { ensureIssue, type Issue, lockIssue, weekOfIssue } from './issue.ts'
import { type IssueLink, linksOf, saveDraftLinks } from './links.ts'
import { type IssueSetting, renderIssue } from './render.ts'
import { type LeftOut, selectComparisons } from './select.ts'
import { type Week, weekBefore, weekNamed } from './week.ts'

export type DraftDeps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly calendar: Calendar
  readonly comparisons: { readonly least: number; readonly most: number }
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
}

/**
 * Selects what is new up to now, composes, renders and saves the week's issue. Run again before the issue is approved,
 * it takes in what is newer; afterwards it changes nothing. Too few comparisons make a quiet week, kept with its reason.
 */
export async function draftIssue(deps: DraftDeps, week: Week): Promise<DraftResult> {
  const { db } = deps
  await ensureIssue(db, week)
  return db.transaction().execute(async (trx) => {
    const issue = await lockIssue(trx, week.name)
    if (!issue) throw new Error(`Issue ${week.name} has no row`)
    return isOpenForDrafting(issue) ? draftNow(trx, deps, issue) : unchanged(issue)
  })
}

/**
 * Drafts again, as of the same cut-off, an issue in which a comparison has been retracted since: it is in no later issue,
 * approved or not. An approval is gone with it, because the edition is another one. Returns whether that was needed.
 */
export async function dropRetracted(deps: DraftDeps, week: string): Promise<boolean> {
  return deps.db.transaction().execute(async (trx) => {
    const issue = await lockIssue(trx, week)
    if (!issue?.cutoff_at || !['draft', 'approved', 'missed'].includes(issue.state)) return false
    const retracted = await trx
      .selectFrom('issue_comparison as ic')
      .innerJoin('comparison as c', 'c.id', 'ic.comparison_id')
      .select('c.id')
      .where('ic.issue_id', '=', issue.id)
      .where('c.retracted_at', 'is not', null)
      .limit(1)
      .executeTakeFirst()
    if (!retracted) return false
    await draftAgain(trx, deps, issue)
    return true
  })
}

/**
 * Sets an issue anew as of the cut-off that it has, for whoever changed what goes into it and has its row locked. An
 * approval is gone with it where the edition is another one.
 */
export function draftAgain(trx: Transaction<Database>, deps: DraftDeps, issue: Issue): Promise<DraftResult> {
  const { cutoff_at } = issue
  if (cutoff_at === null) throw new Error(`Issue ${issue.week} was never drafted`)
  return draftNow(trx, { ...deps, clock: () => cutoff_at }, issue)
}

async function draftNow(trx: Transaction<Database>, deps: DraftDeps, issue: Issue): Promise<DraftResult> {
  const week = weekOfIssue(issue)
  const cutoff = deps.clock()
  const { least, most } = deps.comparisons
  await trx.deleteFrom('issue_comparison').where('issue_id', '=', issue.id).execute()
  const baseline = await baselineOf(trx, week, cutoff, deps.calendar)
  const { chosen, leftOut } = await selectComparisons(trx, { issueId: issue.id, cutoff, baseline, most })
  if (chosen.length < Math.max(least, 1)) {
    const reason = quietReason(chosen.length, least)
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
      leftOut: [...leftOut, ...waiting],
    }
  }

  const composed = composeIssue(week, chosen)
  const edition = freezeEdition(renderIssue(deps.templates, composed, deps.setting))
  const order = composed.comparisons.map((comparison) => comparison.slug)
  const ordered = chosen.toSorted((a, b) => order.indexOf(a.slug) - order.indexOf(b.slug))
  const links = linksOf(composed, deps.setting)
  await saveDraft(trx, issue, { cutoff, edition, comparisons: ordered, links })
  return {
    ...{ week: week.name, outcome: 'drafted', state: 'draft', cutoff, reason: null, edition },
    ...{ chosen: ordered, leftOut },
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
  const earlier = await trx
    .selectFrom('issue')
    .select('id')
    .where('week', '<', week.name)
    .where('cutoff_at', 'is not', null)
    .limit(1)
    .executeTakeFirst()
  const known = await trx.selectFrom('newsletter').select('baseline_at').executeTakeFirst()
  if (known && earlier) return known.baseline_at

  const oldest = await trx.selectFrom('issue').select('week').orderBy('week').limit(1).executeTakeFirst()
  const first = (oldest && weekNamed(oldest.week, calendar)) ?? week
  const reach = earliest(weekBefore(first, calendar).draftAt, cutoff.subtract({ hours: 7 * 24 }))
  const baseline = known ? earliest(known.baseline_at, reach) : reach
  await trx
    .insertInto('newsletter')
    .values({ baseline_at: baseline })
    .onConflict((oc) => oc.column('single').doUpdateSet({ baseline_at: baseline }))
    .execute()
  return baseline
}

function earliest(a: Temporal.Instant, b: Temporal.Instant): Temporal.Instant {
  return Temporal.Instant.compare(a, b) <= 0 ? a : b
}

async function saveDraft(
  trx: Transaction<Database>,
  issue: Issue,
  draft: {
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
    .set({ state: 'draft', reason: null, cutoff_at: draft.cutoff, edition_hash: draft.edition.hash })
    .where('id', '=', issue.id)
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
    ...{ edition: null, chosen: [], leftOut: [] },
  }
}

function quietReason(found: number, least: number): string {
  const comparisons = found === 1 ? '1 new comparison' : `${found === 0 ? 'no' : found} new comparisons`
  return found === 0 ? comparisons : `${comparisons}, fewer than the ${least} that make an issue`
}
