import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { forgetVotes } from './cast-vote.ts'
import { type ConsentMethod, recordConsent } from './consent.ts'
import { wishColumns } from './follow-wish.ts'
import { orderWithClaims } from './order-with-claims.ts'
import { suppressionHash } from './suppressed.ts'
import type { SigningKey } from './token.ts'

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock; readonly keys: readonly SigningKey[] }

/** `erased`: now, or before. */
export type Erased = 'erased' | 'unknown'

/** Who erases: the reader on their page, an operator, or an editor. */
type Eraser = Extract<ConsentMethod, 'page' | 'by hand' | 'editor'>

/**
 * Forgets a reader's address everywhere, in one transaction: what stays is the ledger without an address, the consent
 * record, which proves why mail was sent, and a keyed hash of each address they had, so that no import brings them back.
 * They may sign up again themselves. It is strictly before or after any claim of a batch.
 */
export async function eraseReader(
  { db, clock, keys }: Deps,
  publicId: string,
  method: Eraser,
): Promise<Erased> {
  const erased = await db.transaction().execute((trx) => forgetReader(trx, { clock, keys }, publicId, method))
  return erased === 'unknown' ? 'unknown' : 'erased'
}

/** The same within a transaction that records more than that; `erased before`: nothing was changed. */
export async function forgetReader(
  trx: Transaction<Database>,
  { clock, keys }: Omit<Deps, 'db'>,
  publicId: string,
  method: Eraser,
): Promise<Erased | 'erased before'> {
  const reader = await trx
    .selectFrom('subscriber')
    .select(['id', 'address'])
    .where('public_id', '=', publicId)
    .forUpdate()
    .executeTakeFirst()
  if (!reader) return 'unknown'
  if (reader.address === null) return 'erased before'

  await orderWithClaims(trx, [reader.id])
  const at = clock()
  const addresses = await addressesOf(trx, reader.id, reader.address)
  await trx
    .updateTable('subscriber')
    .set({ status: 'erased', address: null, paused_until: null, unsubscribed_at: null })
    .where('id', '=', reader.id)
    .execute()
  for (const address of addresses) await keepOnlyHash(trx, keys, address, at)
  await forgetChoices(trx, reader.id)
  await forgetVotes(trx, reader.id, at)
  await forgetMail(trx, reader.id, publicId)
  await forgetLetters(trx, reader.id, addresses, at)
  await recordConsent(trx, { subscriberId: reader.id, kind: 'erased', at, method })
  return 'erased'
}

/** Their address now and every one they had before, but for those that are somebody else's by now. */
async function addressesOf(
  trx: Transaction<Database>,
  subscriberId: number,
  current: string,
): Promise<readonly string[]> {
  const { rows } = await sql<{ address: string }>`
    select had.address
      from (select to_address as address from letter
             where subscriber_id = ${subscriberId} and kind = 'address changed'
            union
            select address from delivery
             where subscriber_id = ${subscriberId}
               and issue_id = any (array(select id from issue where planned_at is not null))) had
     where had.address is not null
       and not exists (select from subscriber s where s.address = had.address and s.id <> ${subscriberId})`.execute(
    trx,
  )
  return [...new Set([current, ...rows.map(({ address }) => address)])]
}

/** A bounce or complaint keeps its weight under the hash: it would bar a new sign-up, an erasure does not. */
async function keepOnlyHash(
  trx: Transaction<Database>,
  keys: readonly SigningKey[],
  address: string,
  since: Temporal.Instant,
): Promise<void> {
  const [key] = keys
  if (!key) throw new Error('There is no signing key')
  const asHash = { address: null, address_hash: suppressionHash(key, address), key_id: key.id }
  const asIs = await trx
    .selectFrom('suppression')
    .select('id')
    .where('address', '=', address)
    .forUpdate()
    .executeTakeFirst()
  if (asIs) {
    await trx.deleteFrom('suppression').where('address_hash', '=', asHash.address_hash).execute()
    await trx.updateTable('suppression').set(asHash).where('id', '=', asIs.id).execute()
    return
  }
  await trx
    .insertInto('suppression')
    .values({ ...asHash, reason: 'erased', since })
    .onConflict((oc) => oc.column('address_hash').doNothing())
    .execute()
}

async function forgetChoices(trx: Transaction<Database>, subscriberId: number): Promise<void> {
  await trx.deleteFrom('followed_category').where('subscriber_id', '=', subscriberId).execute()
  await trx.deleteFrom('followed_tool').where('subscriber_id', '=', subscriberId).execute()
  await trx.deleteFrom('departure').where('subscriber_id', '=', subscriberId).execute()
}

/** The ledger keeps that there was a mail, and the provider's events that it arrived; neither keeps to whom. */
async function forgetMail(trx: Transaction<Database>, subscriberId: number, publicId: string): Promise<void> {
  await sql`
    update provider_event set body = '{"erased": true}'
     where subscriber_public_id = ${publicId}
       and (batch_id is null or batch_id in (
         select batch_id from delivery
          where subscriber_id = ${subscriberId}
            and issue_id = any (array(select id from issue where planned_at is not null))))`.execute(trx)
  await sql`
    update delivery set address = null
     where subscriber_id = ${subscriberId}
       and issue_id = any (array(select id from issue where planned_at is not null))`.execute(trx)
}

/** Theirs, and those to an address of theirs that somebody else asked for. What was not sent yet never is. */
async function forgetLetters(
  trx: Transaction<Database>,
  subscriberId: number,
  addresses: readonly string[],
  at: Temporal.Instant,
): Promise<void> {
  await trx
    .deleteFrom('proof')
    .where((eb) => eb.or([eb('subscriber_id', '=', subscriberId), eb('new_address', 'in', addresses)]))
    .execute()
  const theirs = trx
    .updateTable('letter')
    .where((eb) => eb.or([eb('subscriber_id', '=', subscriberId), eb('to_address', 'in', addresses)]))
  await theirs
    .set({ given_up_at: at, reason: 'its reader was erased' })
    .where('sent_at', 'is', null)
    .where('given_up_at', 'is', null)
    .execute()
  await theirs.set({ to_address: null, ...wishColumns(undefined) }).execute()
  await trx.deleteFrom('sign_up').where('address', 'in', addresses).execute()
}
