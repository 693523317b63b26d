import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { isToBeApplied, type ProviderEvent } from './event.ts'

/**
 * Writes events down in one statement, each `svix-id` once, and puts what has an effect where `applyEvents` finds it. Of
 * an event about a reader who was erased only its facts are kept. Returns how many were new.
 */
export async function keepEvents(db: Kysely<Database>, events: readonly ProviderEvent[]): Promise<number> {
  const { rows } = await sql<{ kept: number }>`
    with given as materialized (
      select distinct on (svix_id) g.*,
             coalesce(g.reader, (select s.public_id from letter l join subscriber s on s.id = l.subscriber_id
                                  where l.id = g.letter_id)) as whose
        from jsonb_to_recordset(${storable(events.map(toRow))}::jsonb) as g (
               svix_id text, type text, email_id text, batch_id uuid, reader uuid, letter_id uuid, address text,
               state feedback_state, bars text, at timestamptz, received_at timestamptz, body jsonb, applies boolean)
       order by svix_id
    ), judged as materialized (
      select g.*, coalesce((select s.status from subscriber s where s.public_id = g.whose) = 'erased', false) as erased
        from given g
    ), kept as (
      insert into provider_event
             (svix_id, type, email_id, batch_id, subscriber_public_id, occurred_at, received_at, body)
      select svix_id, type, email_id, batch_id, whose, at, received_at,
             case when erased then '{"erased": true}' else body end
        from judged order by svix_id
      on conflict (svix_id) do nothing
      returning svix_id
    ), queued as (
      insert into event_to_apply
             (svix_id, email_id, batch_id, reader, letter_id, address, state, bars, at, received_at, not_before)
      select j.svix_id, email_id, batch_id, reader, letter_id, address, state, bars, at, received_at, received_at
        from judged j join kept k on k.svix_id = j.svix_id
       where j.applies and not j.erased
    )
    select count(*) as kept from kept`.execute(db)
  return rows[0]?.kept ?? 0
}

function toRow(event: ProviderEvent): object {
  const { svixId, emailId, batchId, letterId, receivedAt, ...same } = event
  return {
    ...same,
    ...{ svix_id: svixId, email_id: emailId, batch_id: batchId, letter_id: letterId },
    ...{ received_at: receivedAt, applies: isToBeApplied(event) },
  }
}

/** JSON can say NUL and halves of characters, which PostgreSQL cannot keep; one of them would fail the whole statement. */
function storable(rows: readonly object[]): string {
  const json = JSON.stringify(rows)
  if (!/\\u(?:0000|d[89a-f])/.test(json)) return json
  return json.replace(/(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][\da-f]{2})/g, '$1\ufffd')
}
