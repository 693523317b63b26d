import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'

/** Puts every table back to what it held when the snapshot was taken, in one statement. */
export type Restore = () => Promise<void>

/** Copies every table of the application aside, so that a thousand runs can begin at the same rows. */
export async function takeSnapshot(db: Kysely<Database>): Promise<Restore> {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class
     where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
       and relname not like 'kysely_%' order by relname`.execute(db)
  const tables = rows.map(({ name }) => name)
  await sql`drop schema if exists aside cascade`.execute(db)
  await sql`create schema aside`.execute(db)
  for (const table of tables)
    await sql`create table ${sql.id('aside', table)} as table ${sql.id('public', table)}`.execute(db)

  // Without triggers, because foreign keys would want an order and append-only tables refuse the change; deleted row by row, because a
  // truncation makes new files, which costs a hundred times as much for so few.
  const filled = tables.map(
    (table) => `insert into public."${table}" overriding system value select * from aside."${table}";`,
  )
  const emptied = tables.map((table) => `delete from public."${table}";`)
  const restore = `do $$ begin
    perform set_config('session_replication_role', 'replica', true);
    ${[...emptied, ...filled].join('\n')}
  end $$`
  return async () => {
    await sql.raw(restore).execute(db)
  }
}
