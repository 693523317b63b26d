import { type Kysely, sql } from 'kysely'
import type { Database, DeliveryOutcome } from '../../db/schema.ts'

/** How many deliveries of an issue stand where: planned = the sum of the rest (invariant 1). */
export type Account = {
  readonly planned: number
  readonly accepted: number
  readonly rejected: number
  readonly excluded: number
  readonly quarantined: number
  readonly notYetSent: number
  /** Why readers were excluded or mails refused, each with its count. */
  readonly reasons: readonly {
    readonly state: DeliveryOutcome
    readonly reason: string
    readonly count: number
  }[]
}

/** The account of an issue, counted from the ledger. */
export async function accountOf(db: Kysely<Database>, issueId: number): Promise<Account> {
  const rows = await db
    .selectFrom('delivery_state')
    .select(['state', 'reason', sql<number>`count(*)`.as('count')])
    .where('issue_id', '=', issueId)
    .groupBy(['state', 'reason'])
    .orderBy('state')
    .orderBy('reason')
    .execute()
  return accountFrom(rows)
}

/** The account that counts by state and reason add up to. */
export function accountFrom(
  rows: readonly {
    readonly state: DeliveryOutcome
    readonly reason: string | null
    readonly count: number
  }[],
): Account {
  const count = (...states: DeliveryOutcome[]) =>
    rows.filter((row) => states.includes(row.state)).reduce((sum, row) => sum + row.count, 0)
  return {
    planned: rows.reduce((sum, row) => sum + row.count, 0),
    accepted: count('accepted'),
    rejected: count('rejected'),
    excluded: count('excluded'),
    quarantined: count('quarantined'),
    notYetSent: count('planned', 'attempting', 'unknown'),
    reasons: rows.flatMap(({ state, reason, count: many }) =>
      reason ? [{ state, reason, count: many }] : [],
    ),
  }
}
