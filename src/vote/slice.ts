import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database, ReviewVerdict } from '../../db/schema.ts'
import type { Slice } from './burst.ts'
import { isIn, type Page } from './page.ts'

/** Whoever confirmed no longer ago than this when they voted is a newcomer: a list is not joined for one vote, and left to rest. */
export const isNewcomer = sql<boolean>`v.changed_at - s.confirmed_at < interval '48 hours'`

/** Ten minutes. */
const width = 600

/** Counts the votes of a page into their slices. */
export async function keepSlices(trx: Transaction<Database>, page: Page): Promise<void> {
  await sql`
    insert into vote_slice as k (slice, tool_id, verdict, votes, newcomers)
    select date_bin('10 minutes', v.changed_at, 'epoch'), v.tool_id, v.verdict, count(*),
           count(*) filter (where ${isNewcomer})
      from vote v join subscriber s on s.id = v.subscriber_id
     where ${isIn(page)}
     group by 1, 2, 3
    on conflict (slice, tool_id, verdict) do update
       set votes = k.votes + excluded.votes, newcomers = k.newcomers + excluded.newcomers`.execute(trx)
}

/** The slices of a page's season, up to the page. */
export async function slicesOf(
  trx: Transaction<Database>,
  { season, until }: Page,
): Promise<readonly Slice[]> {
  const { rows } = await sql<Slice>`
    select tool_id as "toolId", verdict, votes, newcomers,
           (extract(epoch from slice) / ${width}::int)::int as at
      from vote_slice
     where slice >= date_bin('10 minutes', ${season}::timestamptz, 'epoch') and slice <= ${until}`.execute(
    trx,
  )
  return rows
}

/** When a slice begins. */
export function beginOf(at: number): Temporal.Instant {
  return Temporal.Instant.fromEpochMilliseconds(at * width * 1000)
}

/** How often was voted on a day of the newsletter's zone, changes of mind among it. */
export type VotingDay = { readonly day: string } & Readonly<Record<ReviewVerdict, number>>

/** The last days on which somebody voted, oldest first, as far as the job has counted. */
export async function votingDays(
  db: Kysely<Database>,
  { zone, since }: { zone: string; since: Temporal.Instant },
): Promise<readonly VotingDay[]> {
  const { rows } = await sql<VotingDay>`
    select to_char(slice at time zone ${zone}, 'YYYY-MM-DD') as day,
           coalesce(sum(votes) filter (where verdict = 'ship'), 0)::int as ship,
           coalesce(sum(votes) filter (where verdict = 'skip'), 0)::int as skip
      from vote_slice where slice >= ${since} group by 1 order by 1`.execute(db)
  return rows
}
