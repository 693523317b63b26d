import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { editsForPart } from '../issue/apply-edits.ts'
import { type ComposedIssue, composeFollowed, composeIssue, composeMonth } from '../issue/compose.ts'
import { currentEdits } from '../issue/edit-history.ts'
import { type Edition, freezeEdition, toldOnly } from '../issue/edition.ts'
import { type IssueEdits, noEdits } from '../issue/edits.ts'
import { votesOfIssue } from '../issue/freeze-votes.ts'
import { type Issue, weekOfIssue } from '../issue/issue.ts'
import { loadCorrections } from '../issue/kept-corrections.ts'
import { correctionLinks, type IssueLink, linksOf } from '../issue/links.ts'
import { lookBackOf } from '../issue/look-back.ts'
import { type IssueSetting, renderIssue } from '../issue/render.ts'
import type { MailTemplates } from '../mail/mail-templates.ts'
import { loadAtRevision } from '../verdict/at-revision.ts'
import { withVotes } from '../verdict/count-votes.ts'
import { type Choice, choiceOfEverybody, readChoice, wholeWith } from './choice.ts'
import { loadEdition } from './load-edition.ts'
import { type Member, type Tells, tellsOf } from './tells.ts'

type Deps = {
  readonly db: Kysely<Database>
  readonly templates: MailTemplates
  readonly setting: IssueSetting
}

/** What a choice comes to: the approved edition, one set beside it, or nothing of this issue, with the reason. */
export type Variant =
  | { readonly kind: 'approved'; readonly tells: readonly Tells[] }
  | {
      readonly kind: 'variant'
      readonly edition: Edition
      readonly links: readonly IssueLink[]
      readonly tells: readonly Tells[]
    }
  | { readonly kind: 'nothing'; readonly reason: string }

/**
 * Prepares an issue's variants: the comparisons as they stood when its edition was set. Where that edition cannot be
 * reproduced from them (the templates changed since), everybody who gets the issue gets the approved bytes, which are cut
 * to the corrections that each of them needs. What an editor corrected is in every variant, but for a subject and
 * preheader that speak of a lead which is not in it.
 */
export async function variantsOf(deps: Deps, issue: Issue): Promise<(choice: string) => Promise<Variant>> {
  const members = await deps.db
    .selectFrom('issue_comparison')
    .select(['comparison_id', 'revision'])
    .where('issue_id', '=', issue.id)
    .orderBy('position')
    .execute()
  const votes = await votesOfIssue(deps.db, issue.id)
  const load = async (wanted: readonly Member[]) =>
    (await loadAtRevision(deps.db, wanted))?.map((comparison) => withVotes(comparison, votes))
  const comparisons = await load(members)
  const corrections = await loadCorrections(deps.db, issue.id)
  const lookBack = await lookBackOf(deps.db, issue.id, votes)
  const everybody = await choiceOfEverybody(deps.db, issue.id)
  const set = (composed: ComposedIssue) => freezeEdition(renderIssue(deps.templates, composed, deps.setting))
  const week = weekOfIssue(issue)
  const { edits } = await currentEdits(deps.db, issue.id)
  const around = { corrections, lookBack }
  const isReproduced =
    comparisons !== undefined &&
    set(composeIssue(week, comparisons, edits, around)).hash === issue.edition_hash

  /** The whole issue, from the bytes that were approved. */
  async function whole(keys: readonly string[]): Promise<Variant> {
    const tells = tellsOf(members, corrections, keys)
    if (wholeWith(keys) === everybody) return { kind: 'approved', tells }
    const edition = toldOnly(await loadEdition(deps.db, issue.edition_hash ?? ''), keys)
    return { kind: 'variant', edition, links: [], tells }
  }

  function part(composed: ComposedIssue, its: readonly Member[], keys: readonly string[]): Variant {
    const links = [...linksOf(composed, deps.setting), ...correctionLinks(composed, deps.setting)]
    return {
      ...{ kind: 'variant', edition: toldOnly(set(composed), keys), links },
      tells: tellsOf(its, corrections, keys),
    }
  }

  return async (key) => {
    const choice = readChoice(key)
    const keys = choice.corrections
    const nothing = await whyNothing(deps.db, issue, choice)
    if (nothing) return { kind: 'nothing', reason: nothing }
    if (choice.kind === 'weekly' || !isReproduced) return whole(keys)
    if (choice.kind === 'followed') {
      const isTheirs = (index: number) => choice.comparisonIds.includes(members[index]?.comparison_id ?? 0)
      const followed = comparisons.filter((_, index) => isTheirs(index))
      const theirs = editsForPart(edits, comparisons, followed)
      const composed = composeFollowed(week, followed, comparisons.length, theirs, around)
      return part(
        composed,
        members.filter((_, index) => isTheirs(index)),
        keys,
      )
    }
    const month = lastMonth(issue)
    const sent = await sentIn(deps.db, issue, month)
    const rolledUp = await load(sent)
    const monthly = await editsForMonth(deps.db, issue, month, edits)
    return rolledUp
      ? part(composeMonth(week, month, rolledUp, monthly, { corrections }), sent, keys)
      : whole(keys)
  }
}

