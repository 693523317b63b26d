import { type Kysely, sql } from 'kysely'

/** What the desk's list of readers looks up, and what an editor may decide about one of them. */
export async function up(db: Kysely<any>): Promise<void> {
  await sql`create index subscriber_of_status on subscriber (status, id)`.execute(db)
  // In the order of bytes, whatever the database's own order is: a beginning is then a range.
  await sql`create index subscriber_beginning on subscriber (address collate "C")`.execute(db)
  await sql`
    create index suppression_for_reason on suppression (reason, id) where address is not null`.execute(db)

  const { rows } = await sql<{ words: string }>`
    select pg_get_constraintdef(oid) as words from pg_constraint
     where conrelid = 'decision'::regclass and conname = 'decision_what_check'`.execute(db)
  const known = [...(rows[0]?.words ?? '').matchAll(/'([^']+)'/g)].map(([, kind]) => kind)
  const kinds = new Set([...known, 'end pause', 'add reader', 'export reader'])
  await sql`alter table decision drop constraint if exists decision_what_check`.execute(db)
  await sql`
    alter table decision add constraint decision_what_check
      check (what in (${sql.join([...kinds].map((kind) => sql.lit(kind)))}))`.execute(db)
}
