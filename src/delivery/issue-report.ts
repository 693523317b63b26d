import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { type Clicks, keptClicksOf } from '../issue/clicks.ts'
import type { Issue } from '../issue/issue.ts'
import { type ToolVotes, votesOf } from '../issue/votes-of.ts'
import { departureReasons } from '../subscriber/growth.ts'
import { type Feedback, feedbackOf } from './feedback.ts'
import { progressOf } from './progress.ts'
import type { Account } from './report.ts'
import { spans } from './roll-up-issues.ts'

/** What became of an issue, from counts that are kept: nothing is read for each reader. */
export type Outcome = {
  readonly week: string
  readonly account: Account
  readonly feedback: Feedback
  /** As counted up to those instants; null where a job has not counted yet. */
  readonly clicks: { readonly raw: number; readonly people: number; readonly until: Temporal.Instant | null }
  readonly unsubscribed: { readonly readers: number; readonly until: Temporal.Instant | null }
}

export type IssueReport = Outcome & {
  readonly byLink: Clicks
  readonly votes: readonly ToolVotes[]
  /** Who leaves between these is put down to this issue. */
  readonly span: { readonly opens: Temporal.Instant; readonly closes: Temporal.Instant }
  readonly departures: Awaited<ReturnType<typeof departureReasons>>
  readonly hours: readonly Hour[]
  /** The issue that went out before. */
  readonly before: Outcome | undefined
}

/** An hour after the plan, 0 for the first. */
export type Hour = {
  readonly hour: number
  readonly delivered: number
  readonly raw: number
  readonly clicks: number
}

/** What became of an issue, in sums. */
export async function outcomeOf(
  db: Kysely<Database>,
  issue: Pick<Issue, 'id' | 'week' | 'planned_at'>,
  now: Temporal.Instant,
): Promise<Outcome> {
  const { account } = await progressOf(db, issue, now)
  const tally = await db
    .selectFrom('issue_tally')
    .selectAll()
    .where('issue_id', '=', issue.id)
    .executeTakeFirst()
  return {
    ...{ week: issue.week, account, feedback: await feedbackOf(db, issue.id) },
    clicks: { raw: tally?.clicks_raw ?? 0, people: tally?.clicks ?? 0, until: tally?.clicks_until ?? null },
    unsubscribed: { readers: tally?.unsubscribed ?? 0, until: tally?.unsubscribed_until ?? null },
  }
}

/** The same with where the clicks went, the votes, who left and why, the first two days, and the issue before; undefined before it is planned. */
export async function reportOf(
  db: Kysely<Database>,
  issue: Issue,
  now: Temporal.Instant,
): Promise<IssueReport | undefined> {
  const span = await spanOf(db, issue.id)
  if (!span) return undefined
  const before = await issueBefore(db, issue)
  return {
    ...(await outcomeOf(db, issue, now)),
    ...{
      span,
      byLink: await keptClicksOf(db, issue.id),
      votes: await votesOf(db, issue.id, issue.fewest_votes),
    },
    departures: await departureReasons(db, { from: span.opens, to: span.closes }),
    hours: await hoursOf(db, issue.id),
    before: before && (await outcomeOf(db, before, now)),
  }
}

async function spanOf(db: Kysely<Database>, issueId: number): Promise<IssueReport['span'] | undefined> {
  const { rows } = await sql<IssueReport['span']>`
    select opens, closes from (${spans}) s where issue_id = ${issueId}`.execute(db)
  return rows[0]
}

function issueBefore(db: Kysely<Database>, { planned_at }: Issue): Promise<Issue | undefined> {
  return db
    .selectFrom('issue')
    .selectAll()
    .where('planned_at', '<', planned_at)
    .orderBy('planned_at', 'desc')
    .limit(1)
    .executeTakeFirst()
}

/** The first two days, every hour of them in which there was anything. */
async function hoursOf(db: Kysely<Database>, issueId: number): Promise<readonly Hour[]> {
  const { rows } = await sql<Hour>`
    select hour, sum(delivered)::int as delivered, sum(raw)::int as raw, sum(clicks)::int as clicks
      from (select hour, delivered, 0 as raw, 0 as clicks from delivered_hour where issue_id = ${issueId}
            union all
            select hour, 0, raw, filtered from click_hour where issue_id = ${issueId} and hour < 48) h
     group by hour order by hour`.execute(db)
  return rows
}
