import { type Kysely, sql } from 'kysely'

/** Who made a revision, what a comparison is found by, and the order in which the desk lists them. */
export async function up(db: Kysely<any>): Promise<void> {
  await sql`alter table comparison_revision add column by text check (by <> '')`.execute(db)

  await sql`alter table comparison add column sought text not null default ''`.execute(db)
  await sql`create index comparison_sought on comparison using gin (to_tsvector('simple', sought))`.execute(
    db,
  )
  await sql`create index comparison_by_time on comparison (published_at, id)`.execute(db)

  const { rows } = await sql<{ id: number; said: string }>`
    select c.id, concat_ws(' ', c.title, c.slug,
             (select string_agg(t.name || ' ' || t.category, ' ' order by t.side)
                from comparison_tool t where t.comparison_id = c.id)) as said
      from comparison c`.execute(db)
  const sought = JSON.stringify(rows.map(({ id, said }) => ({ id, sought: wordsOf(said).join(' ') })))
  await sql`
    update comparison c set sought = w.sought
      from jsonb_to_recordset(${sought}::jsonb) as w(id int, sought text)
     where c.id = w.id`.execute(db)
}

function wordsOf(text: string): readonly string[] {
  return (
    text
      .normalize('NFKD')
      .replace(/\p{M}/gu, '')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  )
}
