import type { Transaction } from 'kysely'
import type { Database, IssueState } from '../../db/schema.ts'
import { recordDecision } from './decision.ts'
import { type DraftDeps, draftAgain } from './draft.ts'
import { type Issue, lockIssue } from './issue.ts'
import { whatIsNear } from './near.ts'

/** When an issue is to be drafted and to go out; what is left out stays. */
export type NewTime = { readonly due?: Temporal.Instant; readonly draft?: Temporal.Instant }

/** What became of an approval: the edition has its date, so that another day makes it another edition. */
export type ApprovalAfter = 'none' | 'stands' | 'gone' | 'is back'

/** What came of it. `warned`: `yes` would have done it. */
export type Retimed =
  | {
      readonly ok: true
      readonly issue: Issue
      readonly approval: ApprovalAfter
      /** It was like that before: nothing was changed. */
      readonly already: boolean
    }
  | {
      readonly ok: false
      readonly week: string
      readonly state: IssueState | null
      readonly warned: boolean
      readonly problem: string
    }

type How = {
  readonly by: string
  /** The warning was read. */
  readonly yes: boolean
  /** When it was to go out as the editor saw it: another time by now is not changed. */
  readonly seen?: Temporal.Instant | undefined
}

/** Further ahead than this a date is a slip of the pen: an issue belongs to its week. */
const furthest = Temporal.Duration.from({ hours: 24 * 28 })

/**
 * Gives one issue another time: until it is planned, and for one that was missed, which then goes out by itself again. An
 * edition has its date, so that it is set anew for another day, and what was approved is then approved no more; a time
 * that brings the approved bytes back brings the approval back, too.
 */
export function changeTime(
  deps: DraftDeps,
  week: string,
  wish: NewTime,
  { by, yes, seen }: How,
): Promise<Retimed> {
  return deps.db.transaction().execute(async (trx): Promise<Retimed> => {
    const issue = await lockIssue(trx, week)
    const no = (problem: string, warned = false): Retimed => ({
      ...{ ok: false, week, state: issue?.state ?? null, warned, problem },
    })
    if (!issue) return no(`there is no issue for ${week} yet`)
    const at = deps.clock()
    const to = timesOf(issue, wish)
    const refusal = whyNot(issue, wish, to, at, seen)
    if (refusal) return no(refusal)
    if (to.due.equals(issue.due_at) && to.draft.equals(issue.draft_at))
      return { ok: true, issue, approval: 'none', already: true }
    const warning = to.due.equals(issue.due_at) ? undefined : await whatIsNear(trx, deps, issue, to.due)
    if (warning && !yes) return no(warning, true)

    const state = await move(trx, deps, issue, to)
    const evidence = {
      ...moved('due', issue.due_at, to.due),
      ...moved('draft', issue.draft_at, to.draft),
      yes,
    }
    await recordDecision(trx, { at, by, what: 'change time', issueId: issue.id, evidence })
    const now = (await lockIssue(trx, week)) ?? issue
    return { ok: true, issue: now, approval: approvalAfter(issue, state), already: false }
  })
}

/** Whether an issue still can be given another time. */
export function mayChangeTime({ planned_at, state }: Pick<Issue, 'planned_at' | 'state'>): boolean {
  return planned_at === null && state !== 'cancelled'
}

/** Whether it still has to be drafted at a time of its own. */
export function awaitsDraft({ state, edition_hash }: Pick<Issue, 'state' | 'edition_hash'>): boolean {
  return state === 'scheduled' || (state === 'missed' && edition_hash === null)
}

/** It is never drafted after it goes out: where no time for drafting is given, that one goes along. */
function timesOf(issue: Issue, { due = issue.due_at, draft }: NewTime) {
  return { due, draft: draft ?? earlier(issue.draft_at, due) }
}

function whyNot(
  issue: Issue,
  wish: NewTime,
  { due, draft }: Required<NewTime>,
  now: Temporal.Instant,
  seen: Temporal.Instant | undefined,
): string | undefined {
  const { week, state } = issue
  if (!mayChangeTime(issue)) return `${week} is ${state}: its time can be changed no more`
  if (seen && !seen.equals(issue.due_at))
    return `the time of ${week} was changed since you saw it; look at it again`
  if (wish.due && Temporal.Instant.compare(due, now) <= 0)
    return `that time is past. To send ${week} at once, send it now instead`
  if (Temporal.Instant.compare(due, now.add(furthest)) > 0)
    return `that is more than four weeks ahead. ${week} belongs to its week: choose a time within four weeks`
  if (!wish.draft || wish.draft.equals(issue.draft_at)) return undefined
  if (!awaitsDraft(issue)) return `${week} is ${state}: it has been drafted already`
  if (Temporal.Instant.compare(draft, now) <= 0)
    return `that time to draft it is past. To draft ${week} at once, draft it now instead`
  return Temporal.Instant.compare(draft, due) > 0
    ? 'it would be drafted only after it goes out. Choose a time to draft it that is earlier'
    : undefined
}

/** Stores the times, sets the edition anew where its date is another, and puts a missed issue on its way again. */
async function move(
  trx: Transaction<Database>,
  deps: DraftDeps,
  issue: Issue,
  { due, draft }: Required<NewTime>,
): Promise<IssueState> {
  await trx.updateTable('issue').set({ due_at: due, draft_at: draft }).where('id', '=', issue.id).execute()
  const isDated = issue.edition_hash !== null && !dayOf(issue, issue.due_at).equals(dayOf(issue, due))
  const drafted = isDated && (await draftAgain(trx, deps, { ...issue, due_at: due, draft_at: draft }))
  if (drafted && drafted.outcome === 'quiet week') return 'quiet'
  const hash = drafted ? (drafted.edition?.hash ?? null) : issue.edition_hash
  const state = stateAfter(issue, hash)
  await trx
    .updateTable('issue')
    .set({ state, reason: state === issue.state ? issue.reason : null })
    .where('id', '=', issue.id)
    .execute()
  return state
}

function stateAfter({ state, approved_hash }: Issue, hash: string | null): IssueState {
  switch (state) {
    case 'draft':
    case 'approved':
    case 'missed':
      if (hash === null) return 'scheduled'
      return hash === approved_hash ? 'approved' : 'draft'
    default:
      return state
  }
}

function approvalAfter(before: Issue, state: IssueState): ApprovalAfter {
  const was = before.approved_hash !== null && before.approved_hash === before.edition_hash
  const isNow = state === 'approved'
  if (was) return isNow ? 'stands' : 'gone'
  return isNow ? 'is back' : 'none'
}

function dayOf({ timezone }: Issue, instant: Temporal.Instant): Temporal.PlainDate {
  return instant.toZonedDateTimeISO(timezone).toPlainDate()
}

function moved(name: 'due' | 'draft', from: Temporal.Instant, to: Temporal.Instant) {
  return from.equals(to) ? {} : { [`${name} from`]: from.toString(), [`${name} to`]: to.toString() }
}

function earlier(a: Temporal.Instant, b: Temporal.Instant): Temporal.Instant {
  return Temporal.Instant.compare(a, b) <= 0 ? a : b
}
