import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { recordConsent } from './consent.ts'
import { orderWithClaims } from './order-with-claims.ts'

/** Why an address is never mailed again; a later one in this list outweighs an earlier one. */
export const barReasons = ['by hand', 'bounced', 'complained'] as const
export type BarReason = (typeof barReasons)[number]

/** An address to be suppressed. */
export type Bar = {
  readonly address: string
  readonly reason: BarReason
  /** Whose mail it was, though they may have another address by now. Erased, they are left in peace. */
  readonly subscriberId?: number
  /** They asked not to get this newsletter, which ends their consent too. */
  readonly ends?: boolean
}

/**
 * Suppresses addresses, strictly before or after any claim of a batch with their readers. The strongest reason stays,
 * and the first `since`. A complaint about a mail of ours is a withdrawal of consent and is recorded as one; a bounce is
 * nobody's decision, so its reader stays on the list, unmailed. Returns how many addresses were not suppressed before.
 */
export async function suppress(
  trx: Transaction<Database>,
  clock: Clock,
  bars: readonly Bar[],
): Promise<number> {
  if (bars.length === 0) return 0
  const readers = await lockReaders(trx, bars)
  const erased = new Set(readers.filter(({ address }) => address === null).map(({ id }) => id))
  const standing = bars.filter(({ subscriberId }) => !erased.has(subscriberId ?? 0))
  const added = await insert(trx, clock(), strongestByAddress(standing))
  await orderWithClaims(
    trx,
    readers.map(({ id }) => id),
  )

  const at = clock()
  if (added.length > 0)
    await trx.updateTable('suppression').set({ since: at }).where('address', 'in', added).execute()
  const leaving = readers.filter(({ address }) => standing.some((bar) => bar.ends && bar.address === address))
  for (const { id } of leaving) await endConsent(trx, id, at)
  return added.length
}

/** Lifts a suppression. Returns the reason that it had; undefined when the address was not suppressed. */
export async function unsuppress(
  db: Kysely<Database> | Transaction<Database>,
  address: string,
): Promise<BarReason | undefined> {
  const gone = await db
    .deleteFrom('suppression')
    .where('address', '=', address)
    .returning('reason')
    .executeTakeFirst()
  return barReasons.find((reason) => reason === gone?.reason)
}

function strongestByAddress(bars: readonly Bar[]): readonly Bar[] {
  const strongest = new Map<string, Bar>()
  for (const bar of bars) {
    const known = strongest.get(bar.address)
    if (!known || barReasons.indexOf(bar.reason) > barReasons.indexOf(known.reason))
      strongest.set(bar.address, bar)
  }
  return [...strongest.values()]
}

function lockReaders(trx: Transaction<Database>, bars: readonly Bar[]) {
  const addresses = bars.map(({ address }) => address)
  const ids = bars.flatMap(({ subscriberId }) => subscriberId ?? [])
  return trx
    .selectFrom('subscriber')
    .select(['id', 'address'])
    .where((eb) =>
      eb.or([
        eb('address', '=', sql<string>`any (${addresses}::text[])`),
        eb('id', '=', sql<number>`any (${ids}::bigint[])`),
      ]),
    )
    .orderBy('id')
    .forUpdate()
    .execute()
}

/** Returns the addresses that are new. In one order, so that two of these wait for each other instead of both. */
async function insert(
  trx: Transaction<Database>,
  since: Temporal.Instant,
  bars: readonly Bar[],
): Promise<readonly string[]> {
  const given = JSON.stringify(bars.map(({ address, reason }) => ({ address, reason })))
  const strength = (column: string) => sql`array_position(${[...barReasons]}::text[], ${sql.ref(column)})`
  const { rows } = await sql<{ address: string; added: boolean }>`
    insert into suppression as x (address, reason, since)
    select address, reason, ${since}::timestamptz
      from jsonb_to_recordset(${given}::jsonb) as g (address text, reason text) order by address
    on conflict (address) do update set reason = excluded.reason
     where ${strength('excluded.reason')} > ${strength('x.reason')}
    returning address, xmax = 0 as added`.execute(trx)
  return rows.filter(({ added }) => added).map(({ address }) => address)
}

async function endConsent(
  trx: Transaction<Database>,
  subscriberId: number,
  at: Temporal.Instant,
): Promise<void> {
  const left = await trx
    .updateTable('subscriber')
    .set({ status: 'unsubscribed', unsubscribed_at: at, paused_until: null })
    .where('id', '=', subscriberId)
    .where('status', 'in', ['confirmed', 'paused'])
    .executeTakeFirst()
  if (left.numUpdatedRows > 0n)
    await recordConsent(trx, { subscriberId, kind: 'unsubscribed', at, method: 'complaint' })
}
