import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'

/**
 * Where this database lives: the server's identifier, the database's oid and the timeline, which a copy, a restored backup
 * or a server that took over does not all share with it. Undefined where this role may not ask (and on other engines).
 */
export async function placeOf(db: Kysely<Database>): Promise<string | undefined> {
  const { rows: permissions } = await sql<{ granted: boolean }>`
    select coalesce(bool_and(has_function_privilege(p.oid, 'execute')), false) and count(*) = 2 as granted
      from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where n.nspname = 'pg_catalog' and p.proname in ('pg_control_system', 'pg_control_checkpoint')`.execute(
    db,
  )
  if (!permissions[0]?.granted) return undefined

  const { rows } = await sql<{ place: string }>`
    select 'server ' || s.system_identifier || ', database ' || d.oid || ', timeline ' || c.timeline_id as place
      from pg_control_system() s, pg_control_checkpoint() c, pg_database d
     where d.datname = current_database()`.execute(db)
  return rows[0]?.place
}
