import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { judgedClicks, judgedCounts } from './clicks.ts'

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock }

/** A click may be stored, and evidence on it may come, so long after it. */
const late = Temporal.Duration.from({ hours: 1 })
/** The longest reach of the evidence. */
const reach = Temporal.Duration.from({ minutes: 10 })

/**
 * Counts the clicks of every issue that has new ones, by link and hour, from an hour before it was last counted: so that
 * evidence which comes late still reclassifies. One issue in a transaction, in any number of processes; returns how many.
 */
export async function rollUpClicks(deps: Deps, stop?: AbortSignal): Promise<number> {
  let counted = 0
  for (const issueId of await issuesWithNews(deps.db)) {
    if (stop?.aborted) break
    await deps.db.transaction().execute((trx) => countOn(trx, issueId, deps.clock()))
    counted += 1
  }
  return counted
}

/** Looks into the index once for each link: an issue of years ago may be read today. */
async function issuesWithNews(db: Kysely<Database>): Promise<readonly number[]> {
  const { rows } = await sql<{ id: number }>`
    select i.id from issue i left join issue_tally t on t.issue_id = i.id
     where i.planned_at is not null and (t.clicks_until is null or exists (
       select from link l where l.issue_id = i.id and exists (
         select from click c
          where c.link_id = l.id and c.at >= t.clicks_until - ${late.toString()}::interval)))
     order by i.id`.execute(db)
  return rows.map(({ id }) => id)
}

async function countOn(trx: Transaction<Database>, issueId: number, now: Temporal.Instant): Promise<void> {
  await trx
    .insertInto('issue_tally')
    .values({
      issue_id: issueId,
      clicks_until: null,
      unsubscribed_until: null,
      reported: null,
      reported_at: null,
    })
    .onConflict((oc) => oc.doNothing())
    .execute()
  const { clicks_until, planned_at } = await trx
    .selectFrom('issue_tally as t')
    .innerJoin('issue as i', 'i.id', 't.issue_id')
    .select(['t.clicks_until', 'i.planned_at'])
    .where('t.issue_id', '=', issueId)
    .forUpdate('t')
    .executeTakeFirstOrThrow()
  if (!planned_at) return
  const hour = clicks_until ? hoursBetween(planned_at, clicks_until.subtract(late)) : 0
  await countFrom(trx, issueId, planned_at, hour)
  await sql`
    update issue_tally
       set (clicks_raw, clicks) =
             (select coalesce(sum(raw), 0), coalesce(sum(filtered), 0) from click_hour where issue_id = ${issueId}),
           clicks_until = ${now}
     where issue_id = ${issueId}`.execute(trx)
}

async function countFrom(
  trx: Transaction<Database>,
  issueId: number,
  plannedAt: Temporal.Instant,
  hour: number,
): Promise<void> {
  const from = plannedAt.add({ hours: hour })
  await trx.deleteFrom('click_hour').where('issue_id', '=', issueId).where('hour', '>=', hour).execute()
  await sql`
    insert into click_hour (issue_id, hour, link_id, raw, filtered, agent, trap, burst)
    select ${issueId}, floor(extract(epoch from at - ${plannedAt}::timestamptz) / 3600)::int, link_id, ${judgedCounts}
      from (${judgedClicks(issueId, from.subtract(reach))}) judged
     where kind = 'comparison' and at >= ${from}
     group by 2, 3`.execute(trx)
}

function hoursBetween(begin: Temporal.Instant, end: Temporal.Instant): number {
  return Math.max(0, Math.floor(begin.until(end).total('hours')))
}
