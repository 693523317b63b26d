import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import type { SuppressionList, TheirSuppression } from '../mail/resend-suppressions.ts'
import { parseAddress } from './address.ts'
import { type Bar, type BarReason, barReasons, suppress } from './suppress.ts'
import { suppressionHash } from './suppressed.ts'
import type { SigningKey } from './token.ts'

type Deps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly keys: readonly SigningKey[]
  readonly theirs: SuppressionList
}

/** What a sync did, or with `dryRun` would do. */
export type Synced = {
  /** How many addresses are on their list. */
  readonly theirs: number
  readonly added: number
  /** Known to us for a weaker reason. */
  readonly strengthened: number
  /** No addresses, or of readers who were erased: those stay as they are. */
  readonly left: number
  readonly pushed: number
}

/**
 * Brings our suppressions and the provider's together: theirs come to us with their reason, ours that they lack go to
 * them. Done twice, the second time does nothing.
 */
export async function syncSuppressions(deps: Deps, { dryRun }: { dryRun: boolean }): Promise<Synced> {
  const ours = await ourReasons(deps.db)
  const seen = new Set<string>()
  const sum = { theirs: 0, added: 0, strengthened: 0, left: 0 }
  for await (const page of deps.theirs.all()) {
    const bars = await withoutErased(deps, page.flatMap(toBar))
    const fresh = bars.filter(({ address }) => !seen.has(address))
    for (const { address } of page.flatMap(toBar)) seen.add(address)
    sum.theirs += page.length
    sum.left += page.length - bars.length
    sum.added += fresh.filter(({ address }) => !ours.has(address)).length
    sum.strengthened += fresh.filter((bar) => isStronger(bar.reason, ours.get(bar.address))).length
    if (!dryRun) await deps.db.transaction().execute((trx) => suppress(trx, deps.clock, fresh))
  }
  const missing = [...ours.keys()].filter((address) => !seen.has(address))
  if (!dryRun) await deps.theirs.add(missing)
  return { ...sum, pushed: missing.length }
}

/** Their words for why. A complaint there may have been about another newsletter: it ends no consent to ours. */
function toBar({ email, origin }: TheirSuppression): readonly Bar[] {
  const parsed = parseAddress(email)
  if (!parsed.ok) return []
  const reasons: Readonly<Record<string, BarReason>> = { bounce: 'bounced', complaint: 'complained' }
  return [{ address: parsed.address, reason: reasons[origin] ?? 'by hand' }]
}

function isStronger(theirs: BarReason, ours: BarReason | undefined): boolean {
  return ours !== undefined && barReasons.indexOf(theirs) > barReasons.indexOf(ours)
}

async function ourReasons(db: Kysely<Database>): Promise<ReadonlyMap<string, BarReason>> {
  const rows = await db
    .selectFrom('suppression')
    .select(['address', 'reason'])
    .where('address', 'is not', null)
    .orderBy('id')
    .execute()
  return new Map(
    rows.map(({ address, reason }) => [
      address ?? '',
      barReasons.find((known) => known === reason) ?? 'by hand',
    ]),
  )
}

/** Of an erased reader we keep a hash only: their address must not come back from somebody else's list. */
async function withoutErased({ db, keys }: Deps, bars: readonly Bar[]): Promise<readonly Bar[]> {
  const hashed = new Map(
    bars.flatMap(({ address }) => keys.map((key) => [suppressionHash(key, address), address] as const)),
  )
  const kept = await db
    .selectFrom('suppression')
    .select('address_hash')
    .where('address_hash', 'in', [...hashed.keys(), ''])
    .execute()
  const erased = new Set(kept.map(({ address_hash }) => hashed.get(address_hash ?? '')))
  return bars.filter(({ address }) => !erased.has(address))
}
