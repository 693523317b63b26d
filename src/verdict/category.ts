import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'

/** A category as its page has it: its name as it was written last, and every spelling that leads there. */
export type Category = { readonly slug: string; readonly name: string; readonly spellings: readonly string[] }

/** A category's name in the address of its page: `Design & UX` is `design-and-ux`. Empty where the name has no letter. */
export function categorySlug(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .normalize('NFC')
    .toLowerCase()
    .replace(/[&+#]/g, (sign) => ` ${spoken[sign]} `)
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-|-$/g, '')
}

/** The path of a category's page; empty where its name makes none. */
export function categoryPath(name: string): string {
  const slug = categorySlug(name)
  return slug === '' ? '' : `/categories/${encodeURIComponent(slug)}`
}

const spoken: Readonly<Record<string, string>> = { '&': 'and', '+': 'plus', '#': 'sharp' }

/** The categories of what visitors see at an instant, those with the newest comparison first. */
export async function publicCategories(
  db: Kysely<Database>,
  now: Temporal.Instant,
): Promise<readonly Category[]> {
  const { rows } = await sql<{ name: string }>`
    select t.category as name from comparison_tool t join comparison c on c.id = t.comparison_id
     where c.retracted_at is null and c.published_at <= ${now.toString()}::timestamptz
     group by t.category order by max(c.published_at) desc, t.category`.execute(db)
  const bySlug = Map.groupBy(rows, ({ name }) => categorySlug(name))
  return [...bySlug].flatMap(([slug, named]) => {
    const spellings = named.map(({ name }) => name)
    return slug === '' ? [] : [{ slug, name: spellings[0] ?? '', spellings }]
  })
}
