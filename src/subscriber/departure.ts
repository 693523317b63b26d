import type { Kysely } from 'kysely'
import type { Database, DepartureReason } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock }

/** Why somebody left, as far as they care to say. */
export type Departing = { readonly why: DepartureReason | null; readonly words: string | null }

/**
 * Keeps why a reader left; a second answer replaces the first. Not in the consent record, which cannot be changed: what
 * people write here may be about them, and goes when they are erased. Returns false when they have not left, or said nothing.
 */
export async function explainDeparture(
  { db, clock }: Deps,
  publicId: string,
  { why, words }: Departing,
): Promise<boolean> {
  if (why === null && words === null) return false
  return db.transaction().execute(async (trx) => {
    const reader = await trx
      .selectFrom('subscriber')
      .select('id')
      .where('public_id', '=', publicId)
      .where('status', '=', 'unsubscribed')
      .forNoKeyUpdate()
      .executeTakeFirst()
    if (!reader) return false
    const answer = { at: clock(), why, words }
    await trx
      .insertInto('departure')
      .values({ subscriber_id: reader.id, ...answer })
      .onConflict((oc) => oc.column('subscriber_id').doUpdateSet(answer))
      .execute()
    return true
  })
}
