import type { Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { type BarReason, barReasons, unsuppress } from './suppress.ts'

/** Why an address may be mailed again. */
export const liftReasons = ['they asked for it', 'the mailbox works again', 'it was a mistake'] as const
export type LiftReason = (typeof liftReasons)[number]

export type Lifted =
  | { readonly kind: 'lifted'; readonly was: BarReason }
  | { readonly kind: 'not suppressed' | 'they complained' }

/**
 * Mails an address again. Who complained is mailed again only because they asked for it: anything else costs the sender
 * its good name. Judged by the suppression as it stands now, whatever somebody saw before.
 */
export async function liftSuppression(
  trx: Transaction<Database>,
  address: string,
  why: LiftReason,
): Promise<Lifted> {
  const held = await trx
    .selectFrom('suppression')
    .select('reason')
    .where('address', '=', address)
    .forUpdate()
    .executeTakeFirst()
  if (!held) return { kind: 'not suppressed' }
  if (!liftReasonsFor(held.reason).includes(why)) return { kind: 'they complained' }
  const was = await unsuppress(trx, address)
  return was ? { kind: 'lifted', was } : { kind: 'not suppressed' }
}

/** What may be said for lifting a suppression of that reason. */
export function liftReasonsFor(reason: string): readonly LiftReason[] {
  const known = barReasons.find((one) => one === reason)
  if (known === 'complained') return ['they asked for it']
  return known === 'bounced' ? liftReasons : ['they asked for it', 'it was a mistake']
}
