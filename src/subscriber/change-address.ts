import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { recordConsent } from './consent.ts'
import { postLetter, readProof } from './letter.ts'
import { orderWithClaims } from './order-with-claims.ts'
import type { SigningKey } from './token.ts'

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock; readonly keys: readonly SigningKey[] }

/** How long the letter's link holds, as for a sign-up. */
const proofLife = Temporal.Duration.from({ hours: 72 })

/** Letters to a new address are a way to write to strangers: three a day are enough for any typing mistake. */
const lettersADay = 3

/** `asked`: a letter is posted; it is given up where that address is never mailed, and the answer is the same. */
export type AddressWish = 'asked' | 'same' | 'too often' | 'not on the list'

/** Writes to a reader's new address. Nothing changes until its link is pressed. */
export async function requestAddressChange(
  { db, clock, keys }: Deps,
  publicId: string,
  newAddress: string,
): Promise<AddressWish> {
  return db.transaction().execute(async (trx) => {
    const reader = await trx
      .selectFrom('subscriber')
      .select(['id', 'address'])
      .where('public_id', '=', publicId)
      .where('status', 'in', ['confirmed', 'paused'])
      .forUpdate()
      .executeTakeFirst()
    if (!reader) return 'not on the list'
    if (reader.address === newAddress) return 'same'
    if ((await lettersSince(trx, reader.id, clock().subtract({ hours: 24 }))) >= lettersADay)
      return 'too often'

    const proof = { purpose: 'change address', newAddress, lifetime: proofLife } as const
    const letter = { subscriberId: reader.id, kind: 'confirm new address', toAddress: newAddress } as const
    await postLetter(trx, { clock, keys }, { ...letter, proof })
    return 'asked'
  })
}

/** What pressing the link of a letter comes to. `isDone`: it had been pressed. `taken`: that address has a subscription of its own. */
export type AddressChange =
  | { readonly kind: 'changed'; readonly address: string; readonly isDone: boolean }
  | { readonly kind: 'unknown' | 'expired' | 'taken' | 'not on the list' }

/** What a change of address would come to now. Changes nothing. */
export async function foreseeAddressChange({ db, clock }: Deps, token: string): Promise<AddressChange> {
  return judge(db, clock(), token)
}

/**
 * Moves a subscription to the address whose mailbox was just shown to be the reader's, and tells the old one. Mails that
 * are planned and were never tried go to the new address; a claim leaves out whoever it finds under another address than
 * it has. Repeatable.
 */
export async function changeAddress({ db, clock, keys }: Deps, token: string): Promise<AddressChange> {
  return db.transaction().execute(async (trx) => {
    const known = await readProof(trx, 'change address', token)
    if (!known) return { kind: 'unknown' }
    const reader = await trx
      .selectFrom('subscriber')
      .select(['id', 'address'])
      .where('id', '=', known.subscriberId)
      .forUpdate()
      .executeTakeFirst()
    const at = clock()
    const change = await judge(trx, at, token)
    if (change.kind !== 'changed' || change.isDone || !reader?.address) return change

    await orderWithClaims(trx, [reader.id])
    await trx.updateTable('subscriber').set({ address: change.address }).where('id', '=', reader.id).execute()
    await redirectPlanned(trx, reader.id, change.address)
    await useUp(trx, reader.id, at)
    await recordConsent(trx, { subscriberId: reader.id, kind: 'address changed', at, method: 'link' })
    const letter = { subscriberId: reader.id, kind: 'address changed', toAddress: reader.address } as const
    await postLetter(trx, { clock, keys }, letter)
    return change
  })
}

async function judge(db: Kysely<Database>, now: Temporal.Instant, token: string): Promise<AddressChange> {
  const proof = await readProof(db, 'change address', token)
  if (!proof?.newAddress) return { kind: 'unknown' }
  const holders = await db
    .selectFrom('subscriber')
    .select(['id', 'address', 'status'])
    .where((eb) => eb.or([eb('id', '=', proof.subscriberId), eb('address', '=', proof.newAddress)]))
    .execute()
  const reader = holders.find(({ id }) => id === proof.subscriberId)
  if (reader?.status !== 'confirmed' && reader?.status !== 'paused') return { kind: 'not on the list' }
  if (reader.address === proof.newAddress) return { kind: 'changed', address: proof.newAddress, isDone: true }
  if (proof.usedAt || Temporal.Instant.compare(proof.expiresAt, now) <= 0) return { kind: 'expired' }
  if (holders.length > 1) return { kind: 'taken' }
  return { kind: 'changed', address: proof.newAddress, isDone: false }
}

/** Only batches that are waiting: in any other state the address is part of bytes that may have been sent. */
async function redirectPlanned(
  trx: Transaction<Database>,
  subscriberId: number,
  address: string,
): Promise<void> {
  await sql`
    update delivery d set address = ${address}
      from batch b, issue i
     where i.state in ('sending', 'paused') and d.issue_id = i.id and d.subscriber_id = ${subscriberId}
       and b.id = d.batch_id and b.state = 'built' and d.exception is null
       and not exists (select from delivery o where o.issue_id = d.issue_id and o.address = ${address})`.execute(
    trx,
  )
}

/** With the address changed, links in earlier letters to other addresses are worth nothing any more. */
async function useUp(trx: Transaction<Database>, subscriberId: number, at: Temporal.Instant): Promise<void> {
  await trx
    .updateTable('proof')
    .set({ used_at: at })
    .where('subscriber_id', '=', subscriberId)
    .where('purpose', '=', 'change address')
    .where('used_at', 'is', null)
    .execute()
}

async function lettersSince(trx: Transaction<Database>, subscriberId: number, since: Temporal.Instant) {
  const { many } = await trx
    .selectFrom('letter')
    .select((eb) => eb.fn.countAll<number>().as('many'))
    .where('subscriber_id', '=', subscriberId)
    .where('kind', '=', 'confirm new address')
    .where('created_at', '>', since)
    .executeTakeFirstOrThrow()
  return many
}
