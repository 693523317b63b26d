import { type Kysely, sql } from 'kysely'

/** Every word of a comparison, for visitors who look for one; and when the last one changed, for whoever keeps pages. */
export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    create table comparison_text (
      comparison_id int primary key references comparison on delete cascade,
      words tsvector not null
    )`.execute(db)
  await sql`create index comparison_text_words on comparison_text using gin (words)`.execute(db)
  await sql`create index comparison_by_revision on comparison (revised_at)`.execute(db)

  const { rows } = await sql<{ id: number; said: string }>`
    select c.id, concat_ws(' ', c.title, c.slug,
             (select string_agg(concat_ws(' ', t.name, t.category, t.tagline, t.description), ' ' order by t.side)
                from comparison_tool t where t.comparison_id = c.id),
             (select string_agg(r.quote, ' ' order by r.side, r.position)
                from review r where r.comparison_id = c.id)) as said
      from comparison c`.execute(db)
  for (const { id, said } of rows) {
    await sql`
      insert into comparison_text (comparison_id, words)
      values (${id}, to_tsvector('simple', ${wordsOf(said).join(' ')}))`.execute(db)
  }
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
