import { sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { gatherEvidence } from './evidence.ts'
import type { Found } from './flag.ts'

/** So many votes that an editor has not seen open a flag again which they decided about. */
const newsAfterDecision = 5

/**
 * Keeps what was found as a flag: a new one, or the one that it is already, with the votes that came to it. What has not
 * grown stays as it is. No vote and no count is changed. Returns whether it is new or has grown.
 */
export async function keepFlag(
  trx: Transaction<Database>,
  found: Found,
  at: Temporal.Instant,
): Promise<boolean> {
  const known = await findSame(trx, found)
  const id = known ?? (await begin(trx, found, at))
  const { rows } = await sql`
    insert into vote_flag_vote (flag_id, subscriber_id, tool_id, found_at)
    select ${id}::int, f.subscriber_id, f.tool_id, ${at}::timestamptz from (${found.votes}) f
     order by f.subscriber_id, f.tool_id
    on conflict do nothing returning 1`.execute(trx)
  if (rows.length === 0) return false
  const evidence = await gatherEvidence(trx, id, found.figures)
  await sql`
    update vote_flag f
       set evidence = ${JSON.stringify(evidence)}::jsonb, grown_at = ${at},
           revision = revision + ${known === undefined ? 0 : 1}::int,
           state = case when (select count(*) from vote_flag_vote m
                               where m.flag_id = f.id and m.found_at > f.decided_at) >= ${newsAfterDecision}
                        then 'open' else state end
     where f.id = ${id}`.execute(trx)
  return true
}

/** The flag that it is already, locked: the burst of that key, or the ring that half of the readers are in. */
async function findSame(
  trx: Transaction<Database>,
  { rule, key, votes }: Found,
): Promise<number | undefined> {
  const { rows } =
    key === null
      ? await sql<{ id: number }>`
          with reader as (select distinct f.subscriber_id from (${votes}) f)
          select f.id from vote_flag f
           where f.rule = ${rule} and 2 * (
             select count(distinct m.subscriber_id) from vote_flag_vote m
               join reader using (subscriber_id) where m.flag_id = f.id) >= (select count(*) from reader)
           order by f.id limit 1 for update of f`.execute(trx)
      : await sql<{ id: number }>`select id from vote_flag where key = ${key} for update`.execute(trx)
  return rows[0]?.id
}

async function begin(
  trx: Transaction<Database>,
  { rule, key }: Found,
  at: Temporal.Instant,
): Promise<number> {
  const { id } = await trx
    .insertInto('vote_flag')
    .values({ rule, key, found_at: at, grown_at: at, decided_at: null, evidence: '{}' })
    .returning('id')
    .executeTakeFirstOrThrow()
  return id
}
