import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import type { Clock } from '../../clock.ts'
import { aftermathOf } from '../../delivery/aftermath.ts'
import { choicesOfEditor, type EditorAction, type EditorChoice } from '../../delivery/choices-of-editor.ts'
import type { SendRules } from '../../delivery/send.ts'
import type { Issue } from '../../issue/issue.ts'
import { lostApproval } from '../../issue/lost-approval.ts'
import type { Week } from '../../issue/week.ts'
import { labelOf } from './choice-words.ts'
import { lostApprovalWords } from './content-words.ts'
import { standing } from './issue-words.ts'
import { dayAndTime, grouped, span } from './when.ts'

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock; readonly rules: SendRules }

/** An issue as the partial `desk-issue` shows it: where it stands, its edition, and what can be done, with buttons. */
export async function issuePanel({ db, clock, rules }: Deps, issue: Issue) {
  const now = clock()
  const edition = await editionOf(db, issue)
  const choices = choicesOfEditor(issue, now, rules, await aftermathOf(db, issue))
  const lost = await lostApproval(db, issue)
  const toGo = Temporal.Instant.compare(issue.due_at, now) > 0
  const isComing = toGo && ['scheduled', 'draft', 'approved', 'held'].includes(issue.state)
  return {
    ...{
      path: `/desk/issues/${issue.week}`,
      week: issue.week,
      state: issue.state,
      standing: [
        ...(lost ? [lostApprovalWords(lost, issue.timezone)] : []),
        standing(issue, now, rules),
      ].join(' '),
    },
    due: { machine: issue.due_at.toString(), person: dayAndTime(issue.due_at, issue.timezone) },
    countdown: isComing ? span(now, issue.due_at) : '',
    edition,
    isUrgent: issue.state === 'paused' || issue.state === 'missed',
    choices: [
      ...(choices.next ? [{ ...button(issue, choices.next), look: 'button' }] : []),
      ...choices.others.map((choice) => ({
        ...button(issue, choice),
        look: choice.action === 'cancel' || pageOf(choice.action, issue) ? 'tap' : 'button quiet',
      })),
    ],
  }
}

/** The same for a week that has no row yet: a worker makes it within the minute. */
export function weekPanel(
  week: Week,
  now: Temporal.Instant,
  rules: SendRules,
): Awaited<ReturnType<typeof issuePanel>> {
  return {
    ...{ path: '', week: week.name, state: 'scheduled', standing: standing(asIssue(week), now, rules) },
    due: { machine: week.dueAt.toString(), person: dayAndTime(week.dueAt, week.zone) },
    ...{ countdown: span(now, week.dueAt), edition: undefined, isUrgent: false, choices: [] },
  }
}

/** As much of a row as the words about it need. */
export function asIssue({ zone, draftAt, dueAt }: Week) {
  const nothing = { reason: null, approved_by: null, finished_at: null }
  return { state: 'scheduled' as const, timezone: zone, draft_at: draftAt, due_at: dueAt, ...nothing }
}

/** A choice as a button: one that is final, or needs more than a press, leads to a page. */
export function button(issue: Issue, { action, isFinal }: EditorChoice) {
  const path = `/desk/issues/${issue.week}/decide`
  const page = pageOf(action, issue)
  return {
    ...{ action, label: labelOf(action, issue.state), opensPage: isFinal || page !== undefined, path },
    ask: page ?? `${path}?action=${encodeURIComponent(action)}`,
    ...{ edition: issue.edition_hash ?? '', state: issue.state },
  }
}

/** What has a page of its own. */
function pageOf(action: EditorAction, { week }: Issue): string | undefined {
  switch (action) {
    case 'change time':
      return `/desk/issues/${week}/time`
    case 'test send':
      return `/desk/issues/${week}/test`
    case 'resolve doubts':
      return `/desk/quarantine?week=${week}`
    default:
      return undefined
  }
}

/** The edition that would go out, with its sizes; undefined before it is drafted. */
async function editionOf(db: Kysely<Database>, { id, edition_hash }: Issue) {
  if (edition_hash === null) return undefined
  const row = await db
    .selectFrom('edition')
    .select((eb) => ['subject', 'preheader', eb.fn<number>('octet_length', ['html']).as('bytes')])
    .where('hash', '=', edition_hash)
    .executeTakeFirstOrThrow()
  const comparisons = await db
    .selectFrom('issue_comparison as ic')
    .innerJoin('comparison as c', 'c.id', 'ic.comparison_id')
    .select(['c.slug', 'c.title'])
    .where('ic.issue_id', '=', id)
    .orderBy('ic.position')
    .execute()
  return {
    ...{ subject: row.subject, preheader: row.preheader, comparisons },
    ...{ size: `${grouped(Math.round(row.bytes / 1000))} kB`, hash: edition_hash.slice(0, 12) },
  }
}
