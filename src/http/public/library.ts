import { type Kysely, sql } from 'kysely'
import type { Database } from '../../../db/schema.ts'

/** What is public as a whole, seen with one query. */
export type Library = {
  /** Differs whenever an issue went out or was taken back, or a comparison came out, changed or was retracted. */
  readonly stamp: string
  /** The weeks whose issues have gone out, the oldest first. */
  readonly weeks: readonly string[]
}

/** The library at an instant; a comparison comes out by time alone, so the newest one that is out belongs to the stamp. */
export async function seeLibrary(db: Kysely<Database>, now: Temporal.Instant): Promise<Library> {
  const { rows } = await sql<{ stamp: string; weeks: string[] }>`
    select concat_ws(' ',
             (select max(revised_at) from comparison),
             (select max(published_at) from comparison where published_at <= ${now.toString()}::timestamptz),
             md5(string_agg(i.week || i.edition_hash, ' ' order by i.week))) as stamp,
           coalesce(array_agg(i.week order by i.week), '{}') as weeks
      from issue i
     where i.state in ('sending', 'paused', 'sent', 'partly sent') and i.edition_hash is not null`.execute(db)
  return rows[0] ?? { stamp: '', weeks: [] }
}

/** Differs whenever readers voted: for pages that show how they stand. */
export async function lastVote(db: Kysely<Database>): Promise<string> {
  const { rows } = await sql<{ stamp: string | null }>`
    select concat_ws(' ', max(changed_at), sum(ship), sum(skip)) as stamp from vote_tally`.execute(db)
  return rows[0]?.stamp ?? ''
}
