import { sql, type Transaction } from 'kysely'
import type { Database, FeedbackState } from '../../db/schema.ts'

/** Which events are taken: those that are due now, and at most so many. */
export type Due = { readonly now: Temporal.Instant; readonly atOnce: number }

/** An event on a mail that we did send, to the address that we sent it to, which may bar that address. */
export type Telling = {
  readonly subscriberId: number
  readonly address: string
  readonly state: FeedbackState
  readonly bars: 'bounced' | 'complained' | 'by hand' | null
}

export type Effect = { readonly taken: number; readonly telling: readonly Telling[] }

/**
 * Takes events that carry a delivery's tags and raises what is known of each delivery, with its issue's counts, in one
 * statement. An event whose address is not the recorded recipient's changes nothing; that of an erased reader loses its
 * body, should it have come in while they were being erased.
 */
export async function applyToDeliveries(trx: Transaction<Database>, due: Due): Promise<Effect> {
  const { rows } = await sql<{ taken: number } & (Telling | { subscriberId: null })>`
    with due as materialized (
      select id from event_to_apply
       where reader is not null and not_before <= ${due.now} order by not_before, id limit ${due.atOnce}::int
    ), taken as materialized (
      delete from event_to_apply q using due where q.id = due.id
      returning q.svix_id, q.batch_id, q.reader, q.address, q.state, q.bars, q.at
    ), known as materialized (
      select t.*, b.issue_id, s.id as subscriber_id, s.status
        from taken t
        -- With a limit these are looked up one by one: guessing, PostgreSQL would read all readers for two thousand events.
        left join lateral (select id, status from subscriber where public_id = t.reader limit 1) s on true
        left join lateral (select issue_id from batch where id = t.batch_id limit 1) b on true
    ), struck as (
      update provider_event e set body = '{"erased": true}'
        from known k where e.svix_id = k.svix_id and k.status = 'erased'
    ), matched as materialized (
      select k.*
        from known k
        join lateral (
          select from delivery d
           where d.issue_id = k.issue_id and d.subscriber_id = k.subscriber_id and d.address = k.address limit 1) d on true
       where k.state is not null
    ), best as materialized (
      select distinct on (issue_id, subscriber_id) issue_id, subscriber_id, state, at,
             min(at) filter (where state = 'bounced soft') over (partition by issue_id, subscriber_id) as soft_at
        from matched order by issue_id, subscriber_id, state desc, at
    ), moved as materialized (
      select b.issue_id, b.state, f.state as before
        from best b left join feedback f on f.issue_id = b.issue_id and f.subscriber_id = b.subscriber_id
       where f.state is null or f.state < b.state
    ), raised as (
      insert into feedback as f (issue_id, subscriber_id, state, at, soft_at)
      select issue_id, subscriber_id, state, at, soft_at from best order by issue_id, subscriber_id
      on conflict (issue_id, subscriber_id) do update
         set state = greatest(f.state, excluded.state),
             at = case when f.state < excluded.state then excluded.at
                       when f.state = excluded.state then least(f.at, excluded.at) else f.at end,
             soft_at = least(f.soft_at, excluded.soft_at)
       where f.state < excluded.state or (f.state = excluded.state and f.at > excluded.at)
          or (excluded.soft_at is not null and f.soft_at is distinct from least(f.soft_at, excluded.soft_at))
    ), counted as (
      insert into issue_feedback as c
             (issue_id, delayed, delivered, failed, suppressed, bounced_soft, bounced_hard, complained)
      select issue_id, ${change('delayed')}, ${change('delivered')}, ${change('failed')}, ${change('suppressed')},
             ${change('bounced soft')}, ${change('bounced hard')}, ${change('complained')}
        from moved group by issue_id
      on conflict (issue_id) do update
         set delayed = c.delayed + excluded.delayed, delivered = c.delivered + excluded.delivered,
             failed = c.failed + excluded.failed, suppressed = c.suppressed + excluded.suppressed,
             bounced_soft = c.bounced_soft + excluded.bounced_soft,
             bounced_hard = c.bounced_hard + excluded.bounced_hard,
             complained = c.complained + excluded.complained
    )
    select n.taken, m.subscriber_id as "subscriberId", m.address, m.state, m.bars
      from (select count(*) as taken from taken) n
      left join matched m on m.bars is not null or m.state = 'bounced soft'`.execute(trx)
  return {
    taken: rows[0]?.taken ?? 0,
    telling: rows.flatMap((row) => (row.subscriberId === null ? [] : [row])),
  }
}

/** How many came to a state, less those that left it. */
function change(state: FeedbackState) {
  const is = sql.lit(state)
  return sql`count(*) filter (where state = ${is}) - count(*) filter (where before = ${is})`
}
