import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Issue } from '../issue/issue.ts'
import type { Aftermath } from './choices-of-editor.ts'
import { progressOf } from './progress.ts'

/** What an issue's sending has left behind so far, by its batches alone. */
export async function aftermathOf(db: Kysely<Database>, issue: Issue): Promise<Aftermath> {
  if (issue.planned_at === null) return { refused: 0, inDoubt: 0 }
  const { rows } = await sql<Aftermath>`
    select coalesce(sum(size) filter (where state = 'rejected'), 0)::int as refused,
           count(*) filter (where state = 'quarantined')::int as "inDoubt"
      from batch where issue_id = ${issue.id} and state in ('rejected', 'quarantined')`.execute(db)
  return rows[0] ?? { refused: 0, inDoubt: 0 }
}

/** Why mails of an issue were refused, the most frequent reason first. */
export async function refusedBecause(
  db: Kysely<Database>,
  issueId: number,
  most: number,
): Promise<readonly { readonly reason: string; readonly mails: number }[]> {
  const { rows } = await sql<{ reason: string; mails: number }>`
    select reason, sum(size)::int as mails
      from batch where issue_id = ${issueId} and state = 'rejected'
     group by reason order by 2 desc, 1 limit ${most}`.execute(db)
  return rows
}

/** How far an issue has come: who has it, of whom it is not known (a call under way, or in doubt), and who would still get it. */
export type Reach = {
  readonly planned: number
  readonly have: number
  readonly unsure: number
  readonly waiting: number
}

/** For words before somebody decides, at a price that does not grow with the readers. */
export async function reachOf(db: Kysely<Database>, issue: Issue, now: Temporal.Instant): Promise<Reach> {
  if (issue.planned_at === null) return { planned: 0, have: 0, unsure: 0, waiting: 0 }
  const { account } = await progressOf(db, issue, now)
  const { rows } = await sql<{ mails: number }>`
    select coalesce(sum(size), 0)::int as mails
      from batch where issue_id = ${issue.id} and state in ('attempting', 'unknown')`.execute(db)
  const underWay = Math.min(rows[0]?.mails ?? 0, account.notYetSent)
  return {
    ...{ planned: account.planned, have: account.accepted },
    ...{ unsure: underWay + account.quarantined, waiting: account.notYetSent - underWay },
  }
}
