import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Review, StoredComparison, Tool } from './comparison.ts'

/** The comparisons with these ids, each with its two tools and their reviews, in the order of the ids. */
export async function loadComparisons(
  db: Kysely<Database>,
  ids: readonly number[],
): Promise<readonly StoredComparison[]> {
  if (ids.length === 0) return []
  const [comparisons, tools, reviews] = [
    await db.selectFrom('comparison').selectAll().where('id', 'in', ids).execute(),
    await db
      .selectFrom('comparison_tool as t')
      .innerJoin('tool', 'tool.id', 't.tool_id')
      .selectAll('t')
      .select('tool.slug')
      .where('comparison_id', 'in', ids)
      .orderBy('side')
      .execute(),
    await db.selectFrom('review').selectAll().where('comparison_id', 'in', ids).orderBy('position').execute(),
  ]

  const toTool = (row: (typeof tools)[number]): Tool => ({
    slug: row.slug,
    name: row.name,
    category: row.category,
    tagline: row.tagline,
    description: row.description,
    entryPrice: row.entry_price,
    priceNote: row.price_note ?? undefined,
    url: row.url ?? undefined,
    community: { ship: row.community_ship, skip: row.community_skip },
    reviews: reviews
      .filter((review) => review.comparison_id === row.comparison_id && review.side === row.side)
      .map(({ reviewer, verdict, quote }): Review => ({ reviewer, verdict, quote })),
  })

  return ids.flatMap((id) => {
    const row = comparisons.find((comparison) => comparison.id === id)
    const [first, second] = tools.filter((tool) => tool.comparison_id === id).map(toTool)
    if (!row || !first || !second) return []
    const { slug, title, revision, published_at: publishedAt } = row
    return [{ id, slug, title, revision, publishedAt, tools: [first, second] as const }]
  })
}
