import type { Kysely, Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { recordConsent } from './consent.ts'

type Deps = { db: Kysely<Database>; clock: Clock }

/** Where and when somebody said that we may mail them, in the operator's words. */
export type GivenConsent = { readonly method: 'by hand' | 'import' | 'editor'; readonly detail: string }

export type Added = 'added' | 'already confirmed' | 'left before' | 'suppressed'

/**
 * Adds a confirmed reader whose consent was given elsewhere. A reader who left, or whose address is suppressed, is not
 * brought back by somebody else's list: they have to sign up themselves.
 */
export async function addSubscriber(
  { db, clock }: Deps,
  address: string,
  consent: GivenConsent,
): Promise<Added> {
  return db.transaction().execute((trx) => putOnList(trx, clock, address, consent))
}

/** The same within a transaction that records more than that. */
export async function putOnList(
  trx: Transaction<Database>,
  clock: Clock,
  address: string,
  consent: GivenConsent,
): Promise<Added> {
  const suppressed = await trx
    .selectFrom('suppression')
    .select('id')
    .where('address', '=', address)
    .executeTakeFirst()
  if (suppressed) return 'suppressed'

  const made = await trx
    .insertInto('subscriber')
    .values({ address, status: 'confirmed', created_at: clock(), confirmed_at: clock() })
    .onConflict((oc) => oc.column('address').doNothing())
    .returning('id')
    .executeTakeFirst()
  if (made) {
    await recordConsent(trx, { subscriberId: made.id, kind: 'imported', at: clock(), ...consent })
    return 'added'
  }
  return confirmPending(trx, address, clock(), consent)
}

async function confirmPending(
  trx: Transaction<Database>,
  address: string,
  at: Temporal.Instant,
  consent: GivenConsent,
): Promise<Added> {
  const reader = await trx
    .selectFrom('subscriber')
    .select(['id', 'status'])
    .where('address', '=', address)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow()
  if (reader.status === 'unsubscribed') return 'left before'
  if (reader.status !== 'pending') return 'already confirmed'

  await trx
    .updateTable('subscriber')
    .set({ status: 'confirmed', confirmed_at: at })
    .where('id', '=', reader.id)
    .execute()
  await recordConsent(trx, { subscriberId: reader.id, kind: 'imported', at, ...consent })
  return 'added'
}
