import type { Transaction } from 'kysely'
import type { Database, DecisionKind } from '../../db/schema.ts'

/** Who decided what, about which issue or batch, and what spoke for it: ids and counts, never an address. */
export type DecisionRecord = {
  readonly at: Temporal.Instant
  readonly by: string
  readonly what: DecisionKind
  readonly issueId?: number
  readonly batchId?: string
  readonly evidence?: object
}

/** Appends to the record of decisions, in the transaction of what was decided; it is never changed. */
export async function recordDecision(trx: Transaction<Database>, made: DecisionRecord): Promise<void> {
  await trx
    .insertInto('decision')
    .values({
      ...{ at: made.at, by: made.by, what: made.what },
      ...{ issue_id: made.issueId ?? null, batch_id: made.batchId ?? null },
      evidence: JSON.stringify(made.evidence ?? {}),
    })
    .execute()
}
