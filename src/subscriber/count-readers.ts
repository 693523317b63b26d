import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'

/** How many rows have each value. `isEstimate`: PostgreSQL's own, as fresh as its last ANALYZE; what is rare is then missing. */
export type Counted = { readonly of: ReadonlyMap<string, number>; readonly isEstimate: boolean }

/** Beyond this, rows are not counted while somebody waits for a page. */
const mostCounted = 100_000

/** Readers by status. */
export function countByStatus(db: Kysely<Database>): Promise<Counted> {
  return countBy(db, 'subscriber', 'status')
}

/** Suppressions by reason. */
export function countByReason(db: Kysely<Database>): Promise<Counted> {
  return countBy(db, 'suppression', 'reason')
}

async function countBy(db: Kysely<Database>, table: string, column: string): Promise<Counted> {
  const { rows } = await sql<{ value: string; share: number; all: number }>`
    select value, share, c.reltuples::float8 as all
      from pg_class c
      join pg_stats s on s.schemaname = 'public' and s.tablename = c.relname and s.attname = ${column},
           unnest(s.most_common_vals::text::text[], s.most_common_freqs::float8[]) as common (value, share)
     where c.oid = ${table}::regclass and c.reltuples > ${mostCounted}`.execute(db)
  if (rows.length > 0)
    return {
      isEstimate: true,
      of: new Map(rows.map(({ value, share, all }) => [value, Math.round(all * share)])),
    }
  const counted = await sql<{ value: string; many: number }>`
    select ${sql.ref(column)} as value, count(*) as many from ${sql.table(table)} group by 1`.execute(db)
  return { isEstimate: false, of: new Map(counted.rows.map(({ value, many }) => [value, many])) }
}
