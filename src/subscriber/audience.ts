import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'

/** How many readers would be mailed now. Beyond a hundred thousand PostgreSQL's own estimate, as fresh as its last ANALYZE. */
export type AudienceNow = { readonly readers: number; readonly isEstimate: boolean }

/** Why the audience is another than it was: how many came and went for each reason. */
export type AudienceChange = {
  readonly came: { readonly new: number; readonly back: number }
  readonly went: {
    readonly unsubscribed: number
    readonly bounced: number
    readonly complained: number
    readonly paused: number
    readonly erased: number
    readonly 'barred by hand': number
  }
}

const mostCounted = 100_000

/** Confirmed readers whose address is not suppressed. */
export async function audienceNow(db: Kysely<Database>): Promise<AudienceNow> {
  const { rows } = await sql<{ all: number; share: number | null }>`
    select c.reltuples::float8 as all,
           (select s.most_common_freqs[array_position(s.most_common_vals::text::text[], 'confirmed')]
              from pg_stats s
             where s.schemaname = 'public' and s.tablename = 'subscriber' and s.attname = 'status') as share
      from pg_class c where c.oid = 'subscriber'::regclass`.execute(db)
  const [known] = rows
  if (known?.share && known.all > mostCounted)
    return { readers: Math.round(known.all * known.share), isEstimate: true }
  const counted = await sql<{ readers: number }>`
    select count(*) as readers
      from subscriber s left join suppression x on x.address = s.address
     where s.status = 'confirmed' and x.id is null`.execute(db)
  return { readers: counted.rows[0]?.readers ?? 0, isEstimate: false }
}

/** Who came and went since an instant, each reader once for each reason; a complaint is not counted as leaving as well. */
export async function audienceChange(db: Kysely<Database>, since: Temporal.Instant): Promise<AudienceChange> {
  const { rows } = await sql<{ why: string; readers: number }>`
    select case when kind in ('confirmed', 'imported') then 'new'
                when kind in ('resubscribed', 'resumed') then 'back'
                else kind end as why,
           count(distinct subscriber_id) as readers
      from consent_event
     where at >= ${since}::timestamptz and method <> 'complaint'
       and kind in ('confirmed', 'imported', 'resubscribed', 'resumed', 'unsubscribed', 'paused', 'erased')
     group by 1
    union all
    select case reason when 'by hand' then 'barred by hand' else reason end, count(*)
      from suppression where since >= ${since}::timestamptz and reason <> 'erased'
     group by 1`.execute(db)
  const count = (why: string) => rows.find((row) => row.why === why)?.readers ?? 0
  return {
    came: { new: count('new'), back: count('back') },
    went: {
      unsubscribed: count('unsubscribed'),
      bounced: count('bounced'),
      complained: count('complained'),
      paused: count('paused'),
      erased: count('erased'),
      'barred by hand': count('barred by hand'),
    },
  }
}
