import type { Kysely, Selectable, Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { recordConsent } from './consent.ts'
import { followWish, type KnownWish } from './follow-wish.ts'
import { type KnownProof, postLetter, readProof } from './letter.ts'
import { forgetErasure } from './suppressed.ts'
import type { SigningKey } from './token.ts'

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock; readonly keys: readonly SigningKey[] }

/**
 * What a confirmation link came to, and what its letter said would be followed. `already`: its reader is on the list,
 * however old the link is. `follows`: they are, and only the wish is left to press for (`follow.ts`).
 */
export type Confirmation =
  | {
      readonly kind: 'confirmed' | 'already' | 'follows' | 'expired'
      readonly address: string
      readonly wish: KnownWish | undefined
    }
  | { readonly kind: 'unknown' }

type Reader = Selectable<Database['subscriber']>

/** What pressing the button would come to now. Changes nothing, however often a link scanner asks. */
export async function foreseeConfirmation({ db, clock }: Deps, token: string): Promise<Confirmation> {
  const proof = await readProof(db, 'confirm', token)
  const reader =
    proof &&
    (await db.selectFrom('subscriber').selectAll().where('id', '=', proof.subscriberId).executeTakeFirst())
  return judge(proof, reader, clock())
}

/**
 * Puts the reader of a letter's mailbox on the list, or back on it, and posts a welcome. Repeatable: once confirmed, the
 * same link says so. `network` is truncated.
 */
export async function confirmSubscriber(deps: Deps, token: string, network?: string): Promise<Confirmation> {
  return deps.db.transaction().execute(async (trx) => {
    const asked = await readProof(trx, 'confirm', token)
    if (!asked) return { kind: 'unknown' }
    const reader = await trx
      .selectFrom('subscriber')
      .selectAll()
      .where('id', '=', asked.subscriberId)
      .forNoKeyUpdate()
      .executeTakeFirst()
    const outcome = judge(await readProof(trx, 'confirm', token), reader, deps.clock())
    if (outcome.kind === 'confirmed' && reader) await putOnTheList(deps, trx, reader, asked, network)
    return outcome
  })
}

function judge(
  proof: KnownProof | undefined,
  reader: Reader | undefined,
  now: Temporal.Instant,
): Confirmation {
  if (!proof || !reader?.address) return { kind: 'unknown' }
  const { address, status, unsubscribed_at } = reader
  const { wish } = proof
  const isOver = proof.usedAt !== null || Temporal.Instant.compare(proof.expiresAt, now) <= 0
  if (status === 'confirmed' || status === 'paused')
    return { kind: wish && !isOver ? 'follows' : 'already', address, wish }

  const leftSince = unsubscribed_at !== null && Temporal.Instant.compare(unsubscribed_at, proof.postedAt) > 0
  return { kind: isOver || leftSince ? 'expired' : 'confirmed', address, wish }
}

async function putOnTheList(
  deps: Deps,
  trx: Transaction<Database>,
  { id, status, address, cadence }: Reader,
  { hash, wish }: KnownProof,
  network: string | undefined,
): Promise<void> {
  const at = deps.clock()
  await trx
    .updateTable('subscriber')
    .set({ status: 'confirmed', confirmed_at: at, unsubscribed_at: null, paused_until: null })
    .where('id', '=', id)
    .execute()
  await trx.updateTable('proof').set({ used_at: at }).where('token_hash', '=', hash).execute()
  if (address) await forgetErasure(trx, deps.keys, address)
  await trx.deleteFrom('departure').where('subscriber_id', '=', id).execute()
  await recordConsent(trx, {
    ...{ subscriberId: id, kind: status === 'pending' ? 'confirmed' : 'resubscribed', at, method: 'link' },
    ...(network && { network }),
  })
  if (wish) await followWish(trx, deps.clock, { id, cadence }, { wish, cadence: wish.cadence })
  await postLetter(trx, deps, { subscriberId: id, kind: 'welcome', wish })
}
