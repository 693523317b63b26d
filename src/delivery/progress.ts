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

/** What the next look need not read again: the mails of the batches that had been accepted before an instant. */
export type Earlier = {
  readonly until: Temporal.Instant
  readonly mails: number
  /** When the newest batch of all was accepted. */
  readonly last: Temporal.Instant | null
  /** When all batches were read. */
  readonly countedAt: Temporal.Instant
}

type Part = {
  readonly state: DeliveryOutcome
  readonly reason: string | null
  readonly count: number
  readonly lately: number
  readonly settled: number
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
  return lookAgain(db, { id, planned_at }, now, undefined)
}

/**
 * The same for who looks every second, with what their last look brought: what was accepted stays so, and batches that were
 * accepted more than a minute ago are read only once a minute.
 */
export async function lookAgain(
  db: Kysely<Database>,
  { id, planned_at }: Pick<Issue, 'id' | 'planned_at'>,
  now: Temporal.Instant,
  last: Earlier | undefined,
): Promise<Progress & { readonly earlier: Earlier }> {
  const since = now.subtract(aMinute)
  const earlier = last && Temporal.Instant.compare(last.countedAt, since) > 0 ? last : undefined
  const parts = await partsOf(db, id, since, earlier)
  const newest = lastOf(parts) ?? earlier?.last ?? null
  const sum = (of: (part: Part) => number) => parts.reduce((all, part) => all + of(part), 0)
  const account = accountFrom(parts.filter(({ count }) => count !== 0))
  return {
    account,
    rate: rateOf(
      account.accepted,
      sum(({ lately }) => lately),
      planned_at ?? now,
      now,
      newest,
    ),
    earlier: {
      ...{ until: since, mails: sum(({ settled }) => settled), last: newest },
      countedAt: earlier?.countedAt ?? now,
    },
  }
}

async function partsOf(
  db: Kysely<Database>,
  issueId: number,
  since: Temporal.Instant,
  earlier: Earlier | undefined,
): Promise<Part[]> {
  const { rows } = await sql<Part>`
    with mine as materialized (
      select id, state, size, accepted_at, null as reason
        from batch
       where issue_id = ${issueId} and state in ('built', 'attempting', 'rejected', 'split', 'unknown', 'empty')
      union all
      select id, state, size, accepted_at, null
        from batch
       where issue_id = ${issueId} and state = 'accepted'
         and accepted_at >= ${earlier?.until.toString() ?? '-infinity'}::timestamptz
      union all
      select id, state, size, accepted_at, reason
        from batch where issue_id = ${issueId} and state = 'quarantined'
    ), left_out as materialized (
      select d.batch_id, d.exception, d.reason, count(*) as mails
        from delivery d
       where d.issue_id = ${issueId} and d.exception is not null and d.batch_id is not null group by 1, 2, 3
    ), part as (
      select state, reason, sum(size) as mails, sum(size) filter (where accepted_at >= ${since}) as lately,
             sum(size) filter (where accepted_at < ${since}) as settled, max(accepted_at) as last
        from mine group by 1, 2
      union all
      select 'accepted', null, mails, 0, mails, null from (select ${earlier?.mails ?? 0}::int as mails) e
      union all
      -- What is not among them was accepted earlier.
      select coalesce(p.state, 'accepted'), p.reason, -sum(c.size), 0, 0, null
        from batch c left join mine p on p.id = c.parent_id
       where c.issue_id = ${issueId} and c.parent_id is not null group by 1, 2
      union all
      select coalesce(b.state, 'accepted'), b.reason, -sum(x.mails), 0, 0, null
        from left_out x left join mine b on b.id = x.batch_id group by 1, 2
      union all
      select exception, reason, sum(mails), 0, 0, null from left_out group by 1, 2
      union all
      select 'excluded', reason, readers, 0, 0, null from planned_exclusion where issue_id = ${issueId}
    )
    select case when state in ('built', 'split') then 'planned' when state = 'empty' then 'excluded' else state end as state,
           reason, sum(mails)::int as count, coalesce(sum(lately), 0)::int as lately,
           coalesce(sum(settled), 0)::int as settled, max(last) as last
      from part group by 1, 2 order by 1, 2`.execute(db)
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
