import { type Kysely, type QueryCreator, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Calendar } from '../clock.ts'
import type { MailTemplates } from '../mail/mail-templates.ts'
import { loadAtRevision } from '../verdict/at-revision.ts'
import { noVotes, withVotes } from '../verdict/count-votes.ts'
import { composeIssue } from './compose.ts'
import { foreseeBaseline, quietReason } from './draft.ts'
import { type Edition, freezeEdition } from './edition.ts'
import { type IssueEdits, issueEdits, noEdits } from './edits.ts'
import { findCorrections } from './find-corrections.ts'
import { votesOfIssue } from './freeze-votes.ts'
import { findIssue, weekOfIssue } from './issue.ts'
import { correctionLinks, type LinkTarget, linksOf } from './links.ts'
import { lookBackOf } from './look-back.ts'
import { type IssueSetting, renderIssue } from './render.ts'
import { type LeftOut, selectIds } from './select.ts'
import { type Week, weekNamed } from './week.ts'

type Deps = {
  readonly db: Kysely<Database>
  readonly calendar: Calendar
  readonly comparisons: { readonly least: number; readonly most: number }
  readonly templates: MailTemplates
  readonly setting: IssueSetting
}

/** What a week's issue would be, were it drafted at an instant. `edition` is null in a quiet week, which `reason` explains. */
export type AsOf = {
  readonly week: Week
  readonly chosen: readonly { readonly slug: string; readonly title: string }[]
  readonly leftOut: readonly LeftOut[]
  readonly edition: Edition | null
  readonly reason: string
  readonly links: readonly LinkTarget[]
  /** Comparisons that came in only later: nothing was known of them. */
  readonly unknown: number
  /** The revision of the editors' corrections that had been made; 0 when there was none. */
  readonly edits: number
}

/**
 * Drafts a week as of an instant, with the code that drafts in earnest, and stores nothing. What it goes by is as it stood
 * then: each comparison at its latest revision, retracted or not; what other issues had taken by their cut-off, unless
 * they had been cancelled; what editors had corrected. An instant to come sees what is here now and is published by then.
 *
 * Three things are not kept, and are taken as they are now: the baseline, the templates and settings, and what an issue
 * that was drafted more than once had in it before its last draft. Readers' votes, and what it looks back on, are those
 * that its last draft was set with. Undefined when there is no such week.
 */
export async function issueAsOf(deps: Deps, name: string, at: Temporal.Instant): Promise<AsOf | undefined> {
  const { db, calendar } = deps
  const issue = await findIssue(db, name)
  const week = issue ? weekOfIssue(issue) : weekNamed(name, calendar)
  if (!week) return undefined
  const issueId = issue?.id ?? 0
  const { revision, edits } = await editsBy(db, issueId, at)
  const { baseline } = await foreseeBaseline(db, week, at, calendar)
  const byHand = { leftOut: edits.leftOut, include: edits.include, now: at }
  const { least, most } = deps.comparisons
  const { ids, leftOut } = await selectIds(tablesAsOf(db, at), {
    issueId,
    cutoff: at,
    baseline,
    most,
    byHand,
  })
  const revisions = await loadAtRevision(db, await revisionsBy(db, ids, at))
  const votes = issue ? await votesOfIssue(db, issue.id) : noVotes
  const comparisons = revisions?.map((comparison) => withVotes(comparison, votes))
  if (!comparisons) throw new Error(`A revision of a comparison is not kept`)
  const found = { week, leftOut, unknown: await countUnknown(db, at), edits: revision }
  if (comparisons.length < Math.max(least, 1)) {
    const reason = quietReason(comparisons.length, least, edits)
    const waiting = comparisons.map(({ slug, title }) => ({
      ...{ slug, title, reason: `waits for the next issue: ${reason}` },
    }))
    return { ...found, chosen: [], leftOut: [...leftOut, ...waiting], edition: null, reason, links: [] }
  }
  const lookBack = issue && (await lookBackOf(db, issue.id, votes))
  const corrections = await findCorrections(db, issueId, at)
  const composed = composeIssue(week, comparisons, edits, { corrections, lookBack })
  const links = [...linksOf(composed, deps.setting), ...correctionLinks(composed, deps.setting)]
  return {
    ...{ ...found, chosen: composed.comparisons.map(({ slug, title }) => ({ slug, title })), reason: '' },
    edition: freezeEdition(renderIssue(deps.templates, composed, deps.setting)),
    links: links.map(({ id, target }) => ({ id, target })),
  }
}

/** The tables that a selection goes by, as they stood at an instant, under their own names. */
function tablesAsOf(db: Kysely<Database>, at: Temporal.Instant): QueryCreator<Database> {
  return db
    .with(
      'comparison',
      () =>
        sql<Database['comparison']>`(
        select c.id, c.slug, r.document ->> 'title' as title,
               (r.document ->> 'publishedAt')::timestamptz as published_at,
               case when (r.document ->> 'retracted')::boolean then r.revised_at
                    when c.retracted_at <= ${at}::timestamptz then c.retracted_at end as retracted_at
          from comparison c
         cross join lateral (
           select * from comparison_revision r
            where r.comparison_id = c.id and r.revised_at <= ${at}::timestamptz
            order by r.revision desc limit 1) r)`,
    )
    .with(
      'issue_comparison',
      () =>
        sql<Database['issue_comparison']>`(
        select ic.issue_id, ic.comparison_id, true as counts
          from issue_comparison ic
          join issue i on i.id = ic.issue_id
         where i.cutoff_at <= ${at}::timestamptz and (ic.counts or i.finished_at > ${at}::timestamptz))`,
    )
}

async function revisionsBy(db: Kysely<Database>, ids: readonly number[], at: Temporal.Instant) {
  if (ids.length === 0) return []
  const rows = await db
    .selectFrom('comparison_revision')
    .select((eb) => ['comparison_id', eb.fn.max('revision').as('revision')])
    .where('comparison_id', 'in', ids)
    .where('revised_at', '<=', at)
    .groupBy('comparison_id')
    .execute()
  return ids.flatMap((id) => rows.find(({ comparison_id }) => comparison_id === id) ?? [])
}

async function editsBy(
  db: Kysely<Database>,
  issueId: number,
  at: Temporal.Instant,
): Promise<{ readonly revision: number; readonly edits: IssueEdits }> {
  const row = await db
    .selectFrom('issue_edits')
    .select(['revision', 'edits'])
    .where('issue_id', '=', issueId)
    .where('at', '<=', at)
    .orderBy('revision', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row
    ? { revision: row.revision, edits: issueEdits.parse(row.edits) }
    : { revision: 0, edits: noEdits }
}

async function countUnknown(db: Kysely<Database>, at: Temporal.Instant): Promise<number> {
  const { unknown } = await db
    .selectFrom('comparison as c')
    .select((eb) => eb.fn.countAll<number>().as('unknown'))
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('comparison_revision as r')
            .select('r.revision')
            .whereRef('r.comparison_id', '=', 'c.id')
            .where('r.revised_at', '<=', at),
        ),
      ),
    )
    .executeTakeFirstOrThrow()
  return Number(unknown)
}
