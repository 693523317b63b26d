import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database, IssueState } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'

/**
 * Puts an issue whose sending has begun where its batches are: `sending` while something can be sent, else `partly sent`
 * where mail was refused or is in quarantine, else `sent`. Paused and cancelled issues stay so. Returns the state.
 */
export async function settleIssue(
  trx: Transaction<Database>,
  clock: Clock,
  issueId: number,
): Promise<IssueState> {
  // Its own statement, so that the next one sees what was committed while this one waited.
  const { state } = await trx
    .selectFrom('issue')
    .select('state')
    .where('id', '=', issueId)
    .forUpdate()
    .executeTakeFirstOrThrow()
  if (state !== 'sending' && state !== 'sent' && state !== 'partly sent') return state

  const next = await whereItsBatchesAre(trx, issueId)
  if (next === state) return state
  const finished_at = next === 'sending' ? null : clock()
  await trx.updateTable('issue').set({ state: next, finished_at }).where('id', '=', issueId).execute()
  return next
}

/** The same in a transaction of its own. */
export function finishIssue(
  { db, clock }: { db: Kysely<Database>; clock: Clock },
  issueId: number,
): Promise<IssueState> {
  return db.transaction().execute((trx) => settleIssue(trx, clock, issueId))
}

async function whereItsBatchesAre(
  trx: Transaction<Database>,
  issueId: number,
): Promise<'sending' | 'sent' | 'partly sent'> {
  const { rows } = await sql<{ open: boolean; exceptions: boolean }>`
    select exists (select from batch
                    where issue_id = ${issueId} and accepted_at is null and state in ('built', 'attempting', 'unknown')) as open,
           exists (select from batch
                    where issue_id = ${issueId} and accepted_at is null and state in ('rejected', 'quarantined')) as exceptions`.execute(
    trx,
  )
  const [found] = rows
  if (found?.open) return 'sending'
  return found?.exceptions ? 'partly sent' : 'sent'
}
