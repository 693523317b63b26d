import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'

/** Every row of every table, by table, as text: equal before and after when nothing was changed. */
export async function everything(db: Kysely<Database>): Promise<Readonly<Record<string, readonly string[]>>> {
  const tables = await tableNames(db)
  const rows = await Promise.all(tables.map((table) => rowsOf(db, table)))
  return Object.fromEntries(tables.map((table, at) => [table, rows[at] ?? []]))
}

/** The tables with a row that has these words anywhere in it. */
export async function tablesWith(db: Kysely<Database>, words: string): Promise<readonly string[]> {
  const all = Object.entries(await everything(db))
  const sought = words.toLowerCase()
  return all
    .filter(([, rows]) => rows.some((row) => row.toLowerCase().includes(sought)))
    .map(([table]) => table)
}

async function tableNames(db: Kysely<Database>): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables
     where table_schema = 'public' and table_type = 'BASE TABLE' and table_name not like 'kysely_%'
     order by table_name`.execute(db)
  return rows.map(({ name }) => name)
}

async function rowsOf(db: Kysely<Database>, table: string): Promise<readonly string[]> {
  const { rows } = await sql<{ row: string }>`
    select to_jsonb(t)::text as row from ${sql.table(table)} t order by 1`.execute(db)
  return rows.map(({ row }) => row)
}
