import { type Kysely, sql } from 'kysely'
import type { Database, DeliveryOutcome } from '../../db/schema.ts'
import type { Issue } from '../issue/issue.ts'
import { type Account, accountFrom } from './report.ts'

/** How far an issue's sending is. The account is `accountOf`'s, at a price that does not grow with its readers. */
export type Progress = {
  readonly account: Account
  /** Mails a second that were accepted: over the last minute, and since it was planned up to now, or to the last one. */
  readonly rate: { readonly lately: number; readonly overall: number }
}

type Part = {
  readonly state: DeliveryOutcome
  readonly reason: string | null
  readonly count: number
  readonly lately: number
  readonly last: Temporal.Instant | null
}

const aMinute = Temporal.Duration.from({ seconds: 60 })

/**
 * Counts an issue's batches instead of its deliveries: a batch has as many readers as it was built with, less those who
 * went into batches of their own, less those who were left out of it, which an index finds.
 */
export async function progressOf(
  db: Kysely<Database>,
  { id, planned_at }: Pick<Issue, 'id' | 'planned_at'>,
  now: Temporal.Instant,
): Promise<Progress> {
  const parts = await partsOf(db, id, now.subtract(aMinute))
  const sum = parts.reduce((all, { lately }) => all + lately, 0)
  const account = accountFrom(parts)
  return { account, rate: rateOf(account.accepted, sum, planned_at ?? now, now, lastOf(parts)) }
}

async function partsOf(db: Kysely<Database>, issueId: number, since: Temporal.Instant): Promise<Part[]> {
  const { rows } = await sql<Part>`
    with mine as materialized (
      select id, state, size, accepted_at, parent_id, null as reason
        from batch where issue_id = ${issueId} and state <> 'quarantined'
      union all
      select id, state, size, accepted_at, parent_id, reason
        from batch where issue_id = ${issueId} and state = 'quarantined'
    ), left_out as materialized (
      select d.batch_id, d.exception, d.reason, count(*) as mails
        from delivery d
       where d.issue_id = ${issueId} and d.exception is not null and d.batch_id is not null group by 1, 2, 3
    ), part as (
      select state, reason, sum(size) as mails, sum(size) filter (where accepted_at >= ${since}) as lately,
             max(accepted_at) as last
        from mine group by 1, 2
      union all
      select p.state, p.reason, -sum(c.size), 0, null
        from mine c join mine p on p.id = c.parent_id where c.parent_id is not null group by 1, 2
      union all
      select b.state, b.reason, -sum(x.mails), 0, null
        from left_out x join mine b on b.id = x.batch_id group by 1, 2
      union all
      select exception, reason, sum(mails), 0, null from left_out group by 1, 2
      union all
      select 'excluded', reason, readers, 0, null from planned_exclusion where issue_id = ${issueId}
    )
    select case when state in ('built', 'split') then 'planned' when state = 'empty' then 'excluded' else state end as state,
           reason, sum(mails)::int as count, coalesce(sum(lately), 0)::int as lately, max(last) as last
      from part group by 1, 2 having sum(mails) <> 0
     order by 1, 2`.execute(db)
  return rows
}

function rateOf(
  accepted: number,
  lately: number,
  begun: Temporal.Instant,
  now: Temporal.Instant,
  last: Temporal.Instant | null,
): Progress['rate'] {
  const since = (end: Temporal.Instant) => Math.max(1, begun.until(end).total('seconds'))
  return {
    lately: lately / Math.min(aMinute.total('seconds'), since(now)),
    overall: accepted / since(lately > 0 || !last ? now : last),
  }
}

function lastOf(parts: readonly Part[]): Temporal.Instant | null {
  const all = parts.flatMap(({ last }) => (last ? [last] : []))
  return all.toSorted(Temporal.Instant.compare).at(-1) ?? null
}
