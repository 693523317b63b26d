import type { SuppressionList } from '../mail/resend-suppressions.ts'
import { findReader } from '../subscriber/find.ts'
import { type LiftReason, liftReasonsFor } from '../subscriber/lift-suppression.ts'
import { barOn } from '../subscriber/suppressed.ts'
import { decideReader, type ReaderDecided, type ReaderDeps } from './decide-reader.ts'

/** What became of an address on the provider's own list. */
export type AtProvider = 'removed' | 'not there' | 'not asked'

export type LiftedEverywhere =
  | { readonly kind: 'decided'; readonly decided: ReaderDecided; readonly atProvider: AtProvider }
  /** The provider did not answer: nothing was changed here either. */
  | { readonly kind: 'no answer' }

/**
 * Lifts a reader's suppression with the provider first and then with us, as `suppressions remove` does: the other way
 * round, a provider that does not answer would go on dropping their mail in silence.
 */
export async function liftEverywhere(
  deps: ReaderDeps & { readonly theirs: SuppressionList | undefined },
  publicId: string,
  why: LiftReason,
  by: string,
): Promise<LiftedEverywhere> {
  const address = await liftable(deps, publicId, why)
  const atProvider = address === undefined ? 'not asked' : await removeThere(deps.theirs, address)
  if (atProvider === 'no answer') return { kind: 'no answer' }
  const decided = await decideReader(deps, publicId, { action: 'lift suppression', why }, by)
  return { kind: 'decided', decided, atProvider }
}

/** The reader's address, where the rules allow that its suppression is lifted for that reason. */
async function liftable({ db }: ReaderDeps, publicId: string, why: LiftReason): Promise<string | undefined> {
  const address = (await findReader(db, publicId))?.address
  if (!address) return undefined
  const held = await barOn(db, address)
  return held && liftReasonsFor(held.reason).includes(why) ? address : undefined
}

async function removeThere(
  theirs: SuppressionList | undefined,
  address: string,
): Promise<AtProvider | 'no answer'> {
  if (!theirs) return 'not asked'
  try {
    return (await theirs.remove(address)) ? 'removed' : 'not there'
  } catch {
    return 'no answer'
  }
}
