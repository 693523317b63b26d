import { type Kysely, sql } from 'kysely'
import type { Database, DecisionKind } from '../../db/schema.ts'

/** A decision as the log shows it. */
export type LoggedDecision = {
  readonly id: number
  readonly at: Temporal.Instant
  readonly by: string
  readonly what: DecisionKind
  readonly week: string | null
  readonly batchId: string | null
  readonly evidence: Readonly<Record<string, unknown>>
}

/** Decisions, newest first: of one issue or of all, those before an id or the newest. */
export async function listDecisions(
  db: Kysely<Database>,
  { before, issueId, most }: { before?: number | undefined; issueId?: number; most: number },
): Promise<readonly LoggedDecision[]> {
  return db
    .selectFrom('decision as d')
    .leftJoin('issue as i', 'i.id', 'd.issue_id')
    .select(['d.id', 'd.at', 'd.by', 'd.what', 'i.week', 'd.batch_id as batchId'])
    .select(sql<LoggedDecision['evidence']>`d.evidence`.as('evidence'))
    .$if(before !== undefined, (query) => query.where('d.id', '<', before ?? 0))
    .$if(issueId !== undefined, (query) => query.where('d.issue_id', '=', issueId ?? 0))
    .orderBy('d.id', 'desc')
    .limit(most)
    .execute()
}
