import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock }

/** Who leaves within this time of an issue's plan, and before the next one's, is put down to that issue. */
export const leavesWithin = Temporal.Duration.from({ hours: 7 * 24 })
/** What commits later than this after the end of that time is not counted any more. */
const late = Temporal.Duration.from({ hours: 1 })
/** Of a long list the hours of delivery are counted this often, of a short one each time. */
const longList = { readers: 100_000, every: Temporal.Duration.from({ minutes: 10 }) }

/** Counts who left after each issue whose time for that is not over, and when the mails of recent ones arrived. */
export async function rollUpIssues(deps: Deps, stop?: AbortSignal): Promise<void> {
  for (const id of await issuesToCount(deps)) {
    if (stop?.aborted) return
    await deps.db.transaction().execute((trx) => countDepartures(trx, id, deps.clock()))
  }
  for (const id of await issuesWithReports(deps)) {
    if (stop?.aborted) return
    await deps.db.transaction().execute((trx) => countHours(trx, id, deps.clock()))
  }
}

/** When what happens is put down to an issue: from its plan to the next one's, for seven days at most. As SQL with columns `issue_id`, `opens`, `closes`. */
export const spans: RawBuilder<unknown> = sql`
  select id as issue_id, planned_at as opens,
         least(planned_at + ${leavesWithin.toString()}::interval, lead(planned_at) over (order by planned_at, id)) as closes
    from issue where planned_at is not null`

async function issuesToCount({ db, clock }: Deps): Promise<readonly number[]> {
  const { rows } = await sql<{ id: number }>`
    select s.issue_id as id from (${spans}) s left join issue_tally t on t.issue_id = s.issue_id
     where s.opens <= ${clock()}
       and (t.unsubscribed_until is null or t.unsubscribed_until < s.closes + ${late.toString()}::interval)
     order by 1`.execute(db)
  return rows.map(({ id }) => id)
}

/** A complaint is counted as one, not as leaving besides. */
async function countDepartures(trx: Transaction<Database>, id: number, now: Temporal.Instant): Promise<void> {
  await sql`
    insert into issue_tally as t (issue_id, unsubscribed, unsubscribed_until)
    select ${id}, (select count(distinct e.subscriber_id)
                     from (${spans}) s join consent_event e on e.at >= s.opens and e.at < s.closes
                    where s.issue_id = ${id} and e.kind = 'unsubscribed' and e.method <> 'complaint'), ${now}
    on conflict (issue_id) do update
       set unsubscribed = excluded.unsubscribed, unsubscribed_until = excluded.unsubscribed_until`.execute(
    trx,
  )
}

async function issuesWithReports({ db, clock }: Deps): Promise<readonly number[]> {
  const now = clock()
  const { rows } = await sql<{ id: number }>`
    select i.id
      from issue i join issue_feedback f on f.issue_id = i.id left join issue_tally t on t.issue_id = i.id
     where (t.reported is null or i.planned_at > ${now.subtract(leavesWithin)})
       and t.reported is distinct from f.delivered
       and (i.planned <= ${longList.readers}::int or t.reported_at is null
            or t.reported_at <= ${now.subtract(longList.every)})
     order by i.id`.execute(db)
  return rows.map(({ id }) => id)
}

/** From the state of each delivery, so that it comes to the same whatever the order in which events came in. */
async function countHours(trx: Transaction<Database>, id: number, now: Temporal.Instant): Promise<void> {
  await sql`
    insert into issue_tally (issue_id, reported, reported_at)
    select f.issue_id, f.delivered, ${now} from issue_feedback f where f.issue_id = ${id}
    on conflict (issue_id) do update set reported = excluded.reported, reported_at = excluded.reported_at`.execute(
    trx,
  )
  await trx.deleteFrom('delivered_hour').where('issue_id', '=', id).execute()
  await sql`
    insert into delivered_hour (issue_id, hour, delivered)
    select ${id}, hour, count(*)
      from (select floor(extract(epoch from f.at - i.planned_at) / 3600)::int as hour
              from feedback f join issue i on i.id = f.issue_id
             where f.issue_id = ${id} and f.state = 'delivered' and f.at >= i.planned_at
               and f.at < i.planned_at + interval '48 hours') delivered
     group by hour`.execute(trx)
}
