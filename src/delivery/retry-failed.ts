import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database, IssueState } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { recordDecision } from '../issue/decision.ts'
import { type Issue, lockIssue } from '../issue/issue.ts'
import { settleIssue } from './settle.ts'

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock }

/** `mails`: how many are to be tried again; 0 when none was refused. */
export type Retried =
  | { readonly ok: true; readonly mails: number }
  | { readonly ok: false; readonly state: IssueState | null; readonly problem: string }

/**
 * Makes the refused mails of an issue ready to be tried again, each under a key that was never used: a refusal is certain,
 * so that nobody can get two. Nobody else is touched, and the issue goes on from there.
 */
export async function retryFailed({ db, clock }: Deps, week: string, by: string): Promise<Retried> {
  return db.transaction().execute(async (trx): Promise<Retried> => {
    const issue = await lockIssue(trx, week)
    if (!issue)
      return {
        ok: false,
        state: null,
        problem: `There is no issue for ${week}. Make one: verdict draft --week ${week}`,
      }
    const refusal = whyNot(issue)
    if (refusal) return { ok: false, state: issue.state, problem: refusal }

    const mails = await buildRefusedAnew(trx, issue)
    if (mails === 0) return { ok: true, mails }
    const made = { at: clock(), by, issueId: issue.id, evidence: { mails } }
    await recordDecision(trx, { what: 'retry failed', ...made })
    await settleIssue(trx, clock, issue.id)
    return { ok: true, mails }
  })
}

function whyNot({ week, state, reason }: Issue): string | undefined {
  switch (state) {
    case 'sent':
    case 'partly sent':
      return undefined
    case 'sending':
      return `${week} is still being sent. When it is done: verdict send ${week} --retry-failed`
    case 'paused':
      return `${week} is paused: ${reason}. When that is mended: verdict release ${week}`
    case 'cancelled':
      return `${week} was cancelled (${reason}): nothing of it is sent any more.`
    default:
      return `${week} is ${state}: nothing of it has been tried yet.`
  }
}

/** A refused mail stands alone in its batch (see `recordOutcome`). */
async function buildRefusedAnew(trx: Transaction<Database>, { id, week }: Issue): Promise<number> {
  const { rows } = await sql`
    with again as (
      update batch
         set state = 'built', reason = null, first_used_at = null, not_before = null, generation = generation + 1,
             idempotency_key = 'wv1/' || ${week}::text || '/' || id || '/' || generation + 1
       where issue_id = ${id} and state = 'rejected'
      returning id
    )
    update delivery d set exception = null, reason = null
      from again
     where d.issue_id = ${id} and d.batch_id = again.id and d.exception = 'rejected'
    returning 1`.execute(trx)
  return rows.length
}
