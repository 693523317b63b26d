import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { suppressionHash } from './suppressed.ts'
import type { SigningKey } from './token.ts'

/** Somebody from another list, by their parsed address, with where and when they agreed. */
export type Newcomer = { readonly address: string; readonly consent: string }

/**
 * What became of a newcomer. `repeated`: added by an earlier row of the same list. `left`, `suppressed` and `erased`
 * readers are not brought back by somebody else's list.
 */
export type Fate = 'added' | 'known' | 'repeated' | 'left' | 'suppressed' | 'erased'

type Deps = { readonly db: Kysely<Database>; readonly keys: readonly SigningKey[] }

/** The highest id there is: readers above it were added since. */
export async function lastReaderId(db: Kysely<Database>): Promise<number> {
  const { last } = await db
    .selectFrom('subscriber')
    .select((eb) => eb.fn.coalesce(eb.fn.max('id'), eb.lit(0)).as('last'))
    .executeTakeFirstOrThrow()
  return Number(last)
}

/**
 * Adds newcomers, each address once, as confirmed readers with their consent, in one statement: all of them or none.
 * Returns each one's fate by address. `since` is the last id from before their list.
 */
export async function addMany(
  { db, keys }: Deps,
  newcomers: readonly Newcomer[],
  at: Temporal.Instant,
  since: number,
): Promise<ReadonlyMap<string, Fate>> {
  const hashes = newcomers.flatMap(({ address }) =>
    keys.map((key) => ({ address, hash: suppressionHash(key, address) })),
  )
  const { rows } = await sql<{ address: string; fate: Fate }>`
    with given as (
      select * from unnest(${newcomers.map(({ address }) => address)}::text[],
                           ${newcomers.map(({ consent }) => consent)}::text[]) as g (address, consent)
    ), hashed as (
      select * from unnest(${hashes.map(({ address }) => address)}::text[],
                           ${hashes.map(({ hash }) => hash)}::text[]) as h (address, hash)
    ), barred as (
      select address, bool_and(reason = 'erased') as only_erased
        from (select g.address, x.reason from given g join suppression x on x.address = g.address
              union all
              select h.address, x.reason from hashed h join suppression x on x.address_hash = h.hash) b
       group by address
    ), judged as materialized (
      select g.address, g.consent, s.id,
             case when not b.only_erased then 'suppressed'
                  when s.status = 'unsubscribed' then 'left'
                  when s.status in ('confirmed', 'paused') then case when s.id > ${since} then 'repeated' else 'known' end
                  when b.only_erased then 'erased'
                  else 'added' end as fate
        from given g left join subscriber s on s.address = g.address left join barred b on b.address = g.address
    ), made as (
      insert into subscriber (address, status, created_at, confirmed_at)
      select address, 'confirmed', ${at}::timestamptz, ${at}::timestamptz
        from judged where fate = 'added' and id is null order by address
      on conflict (address) do nothing
      returning id, address
    ), raised as (
      update subscriber s set status = 'confirmed', confirmed_at = ${at}
        from judged j where j.fate = 'added' and s.id = j.id and s.status = 'pending'
      returning s.id, s.address
    ), added as (
      select id, address from made union all select id, address from raised
    ), proven as (
      insert into consent_event (subscriber_id, kind, at, method, detail)
      select a.id, 'imported', ${at}::timestamptz, 'import', g.consent
        from added a join given g on g.address = a.address order by a.address
    )
    select j.address,
           case when j.fate = 'added' and a.id is null then 'known' else j.fate end as fate
      from judged j left join added a on a.address = j.address`.execute(db)
  return new Map(rows.map(({ address, fate }) => [address, fate]))
}
