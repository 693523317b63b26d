import type { Kysely, Transaction } from 'kysely'
import type { Database, IssueState } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { recordDecision } from './decision.ts'
import { type Issue, lockIssue } from './issue.ts'

type Deps = { db: Kysely<Database>; clock: Clock }

export type Decision = 'approve' | 'hold' | 'release' | 'cancel'

/** What an editor had before them when they decided: the hash of the edition, and where the issue stood. */
export type Seen = { readonly edition?: string | undefined; readonly state?: IssueState | undefined }

/** What a decision came to: the state now, or why nothing was changed. `already`: it had been decided before. */
export type Decided =
  | { readonly ok: true; readonly week: string; readonly state: IssueState; readonly already?: true }
  | { readonly ok: false; readonly week: string; readonly state: IssueState | null; readonly problem: string }

/**
 * Carries out an editor's decision on a week's issue, or says why it cannot be. Deciding the same twice is no error, and
 * recorded once. When the issue is no longer what the editor had `seen`, nothing is decided; only a brake is never too
 * late: to hold what has begun to go out is to pause it.
 */
export function decide(
  deps: Deps,
  week: string,
  decision: Decision,
  by: string,
  seen: Seen = {},
): Promise<Decided> {
  return deps.db.transaction().execute(async (trx) => {
    const issue = await lockIssue(trx, week)
    if (!issue) return { ok: false, week, state: null, problem: `there is no issue for ${week} yet` }
    if (seen.edition !== undefined && seen.edition !== issue.edition_hash)
      return refused(issue, 'its edition has changed since you saw it; look at it again')
    if (decision === before[issue.state]) return { ...done(issue, issue.state), already: true }
    const isBrake = decision === 'hold' && issue.state === 'sending'
    if (seen.state !== undefined && seen.state !== issue.state && !isBrake)
      return refused(issue, `it was ${seen.state} when you saw it; look at it again`)
    const at = deps.clock()
    const decided = await carryOut(trx, issue, decision, by, at)
    const evidence = issue.edition_hash === null ? {} : { edition: issue.edition_hash }
    if (decided.ok) await recordDecision(trx, { at, by, what: decision, issueId: issue.id, evidence })
    return decided
  })
}

/** The decision that an issue's state is the outcome of. */
const before: Partial<Record<IssueState, Decision>> = {
  ...{ approved: 'approve', held: 'hold', paused: 'hold', cancelled: 'cancel' },
}

function carryOut(
  trx: Transaction<Database>,
  issue: Issue,
  decision: Decision,
  by: string,
  at: Temporal.Instant,
): Promise<Decided> {
  switch (decision) {
    case 'approve':
      return approve(trx, issue, by, at)
    case 'hold':
      return hold(trx, issue, by)
    case 'release':
      return release(trx, issue)
    case 'cancel':
      return cancel(trx, issue, by, at)
  }
}

async function approve(
  trx: Transaction<Database>,
  issue: Issue,
  by: string,
  at: Temporal.Instant,
): Promise<Decided> {
  const isMissedDraft = issue.state === 'missed' && issue.edition_hash !== null
  if (issue.state !== 'draft' && !isMissedDraft) return refused(issue, 'only a draft can be approved')
  const state = isMissedDraft ? 'missed' : 'approved'
  await trx
    .updateTable('issue')
    .set({ state, approved_hash: issue.edition_hash, approved_at: at, approved_by: by })
    .where('id', '=', issue.id)
    .execute()
  return done(issue, state)
}

/** Before sending, a held issue is not sent at its time; during sending, no further batch is claimed. */
async function hold(trx: Transaction<Database>, issue: Issue, by: string): Promise<Decided> {
  if (issue.state === 'sending') return move(trx, issue, 'paused', `paused by ${by}`)
  if (issue.state !== 'draft' && issue.state !== 'approved') return refused(issue, 'there is nothing to hold')
  return move(trx, issue, 'held', `held by ${by}`)
}

/** Back to where it was: an issue whose edition was approved is approved again. */
async function release(trx: Transaction<Database>, issue: Issue): Promise<Decided> {
  if (issue.state === 'paused') return move(trx, issue, 'sending', null)
  if (issue.state !== 'held') return refused(issue, 'it is not held')
  return move(trx, issue, issue.approved_hash === issue.edition_hash ? 'approved' : 'draft', null)
}

/** Nothing more is sent. If nothing was sent at all, its comparisons are free for a later issue. */
async function cancel(
  trx: Transaction<Database>,
  issue: Issue,
  by: string,
  at: Temporal.Instant,
): Promise<Decided> {
  if (issue.state === 'sent' || issue.state === 'partly sent') return refused(issue, 'it has been sent')
  if (issue.planned_at === null) {
    await trx
      .updateTable('issue_comparison')
      .set({ counts: false })
      .where('issue_id', '=', issue.id)
      .execute()
  }
  await trx.updateTable('issue').set({ finished_at: at }).where('id', '=', issue.id).execute()
  return move(trx, issue, 'cancelled', `cancelled by ${by}`)
}

async function move(
  trx: Transaction<Database>,
  issue: Issue,
  state: IssueState,
  reason: string | null,
): Promise<Decided> {
  await trx.updateTable('issue').set({ state, reason, resume_at: null }).where('id', '=', issue.id).execute()
  return done(issue, state)
}

function done(issue: Issue, state: IssueState): Extract<Decided, { ok: true }> {
  return { ok: true, week: issue.week, state }
}

function refused(issue: Issue, why: string): Decided {
  return {
    ok: false,
    week: issue.week,
    state: issue.state,
    problem: `${issue.week} is ${issue.state}: ${why}`,
  }
}
