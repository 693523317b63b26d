import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'

/** Votes of one look: later than `after`, up to `until`, all of the season that began at `season`. */
export type Page = {
  readonly after: Temporal.Instant
  readonly until: Temporal.Instant
  readonly season: Temporal.Instant
  readonly votes: number
}

/** More in one look would hold its locks, and its memory, for long. */
const most = 20_000

/**
 * A vote is dated before it commits, and the server ends a session that says nothing in a transaction within a minute; so
 * after two nothing comes that is dated before.
 */
const lag = Temporal.Duration.from({ minutes: 2 })

/** Long after a mailing there are so few votes that a rate from before says nothing. */
const longestSeason = Temporal.Duration.from({ hours: 24 * 14 })

/** Where the last look ended, locked against a second one; undefined while there is no vote, or another process looks. */
export async function lockMark(trx: Transaction<Database>): Promise<Temporal.Instant | undefined> {
  await sql`
    insert into vote_watch (looked_until)
    select min(changed_at) - interval '1 second' from vote having count(*) > 0
    on conflict do nothing`.execute(trx)
  const mark = await trx
    .selectFrom('vote_watch')
    .select('looked_until')
    .forUpdate()
    .skipLocked()
    .executeTakeFirst()
  return mark?.looked_until
}

/** Whether somebody voted since the last look, and long enough ago to be looked at. */
export async function hasNewVotes(db: Kysely<Database>, now: Temporal.Instant): Promise<boolean> {
  const { rows } = await sql<{ is_new: boolean }>`
    select exists (
      select from vote
       where changed_at > coalesce((select looked_until from vote_watch), '-infinity')
         and changed_at <= ${now.subtract(lag)}::timestamptz) as is_new`.execute(db)
  return rows[0]?.is_new ?? false
}

/** The next votes to look at, none of which is on the other side of a mailing; undefined when all were looked at. */
export async function nextPage(
  trx: Transaction<Database>,
  after: Temporal.Instant,
  now: Temporal.Instant,
): Promise<Page | undefined> {
  const mailings = await mailingsAround(trx, after)
  const latest = now.subtract(lag)
  const isMailing = mailings.next !== null && Temporal.Instant.compare(mailings.next, latest) < 0
  const limit = isMailing && mailings.next ? mailings.next : latest
  const { rows } = await sql<{ until: Temporal.Instant | null; votes: number }>`
    select max(changed_at) as until, count(*)::int as votes
      from (select changed_at from vote
             where changed_at > ${after} and changed_at <= ${limit} order by changed_at limit ${most}) p`.execute(
    trx,
  )
  const { until = null, votes = 0 } = rows[0] ?? {}
  if (until === null && !isMailing) return undefined
  const end = until ?? limit
  const earliest = end.subtract(longestSeason)
  const isLong = mailings.last === null || Temporal.Instant.compare(mailings.last, earliest) < 0
  return { after, until: end, season: isLong || !mailings.last ? earliest : mailings.last, votes }
}

/** The votes of a page, as a condition on `changed_at`. */
export function isIn({ after, until }: Page): RawBuilder<boolean> {
  return sql`changed_at > ${after} and changed_at <= ${until}`
}

async function mailingsAround(trx: Transaction<Database>, mark: Temporal.Instant) {
  const { rows } = await sql<{ last: Temporal.Instant | null; next: Temporal.Instant | null }>`
    select (select max(planned_at) from issue where planned_at <= ${mark}) as last,
           (select min(planned_at) from issue where planned_at > ${mark}) as next`.execute(trx)
  return rows[0] ?? { last: null, next: null }
}
