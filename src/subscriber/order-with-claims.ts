import { sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'

/**
 * Puts a departure strictly before or after every claim of a batch that these readers are in. Whatever takes readers out
 * of the audience calls it in its transaction, once it holds their rows and before it asks for the time: a claim holds its
 * batch's row until it has committed, and does not take one that is held here. So no reader's row is locked by a claim.
 */
export async function orderWithClaims(
  trx: Transaction<Database>,
  subscriberIds: readonly number[],
): Promise<void> {
  await sql`select pg_advisory_xact_lock_shared(${audienceLock})`.execute(trx)
  await sql`
    select b.id
      from delivery d join batch b on b.id = d.batch_id
     where d.issue_id = any (array(select id from issue where state in ('sending', 'paused')))
       and d.subscriber_id = any (${subscriberIds}::bigint[])
       and b.state in ('built', 'attempting', 'unknown')
     order by b.id for share of b`.execute(trx)
}

/** Held by departures together, and alone by a freeze just before it commits: a departure either is in it, or sees its deliveries. */
export const audienceLock = 4_847_001
