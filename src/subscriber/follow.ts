import type { Kysely, Transaction } from 'kysely'
import type { Cadence, Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { followWish, type KnownWish } from './follow-wish.ts'
import { readProof } from './letter.ts'

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock }

/** What the link of a letter comes to that asks whether to follow something. `isDone`: it had been pressed. */
export type Following =
  | {
      readonly kind: 'follows'
      readonly address: string
      readonly publicId: string
      readonly wish: KnownWish
      /** How often they get mail from then on. */
      readonly cadence: Cadence
      readonly isDone: boolean
    }
  | { readonly kind: 'unknown' | 'expired' | 'not on the list' }

/** What a press would come to now. Changes nothing, however often a link scanner asks. */
export function foreseeFollowing({ db, clock }: Deps, token: string): Promise<Following> {
  return judge(db, clock(), token)
}

/**
 * Follows what the letter asked about, for the reader whose mailbox it was in. Repeatable; what was done is done once, so
 * that a second press takes back nothing that the reader decided in between.
 */
export async function followByLetter({ db, clock }: Deps, token: string): Promise<Following> {
  return db.transaction().execute(async (trx) => {
    const proof = await readProof(trx, purposes, token)
    if (!proof) return { kind: 'unknown' }
    const reader = await holdReader(trx, proof.subscriberId)
    const following = await judge(trx, clock(), token)
    if (following.kind !== 'follows' || following.isDone || !reader) return following
    await followWish(trx, clock, reader, following)
    await trx.updateTable('proof').set({ used_at: clock() }).where('token_hash', '=', proof.hash).execute()
    return following
  })
}

/** A confirmation letter shows the mailbox as well, and may come with a wish to somebody who is on the list by then. */
const purposes = ['follow', 'confirm'] as const

async function judge(db: Kysely<Database>, now: Temporal.Instant, token: string): Promise<Following> {
  const proof = await readProof(db, purposes, token)
  if (!proof?.wish) return { kind: 'unknown' }
  const reader = await db
    .selectFrom('subscriber')
    .select(['public_id', 'address', 'status', 'cadence'])
    .where('id', '=', proof.subscriberId)
    .executeTakeFirst()
  if (!reader?.address) return { kind: 'unknown' }
  if (reader.status !== 'confirmed' && reader.status !== 'paused') return { kind: 'not on the list' }
  const isDone = proof.usedAt !== null
  if (!isDone && Temporal.Instant.compare(proof.expiresAt, now) <= 0) return { kind: 'expired' }
  const { wish } = proof
  return {
    ...{ kind: 'follows', address: reader.address, publicId: reader.public_id, wish, isDone },
    // "Every week" on a form is what anybody has who says nothing: it takes no reader's own rhythm away.
    cadence: wish.cadence === 'followed' ? 'followed' : reader.cadence,
  }
}

function holdReader(trx: Transaction<Database>, id: number) {
  return trx
    .selectFrom('subscriber')
    .select(['id', 'cadence'])
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst()
}
