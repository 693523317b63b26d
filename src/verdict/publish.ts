import { isDeepStrictEqual } from 'node:util'
import type { Kysely, Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import type { ComparisonDocument } from './document.ts'
import { comparePanelOrder } from './review.ts'
import { keepWords } from './search-comparisons.ts'
import { searchWords } from './search-words.ts'

type Deps = { db: Kysely<Database>; clock: Clock }

export type Published = 'created' | 'updated' | 'unchanged'

/** What became of a document, and the revision that the comparison has now. */
export type Taken = { readonly outcome: Published; readonly revision: number }

/**
 * Takes in a parsed document, by slug: the same document again changes nothing, another one becomes the next
 * revision and the old one stays in `comparison_revision`. All or nothing. `by` is whoever brought it.
 */
export async function publishComparison(
  { db, clock }: Deps,
  document: ComparisonDocument,
  by?: string,
): Promise<Published> {
  const { outcome } = await db
    .transaction()
    .execute((trx) => publishWithin(trx, document, { at: clock(), by: by ?? null }))
  return outcome
}

/** The same as part of a transaction that does more. */
export async function publishWithin(
  trx: Transaction<Database>,
  document: ComparisonDocument,
  { at, by }: { readonly at: Temporal.Instant; readonly by: string | null },
): Promise<Taken> {
  const { id, isNew } = await reserve(trx, document, at)
  const latest = await latestRevision(trx, id)
  if (latest && isDeepStrictEqual(latest.document, plain(document)))
    return { outcome: 'unchanged', revision: latest.revision }

  const revision = (latest?.revision ?? 0) + 1
  await trx
    .updateTable('comparison')
    .set((eb) => ({
      title: document.title,
      published_at: Temporal.Instant.from(document.publishedAt),
      retracted_at: document.retracted ? eb.fn.coalesce('retracted_at', eb.val(at)) : null,
      ...{ revision, revised_at: at, sought: soughtBy(document) },
    }))
    .where('id', '=', id)
    .execute()
  await trx
    .insertInto('comparison_revision')
    .values({ comparison_id: id, revision, revised_at: at, by, document: JSON.stringify(plain(document)) })
    .execute()
  await replaceTools(trx, id, document)
  await keepWords(trx, id, document)
  return { outcome: isNew ? 'created' : 'updated', revision }
}

/** What publishing a document would come to, without doing it. */
export async function foreseePublishing(
  db: Kysely<Database>,
  document: ComparisonDocument,
): Promise<Published> {
  const known = await db
    .selectFrom('comparison')
    .select('id')
    .where('slug', '=', document.slug)
    .executeTakeFirst()
  if (!known) return 'created'
  const latest = await latestRevision(db, known.id)
  return latest && isDeepStrictEqual(latest.document, plain(document)) ? 'unchanged' : 'updated'
}

/** The comparison's row, locked: made when the slug is new. */
async function reserve(trx: Transaction<Database>, document: ComparisonDocument, instant: Temporal.Instant) {
  const made = await trx
    .insertInto('comparison')
    .values({
      slug: document.slug,
      title: document.title,
      published_at: Temporal.Instant.from(document.publishedAt),
      retracted_at: null,
      created_at: instant,
      revised_at: instant,
    })
    .onConflict((oc) => oc.column('slug').doNothing())
    .returning('id')
    .executeTakeFirst()
  if (made) return { id: made.id, isNew: true }

  const { id } = await trx
    .selectFrom('comparison')
    .select('id')
    .where('slug', '=', document.slug)
    .forUpdate()
    .executeTakeFirstOrThrow()
  return { id, isNew: false }
}

function latestRevision(trx: Kysely<Database>, comparisonId: number) {
  return trx
    .selectFrom('comparison_revision')
    .select(['revision', 'document'])
    .where('comparison_id', '=', comparisonId)
    .orderBy('revision', 'desc')
    .limit(1)
    .executeTakeFirst()
}

async function replaceTools(trx: Transaction<Database>, comparisonId: number, document: ComparisonDocument) {
  await trx.deleteFrom('comparison_tool').where('comparison_id', '=', comparisonId).execute()
  const toolIds = await reserveTools(trx, document.tools.map((tool) => tool.slug).sort())
  for (const [index, tool] of document.tools.entries()) {
    const side = index === 0 ? 1 : 2
    await trx
      .insertInto('comparison_tool')
      .values({
        comparison_id: comparisonId,
        side,
        tool_id: toolIds.get(tool.slug) ?? 0,
        name: tool.name,
        category: tool.category,
        tagline: tool.tagline,
        description: tool.description,
        entry_price: tool.entryPrice,
        price_note: tool.priceNote ?? null,
        url: tool.url ?? null,
        community_ship: tool.community?.ship ?? 0,
        community_skip: tool.community?.skip ?? 0,
      })
      .execute()
    const reviews = tool.reviews.toSorted((a, b) => comparePanelOrder(a.reviewer, b.reviewer))
    await trx
      .insertInto('review')
      .values(
        reviews.map((review, at) => ({ comparison_id: comparisonId, side, position: at + 1, ...review })),
      )
      .execute()
  }
}

/** The tools' ids by slug, made where they are new. The caller sorts, so that two intakes cannot deadlock. */
async function reserveTools(trx: Transaction<Database>, slugs: readonly string[]) {
  await trx
    .insertInto('tool')
    .values(slugs.map((slug) => ({ slug })))
    .onConflict((oc) => oc.doNothing())
    .execute()
  const tools = await trx.selectFrom('tool').select(['id', 'slug']).where('slug', 'in', slugs).execute()
  return new Map(tools.map((tool) => [tool.slug, tool.id]))
}

/** The words that a comparison is found by: its title, its slug, its tools' names and categories. */
function soughtBy({ title, slug, tools }: ComparisonDocument): string {
  const said = [title, slug, ...tools.flatMap(({ name, category }) => [name, category])]
  return searchWords(said.join(' ')).join(' ')
}

/** The document as JSON keeps it: fields that are not there are absent, not `undefined`. */
function plain(document: ComparisonDocument): object {
  return JSON.parse(JSON.stringify(document))
}
