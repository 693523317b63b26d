import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { type ComparisonDocument, comparisonDocument } from './document.ts'

/** What a comparison said at one time, who wrote it (null where nobody was named) and when. */
export type Revision = {
  readonly revision: number
  readonly at: Temporal.Instant
  readonly by: string | null
  readonly document: ComparisonDocument
}

/** The comparison's revisions, newest first: those up to one of them, or the newest. */
export async function listRevisions(
  db: Kysely<Database>,
  slug: string,
  { upTo, most }: { readonly upTo?: number | undefined; readonly most: number },
): Promise<readonly Revision[]> {
  const rows = await db
    .selectFrom('comparison_revision as r')
    .innerJoin('comparison as c', 'c.id', 'r.comparison_id')
    .select(['r.revision', 'r.revised_at as at', 'r.by', 'r.document'])
    .where('c.slug', '=', slug)
    .$if(upTo !== undefined, (query) => query.where('r.revision', '<=', upTo ?? 0))
    .orderBy('r.revision', 'desc')
    .limit(most)
    .execute()
  return rows.map(({ document, ...row }) => ({ ...row, document: comparisonDocument.parse(document) }))
}

/** One revision, or the newest; undefined when there is none such. */
export async function findRevision(
  db: Kysely<Database>,
  slug: string,
  revision?: number,
): Promise<Revision | undefined> {
  const [found] = await listRevisions(db, slug, { upTo: revision, most: 1 })
  return revision === undefined || found?.revision === revision ? found : undefined
}
