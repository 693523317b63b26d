import { sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Due, Effect, Telling } from './apply-to-deliveries.ts'

/** The same for letters: each carries what is known of it itself. */
export async function applyToLetters(trx: Transaction<Database>, due: Due): Promise<Effect> {
  const { rows } = await sql<{ taken: number } & (Telling | { subscriberId: null })>`
    with due as materialized (
      select id from event_to_apply
       where reader is null and letter_id is not null and not_before <= ${due.now}
       order by not_before, id limit ${due.atOnce}::int
    ), taken as materialized (
      delete from event_to_apply q using due where q.id = due.id
      returning q.svix_id, q.letter_id, q.address, q.state, q.bars, q.at
    ), known as materialized (
      select t.*, s.id as subscriber_id, s.status, coalesce(l.to_address, s.address) as recipient
        from taken t join letter l on l.id = t.letter_id join subscriber s on s.id = l.subscriber_id
    ), struck as (
      update provider_event e set body = '{"erased": true}'
        from known k where e.svix_id = k.svix_id and k.status = 'erased'
    ), matched as materialized (
      select * from known where address = recipient and state is not null
    ), best as materialized (
      select distinct on (letter_id) letter_id, state, at,
             min(at) filter (where state = 'bounced soft') over (partition by letter_id) as soft_at
        from matched order by letter_id, state desc, at
    ), raised as (
      update letter l
         set feedback = greatest(l.feedback, b.state),
             feedback_at = case when l.feedback is null or l.feedback < b.state then b.at
                                when l.feedback = b.state then least(l.feedback_at, b.at) else l.feedback_at end,
             soft_at = least(l.soft_at, b.soft_at)
        from best b where l.id = b.letter_id
    )
    select n.taken, m.subscriber_id as "subscriberId", m.address, m.state, m.bars
      from (select count(*) as taken from taken) n
      left join matched m on m.bars is not null or m.state = 'bounced soft'`.execute(trx)
  return {
    taken: rows[0]?.taken ?? 0,
    telling: rows.flatMap((row) => (row.subscriberId === null ? [] : [row])),
  }
}