/** Why a reader with this choice gets nothing of this issue; undefined when they get something. */
export async function whyNothing(
  db: Kysely<Database>,
  issue: Issue,
  choice: Choice,
): Promise<string | undefined> {
  switch (choice.kind) {
    case 'weekly':
      return undefined
    case 'followed':
      return choice.comparisonIds.length === 0 ? 'nothing they follow is in it' : undefined
    case 'monthly': {
      const isFirst = (await issuesIn(db, issue, monthOf(issue.due_at, issue))).length === 0
      if (!isFirst) return 'monthly: the roll-up came with the first issue of the month'
      const members = await sentIn(db, issue, lastMonth(issue))
      return members.length === 0 ? 'monthly: no issue went out last month' : undefined
    }
  }
}

/** This issue's intro, and the quotes as last month's issues had them; the rest was about other comparisons. */
async function editsForMonth(
  db: Kysely<Database>,
  issue: Issue,
  month: Temporal.PlainYearMonth,
  { intro }: IssueEdits,
): Promise<IssueEdits> {
  const quotes: Record<string, IssueEdits['quotes'][string]> = {}
  for (const { id } of await issuesIn(db, issue, month))
    Object.assign(quotes, (await currentEdits(db, id)).edits.quotes)
  return { ...noEdits, intro, quotes }
}

function monthOf(instant: Temporal.Instant, { timezone }: Issue): Temporal.PlainYearMonth {
  return instant.toZonedDateTimeISO(timezone).toPlainDate().toPlainYearMonth()
}

function lastMonth(issue: Issue): Temporal.PlainYearMonth {
  return monthOf(issue.due_at, issue).subtract({ months: 1 })
}

/** The issues before this one that went out and were due in a month, on the newsletter's calendar. */
async function issuesIn(
  db: Kysely<Database>,
  issue: Issue,
  month: Temporal.PlainYearMonth,
): Promise<readonly Issue[]> {
  const issues = await db
    .selectFrom('issue')
    .selectAll()
    .where('week', '<', issue.week)
    .where('planned_at', 'is not', null)
    .where('due_at', '>', issue.due_at.subtract({ hours: 24 * 70 }))
    .orderBy('week')
    .execute()
  return issues.filter((other) => monthOf(other.due_at, other).equals(month))
}

/** What a month's issues had, each comparison as it is as of this issue's cut-off: what was corrected since is not told again. */
async function sentIn(
  db: Kysely<Database>,
  issue: Issue,
  month: Temporal.PlainYearMonth,
): Promise<readonly Member[]> {
  const ids = (await issuesIn(db, issue, month)).map(({ id }) => id)
  if (ids.length === 0) return []
  return db
    .selectFrom('issue_comparison as ic')
    .innerJoin('comparison as c', 'c.id', 'ic.comparison_id')
    .innerJoin('comparison_revision as r', 'r.comparison_id', 'ic.comparison_id')
    .select((eb) => ['ic.comparison_id', eb.fn.max('r.revision').as('revision')])
    .where('ic.issue_id', 'in', ids)
    .where('c.retracted_at', 'is', null)
    .where((eb) =>
      eb.or([eb('r.revised_at', '<=', issue.cutoff_at), eb('r.revision', '=', eb.ref('ic.revision'))]),
    )
    .groupBy(['ic.issue_id', 'ic.position', 'ic.comparison_id'])
    .orderBy('ic.issue_id')
    .orderBy('ic.position')
    .execute()
}
