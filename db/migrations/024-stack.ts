import { type Kysely, sql } from 'kysely'

/** What somebody asked to follow on a page: with the sign-up, then in the letter whose link proves the mailbox. */
export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    alter table sign_up
      add column follow_tool text,
      add column follow_category text,
      add column follow_cadence text check (follow_cadence in ('weekly', 'followed')),
      add constraint sign_up_follow_check
        check (num_nonnulls(follow_tool, follow_category) = num_nonnulls(follow_cadence))`.execute(db)
  // The name as it was when the letter was posted, so that a later attempt says the same.
  await sql`
    alter table letter
      add column follow_tool text references tool (slug),
      add column follow_category text,
      add column follow_name text,
      add column follow_cadence text check (follow_cadence in ('weekly', 'followed')),
      add constraint letter_follow_check
        check (num_nonnulls(follow_tool, follow_category) = num_nonnulls(follow_name)
           and num_nonnulls(follow_tool, follow_category) = num_nonnulls(follow_cadence))`.execute(db)
  await allow(db, 'letter', 'kind', 'follow')
  await allow(db, 'proof', 'purpose', 'follow')

  // The page of a tool or a category is made of every comparison it was in.
  await sql`create index comparison_tool_by_tool on comparison_tool (tool_id)`.execute(db)
  await sql`create index comparison_tool_by_category on comparison_tool (category)`.execute(db)
}

/** Adds a word to the ones that a column may have, whichever those are by now. */
async function allow(db: Kysely<any>, table: string, column: string, word: string): Promise<void> {
  const name = `${table}_${column}_check`
  const { rows } = await sql<{ words: string }>`
    select pg_get_constraintdef(oid) as words from pg_constraint
     where conrelid = ${table}::regclass and conname = ${name}`.execute(db)
  const known = [...(rows[0]?.words ?? '').matchAll(/'([^']+)'/g)].map(([, one]) => one)
  const words = sql.join([...new Set([...known, word])].map((one) => sql.lit(one)))
  await sql`alter table ${sql.table(table)} drop constraint if exists ${sql.id(name)}`.execute(db)
  await sql`
    alter table ${sql.table(table)} add constraint ${sql.id(name)} check (${sql.ref(column)} in (${words}))`.execute(
    db,
  )
}
