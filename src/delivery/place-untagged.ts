import { sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { suppressionHash } from '../subscriber/suppressed.ts'
import type { SigningKey } from '../subscriber/token.ts'
import type { Due } from './apply-to-deliveries.ts'

type Untagged = { readonly id: number; readonly svix_id: string; readonly address: string | null }

/**
 * Finds whose events are that carry no tags of ours: by the provider's id, which the batch has once it is recorded, and
 * the recipient. Those then wait with their tags for `applyToDeliveries`. The others are asked again, ever more seldom,
 * for a day: our own record may be late. Returns how many were looked at.
 */
export async function placeUntagged(
  trx: Transaction<Database>,
  keys: readonly SigningKey[],
  { now, atOnce }: Due,
): Promise<number> {
  const events = await trx
    .selectFrom('event_to_apply')
    .select(['id', 'svix_id', 'address'])
    .where('reader', 'is', null)
    .where('letter_id', 'is', null)
    .where('not_before', '<=', now)
    .orderBy('not_before')
    .orderBy('id')
    .limit(atOnce)
    .execute()
  if (events.length === 0) return 0

  const ids = events.map(({ id }) => id)
  await placeByProviderId(trx, ids)
  await nameReaders(trx, ids)
  await strikeErased(trx, keys, events)
  await letGo(trx, ids, now)
  return events.length
}

async function placeByProviderId(trx: Transaction<Database>, ids: readonly number[]): Promise<void> {
  await sql`
    with found as materialized (
      select q.id, q.svix_id, b.id as batch_id, s.public_id
        from event_to_apply q
        join delivery d on d.address = q.address
         and d.issue_id = any (array(select id from issue where planned_at is not null))
        join batch b on b.id = d.batch_id and b.provider_ids[d.slot] = q.email_id
        join subscriber s on s.id = d.subscriber_id
       where q.id = any (${ids}::bigint[])
    ), kept as (
      update provider_event e set batch_id = f.batch_id, subscriber_public_id = f.public_id
        from found f where e.svix_id = f.svix_id
    )
    update event_to_apply q set batch_id = f.batch_id, reader = f.public_id
      from found f where q.id = f.id`.execute(trx)
}

/** Even where there is no such mail, an event about a reader's address is theirs: it is exported and erased with them. */
async function nameReaders(trx: Transaction<Database>, ids: readonly number[]): Promise<void> {
  await sql`
    update provider_event e set subscriber_public_id = s.public_id
      from event_to_apply q join subscriber s on s.address = q.address
     where q.id = any (${ids}::bigint[]) and q.reader is null and e.svix_id = q.svix_id
       and e.subscriber_public_id is null`.execute(trx)
}

/** Somebody who was erased had that address, and nobody of ours has it now: it does not come back with an event. */
async function strikeErased(
  trx: Transaction<Database>,
  keys: readonly SigningKey[],
  events: readonly Untagged[],
): Promise<void> {
  const hashed = events.flatMap(({ svix_id, address }) =>
    address === null ? [] : keys.map((key) => ({ svix_id, address, hash: suppressionHash(key, address) })),
  )
  await sql`
    with struck as (
      delete from event_to_apply q
       using jsonb_to_recordset(${JSON.stringify(hashed)}::jsonb) as g (svix_id text, address text, hash text)
       where q.svix_id = g.svix_id and q.reader is null
         and exists (select from suppression x where x.address_hash = g.hash)
         and not exists (select from subscriber s where s.address = g.address)
      returning q.svix_id
    )
    update provider_event e set body = '{"erased": true}' from struck where e.svix_id = struck.svix_id`.execute(
    trx,
  )
}

async function letGo(
  trx: Transaction<Database>,
  ids: readonly number[],
  now: Temporal.Instant,
): Promise<void> {
  await sql`
    delete from event_to_apply
     where id = any (${ids}::bigint[]) and reader is null
       and (email_id is null or received_at <= ${now.subtract({ hours: 24 })})`.execute(trx)
  await sql`
    update event_to_apply
       set not_before = ${now}::timestamptz + (${now}::timestamptz - received_at) + interval '1 minute'
     where id = any (${ids}::bigint[]) and reader is null`.execute(trx)
}
