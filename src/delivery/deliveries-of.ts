import { type Kysely, sql } from 'kysely'
import type { Database, DeliveryOutcome, FeedbackState, IssueState } from '../../db/schema.ts'

/** What became of one issue for one reader: what we did, and what came back since. */
export type DeliveryLine = {
  readonly week: string
  readonly subject: string | null
  readonly issueState: IssueState
  readonly plannedAt: Temporal.Instant
  /** Where it went, or would go; null once its reader was erased. */
  readonly address: string | null
  readonly state: DeliveryOutcome
  readonly reason: string | null
  readonly acceptedAt: Temporal.Instant | null
  readonly providerId: string | null
  readonly batchId: string | null
  readonly feedback: FeedbackState | null
  readonly feedbackAt: Temporal.Instant | null
  /** When it first bounced softly, whatever came of it. */
  readonly softAt: Temporal.Instant | null
}

/**
 * The issues that a reader was planned to get, newest first; those before a week or the newest. Each is one look-up in
 * its own partition, so that fifty issues cost fifty look-ups.
 */
export async function deliveriesOf(
  db: Kysely<Database>,
  subscriberId: number,
  { before = '9999-W99', most }: { before?: string | undefined; most: number },
): Promise<readonly DeliveryLine[]> {
  const { rows } = await sql<DeliveryLine>`
    select i.week, e.subject, i.state as "issueState", i.planned_at as "plannedAt",
           d.address, d.state, d.reason, d.provider_id as "providerId", d.batch_id as "batchId",
           case when d.state = 'accepted' then b.accepted_at end as "acceptedAt",
           f.state as feedback, f.at as "feedbackAt", f.soft_at as "softAt"
      from (select * from issue where planned_at is not null and week < ${before}) i
      join delivery_state d on d.issue_id = i.id and d.subscriber_id = ${subscriberId}
      left join batch b on b.id = d.batch_id
      left join edition e on e.hash = coalesce(b.edition_hash, i.edition_hash)
      left join feedback f on f.issue_id = i.id and f.subscriber_id = ${subscriberId}
     order by i.week desc limit ${most}::int`.execute(db)
  return rows
}
