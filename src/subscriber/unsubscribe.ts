import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { recordConsent } from './consent.ts'
import { orderWithClaims } from './order-with-claims.ts'

type Deps = { db: Kysely<Database>; clock: Clock }

/** How a reader left: the mail program's one-click (RFC 8058) or the button on our page. */
export type Departure = 'one-click' | 'page'

/**
 * Takes a reader off the list in one transaction, with one consent entry, however often it is asked, strictly
 * before or after any claim of a batch. Returns false only when there is no such reader.
 */
export async function unsubscribe({ db, clock }: Deps, publicId: string, how: Departure): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const reader = await trx
      .selectFrom('subscriber')
      .select(['id', 'status'])
      .where('public_id', '=', publicId)
      .forNoKeyUpdate()
      .executeTakeFirst()
    if (!reader) return false
    if (reader.status === 'unsubscribed' || reader.status === 'erased') return true

    await orderWithClaims(trx, [reader.id])
    const at = clock()
    await trx
      .updateTable('subscriber')
      .set({ status: 'unsubscribed', unsubscribed_at: at, paused_until: null })
      .where('id', '=', reader.id)
      .execute()
    await recordConsent(trx, { subscriberId: reader.id, kind: 'unsubscribed', at, method: how })
    return true
  })
}
