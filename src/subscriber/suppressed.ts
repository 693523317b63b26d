import { createHmac } from 'node:crypto'
import type { Kysely, Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { SigningKey } from './token.ts'

export type SuppressionReason = Database['suppression']['reason']

/** What stays of an address after its reader was erased: a keyed hash, in hex, worth nothing without the key. */
export function suppressionHash(key: SigningKey, address: string): string {
  return createHmac('sha256', key.secret).update(`suppression\n${address}`).digest('hex')
}

/**
 * Those of these addresses that are never mailed again (they bounced, complained, or were barred by hand). Not those that
 * were only erased: such a reader may sign up again themselves.
 */
export async function suppressedAmong(
  db: Kysely<Database>,
  keys: readonly SigningKey[],
  addresses: readonly string[],
): Promise<ReadonlySet<string>> {
  const barred = await barredAmong(db, keys, addresses)
  return new Set([...barred].filter(([, reason]) => reason !== 'erased').map(([address]) => address))
}

/**
 * Those of these addresses that are suppressed, and why, whether kept as they are or as a hash under any of our keys. An
 * erasure is the weakest reason: it keeps others from bringing a reader back, and lets the reader come back.
 */
export async function barredAmong(
  db: Kysely<Database>,
  keys: readonly SigningKey[],
  addresses: readonly string[],
): Promise<ReadonlyMap<string, SuppressionReason>> {
  if (addresses.length === 0) return new Map()
  const byHash = hashesOf(keys, addresses)
  const rows = await db
    .selectFrom('suppression')
    .select(['address', 'address_hash', 'reason'])
    .where((eb) => eb.or([eb('address', 'in', addresses), eb('address_hash', 'in', [...byHash.keys()])]))
    .execute()
  const reasons = new Map<string, SuppressionReason>()
  for (const { reason, ...row } of rows) {
    const address = row.address ?? byHash.get(row.address_hash ?? '')
    if (address && (reason !== 'erased' || !reasons.has(address))) reasons.set(address, reason)
  }
  return reasons
}

/** Why an address is not mailed, and since when. */
export type Bar = { readonly reason: SuppressionReason; readonly since: Temporal.Instant }

/** What bars an address as it is: the suppression that the ledger asks for before each mail. */
export function barOn(db: Kysely<Database>, address: string): Promise<Bar | undefined> {
  return db
    .selectFrom('suppression')
    .select(['reason', 'since'])
    .where('address', '=', address)
    .executeTakeFirst()
}

/** Forgets that somebody was erased under this address: they have come back themselves. */
export async function forgetErasure(
  trx: Transaction<Database>,
  keys: readonly SigningKey[],
  address: string,
): Promise<void> {
  await trx
    .deleteFrom('suppression')
    .where('address_hash', 'in', [...hashesOf(keys, [address]).keys()])
    .where('reason', '=', 'erased')
    .execute()
}

function hashesOf(keys: readonly SigningKey[], addresses: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    addresses.flatMap((address) => keys.map((key) => [suppressionHash(key, address), address] as const)),
  )
}
