import type { Kysely, Selectable, Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { recordConsent } from './consent.ts'
import type { PauseEnd } from './pause.ts'
import { suppressedAmong } from './suppressed.ts'
import type { SigningKey } from './token.ts'

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock; readonly keys: readonly SigningKey[] }

/** `back`: on the list again, or was there all the time. */
export type Returned = 'back' | 'too late'

/**
 * Takes a departure back, or turns it into a pause. Only for who left within a day by a link of ours: anybody else signs
 * up again, because an old mail in strange hands must not subscribe anybody.
 */
export async function resubscribe(
  { db, clock, keys }: Deps,
  publicId: string,
  pause?: PauseEnd,
): Promise<Returned> {
  return db.transaction().execute(async (trx) => {
    const reader = await trx
      .selectFrom('subscriber')
      .selectAll()
      .where('public_id', '=', publicId)
      .forNoKeyUpdate()
      .executeTakeFirst()
    if (!reader) return 'too late'
    if (!pause && (reader.status === 'confirmed' || reader.status === 'paused')) return 'back'
    if (!(await mayReturn(trx, { clock, keys }, reader))) return 'too late'

    const at = clock()
    await trx
      .updateTable('subscriber')
      .set({ unsubscribed_at: null, status: pause ? 'paused' : 'confirmed', paused_until: pause?.at ?? null })
      .where('id', '=', reader.id)
      .execute()
    await trx.deleteFrom('departure').where('subscriber_id', '=', reader.id).execute()
    await recordConsent(trx, { subscriberId: reader.id, kind: 'resubscribed', at, method: 'page' })
    if (pause) {
      const detail = `until ${pause.day}`
      await recordConsent(trx, { subscriberId: reader.id, kind: 'paused', at, method: 'page', detail })
    }
    return 'back'
  })
}

/** Whether a reader's departure can still be taken back. Never for a suppressed address. */
export async function mayReturn(
  db: Kysely<Database> | Transaction<Database>,
  { clock, keys }: Omit<Deps, 'db'>,
  { id, address, ...reader }: Selectable<Database['subscriber']>,
): Promise<boolean> {
  if (reader.status !== 'unsubscribed' || !address || !reader.confirmed_at) return false
  const left = await db
    .selectFrom('consent_event')
    .select(['at', 'method'])
    .where('subscriber_id', '=', id)
    .where('kind', '=', 'unsubscribed')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (!left || !['one-click', 'page'].includes(left.method)) return false
  if (Temporal.Instant.compare(left.at.add({ hours: 24 }), clock()) <= 0) return false
  return !(await suppressedAmong(db, keys, [address])).has(address)
}
