import type { Kysely, Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { recordConsent } from './consent.ts'
import { orderWithClaims } from './order-with-claims.ts'

type Deps = { db: Kysely<Database>; clock: Clock }

/** How a reader left: the mail program's one-click (RFC 8058), the button on our page, or an editor whom they asked. */
export type Departure = 'one-click' | 'page' | 'editor'

/** `left before`: nothing was changed. */
export type Left = 'left' | 'left before' | 'unknown'

/**
 * Takes a reader off the list in one transaction, with one consent entry, however often it is asked, strictly
 * before or after any claim of a batch. Returns false only when there is no such reader.
 */
export async function unsubscribe({ db, clock }: Deps, publicId: string, how: Departure): Promise<boolean> {
  const left = await db.transaction().execute((trx) => leaveList(trx, clock, publicId, how))
  return left !== 'unknown'
}

/** The same within a transaction that records more than that. */
export async function leaveList(
  trx: Transaction<Database>,
  clock: Clock,
  publicId: string,
  how: Departure,
): Promise<Left> {
  const reader = await trx
    .selectFrom('subscriber')
    .select(['id', 'status'])
    .where('public_id', '=', publicId)
    .forNoKeyUpdate()
    .executeTakeFirst()
  if (!reader) return 'unknown'
  if (reader.status === 'unsubscribed' || reader.status === 'erased') return 'left before'

  await orderWithClaims(trx, [reader.id])
  const at = clock()
  await trx
    .updateTable('subscriber')
    .set({ status: 'unsubscribed', unsubscribed_at: at, paused_until: null })
    .where('id', '=', reader.id)
    .execute()
  await recordConsent(trx, { subscriberId: reader.id, kind: 'unsubscribed', at, method: how })
  return 'left'
}
