import { type Kysely, type SqlBool, sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { StoredComparison } from './comparison.ts'
import type { ComparisonDocument } from './document.ts'
import { loadComparisons } from './load.ts'
import { searchQuery, searchWords } from './search-words.ts'

export type Found = {
  readonly comparisons: readonly StoredComparison[]
  /** There are more than were asked for. */
  readonly isCut: boolean
}

/**
 * What a visitor finds at an instant: published, not retracted. First what is called so (title, tools, categories), then
 * what says so anywhere; the newest first in each. Nothing typed is refused; what has no word in it finds nothing.
 */
export async function searchComparisons(
  db: Kysely<Database>,
  now: Temporal.Instant,
  { words, most }: { readonly words: string; readonly most: number },
): Promise<Found> {
  const query = searchQuery(words)
  if (query === undefined) return { comparisons: [], isCut: false }
  const named = await shown(db, now, most + 1)
    .where(sql<SqlBool>`to_tsvector('simple', c.sought) @@ to_tsquery('simple', ${query})`)
    .execute()
  const saying = await shown(db, now, most + 1 - named.length)
    .innerJoin('comparison_text as x', 'x.comparison_id', 'c.id')
    .where(sql<SqlBool>`x.words @@ to_tsquery('simple', ${query})`)
    .where(sql<SqlBool>`c.id <> all (${named.map(({ id }) => id)}::int[])`)
    .execute()
  const ids = [...named, ...saying].map(({ id }) => id)
  return { comparisons: await loadComparisons(db, ids.slice(0, most)), isCut: ids.length > most }
}

/** Keeps what a comparison says, so that it is found by it. Part of its publication. */
export async function keepWords(
  trx: Transaction<Database>,
  comparisonId: number,
  document: ComparisonDocument,
): Promise<void> {
  const words = sql<string>`to_tsvector('simple', ${everyWord(document)})`
  await trx
    .insertInto('comparison_text')
    .values({ comparison_id: comparisonId, words })
    .onConflict((oc) => oc.column('comparison_id').doUpdateSet({ words }))
    .execute()
}

function everyWord({ title, slug, tools }: ComparisonDocument): string {
  const said = tools.flatMap(({ name, category, tagline, description, reviews }) => [
    ...[name, category, tagline, description],
    ...reviews.map(({ quote }) => quote),
  ])
  return searchWords([title, slug, ...said].join(' ')).join(' ')
}

function shown(db: Kysely<Database>, now: Temporal.Instant, most: number) {
  return db
    .selectFrom('comparison as c')
    .select('c.id')
    .where('c.retracted_at', 'is', null)
    .where('c.published_at', '<=', now)
    .orderBy('c.published_at', 'desc')
    .orderBy('c.id', 'desc')
    .limit(most)
}
