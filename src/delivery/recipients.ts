import { type Kysely, sql } from 'kysely'
import type { Database, DeliveryOutcome, FeedbackState } from '../../db/schema.ts'

/** One reader of an issue: what we did, and what came back. The address is null once they have been erased. */
export type Recipient = {
  readonly id: number
  readonly address: string | null
  readonly state: DeliveryOutcome
  readonly reason: string | null
  readonly providerId: string | null
  readonly cameBack: FeedbackState | null
  readonly cameBackAt: Temporal.Instant | null
}

const pageSize = 2000

/** Everybody who was planned for an issue, a page at a time: memory does not grow with the list. */
export async function* recipientsOf(
  db: Kysely<Database>,
  issueId: number,
): AsyncGenerator<readonly Recipient[]> {
  let after = 0
  for (;;) {
    const { rows } = await sql<Recipient>`
      select d.subscriber_id as id, d.address, d.state, d.reason, d.provider_id as "providerId",
             f.state as "cameBack", f.at as "cameBackAt"
        from delivery_state d
        left join feedback f on f.issue_id = d.issue_id and f.subscriber_id = d.subscriber_id
       where d.issue_id = ${issueId} and d.subscriber_id > ${after}
       order by d.subscriber_id limit ${pageSize}::int`.execute(db)
    if (rows.length > 0) yield rows
    const last = rows.at(-1)
    if (!last || rows.length < pageSize) return
    after = last.id
  }
}
