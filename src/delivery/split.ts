import { randomUUID } from 'node:crypto'
import { sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'

/** Puts readers of a batch into batches of their own, which are sent under keys of their own. Returns their ids, in order. */
export async function splitBatch(
  trx: Transaction<Database>,
  { batchId, issueId, week }: { readonly batchId: string; readonly issueId: number; readonly week: string },
  groups: readonly (readonly number[])[],
): Promise<readonly string[]> {
  const ids: string[] = []
  for (const readers of groups) {
    const id = randomUUID()
    await sql`
      insert into batch (id, issue_id, edition_hash, ordinal, size, state, idempotency_key, key_id, parent_id)
      select ${id}, issue_id, edition_hash, ordinal, ${readers.length}, 'built', ${`wv1/${week}/${id}/1`}, key_id, id
        from batch where id = ${batchId}`.execute(trx)
    await sql`
      update delivery set batch_id = ${id}
       where issue_id = ${issueId} and subscriber_id = any (${readers}::bigint[])`.execute(trx)
    ids.push(id)
  }
  return ids
}
