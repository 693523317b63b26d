import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'

/**
 * Which of an issue's corrections each reader needs, as a query with `subscriber_id` and `keys`, as in a choice: those of
 * what the newest mail that the provider took told them. A delivery that is in doubt, or was refused, told nothing.
 * `before` leaves out what was accepted later. Undefined where the issue corrects nothing: then no ledger is read.
 */
export async function owedCorrections(
  db: Kysely<Database>,
  issueId: number,
  before?: Temporal.Instant,
): Promise<RawBuilder<unknown> | undefined> {
  const told = await issuesThatTold(db, issueId)
  if (told.length === 0) return undefined
  // By when it was handed over: a batch in doubt may be found accepted long afterwards.
  return sql`
    select last.subscriber_id,
           string_agg(c.comparison_id || '.' || c.from_revision, ',' order by c.place) as keys
      from (
        select distinct on (d.subscriber_id, t.comparison_id) d.subscriber_id, t.comparison_id, t.revision
          from edition_tells t
          join batch b on b.edition_hash = t.edition_hash
          join delivery d on d.issue_id = b.issue_id and d.batch_id = b.id
         where t.comparison_id in (select comparison_id from issue_correction where issue_id = ${issueId})
           and b.issue_id = any (${told}::int[]) and d.issue_id = any (${told}::int[])
           and b.state = 'accepted' and d.exception is null
           and b.accepted_at <= ${before?.toString() ?? 'infinity'}::timestamptz
         order by d.subscriber_id, t.comparison_id, b.first_used_at desc, b.issue_id desc) last
      join issue_correction c
        on c.issue_id = ${issueId} and c.comparison_id = last.comparison_id and c.told_revision = last.revision
     group by last.subscriber_id`
}

/** The other issues that told anything of what this one corrects: no more of the ledger is read than theirs. */
async function issuesThatTold(db: Kysely<Database>, issueId: number): Promise<readonly number[]> {
  const { rows } = await sql<{ id: number }>`
    select distinct e.issue_id as id
      from issue_correction c
      join edition_tells t on t.comparison_id = c.comparison_id
      join edition e on e.hash = t.edition_hash
     where c.issue_id = ${issueId} and e.issue_id <> ${issueId}
     order by id`.execute(db)
  return rows.map(({ id }) => id)
}
