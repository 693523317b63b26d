import type { Kysely, Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import type { ComparisonDocument } from './document.ts'
import { type Published, publishWithin } from './publish.ts'
import { findRevision, type Revision } from './revisions.ts'

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock }

/** What to do about a comparison, given its newest revision (undefined while there is none): publish this, or nothing, and why. */
export type Decide<Refusal> = (
  now: Revision | undefined,
) => { readonly document: ComparisonDocument } | { readonly refusal: Refusal }

/** What publishing came to, and the revision that there is now. */
export type Decided<Refusal> =
  | { readonly outcome: Published; readonly now: Revision }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }

/** Publishes what is decided upon while nobody else can change the comparison. May ask twice. */
export async function publishIf<Refusal>(
  { db, clock }: Deps,
  { slug, by }: { readonly slug: string; readonly by: string },
  decide: Decide<Refusal>,
): Promise<Decided<Refusal>> {
  try {
    return await db.transaction().execute(async (trx) => {
      await lock(trx, slug)
      const before = await findRevision(trx, slug)
      const decided = decide(before)
      if ('refusal' in decided) return { outcome: 'refused', refusal: decided.refusal }

      const { outcome } = await publishWithin(trx, decided.document, { at: clock(), by })
      if (!before && outcome !== 'created') throw new MadeMeanwhile()
      const now = await findRevision(trx, slug)
      if (!now) throw new Error(`Comparison ${slug} was published and is not there`)
      return { outcome, now }
    })
  } catch (error) {
    if (error instanceof MadeMeanwhile) return publishIf({ db, clock }, { slug, by }, decide)
    throw error
  }
}

/** It was decided upon a comparison that was not there, and now it is. */
class MadeMeanwhile extends Error {}

async function lock(trx: Transaction<Database>, slug: string): Promise<void> {
  await trx.selectFrom('comparison').select('id').where('slug', '=', slug).forUpdate().execute()
}
