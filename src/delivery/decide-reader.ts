import type { Kysely, Transaction } from 'kysely'
import type { Database, DecisionKind } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { recordDecision } from '../issue/decision.ts'
import { parseAddress } from '../subscriber/address.ts'
import { forgetReader } from '../subscriber/erase.ts'
import { type LiftReason, liftSuppression } from '../subscriber/lift-suppression.ts'
import { endPause } from '../subscriber/pause.ts'
import { type Reminded, resendConfirmation } from '../subscriber/resend-confirmation.ts'
import type { SignUpLimits } from '../subscriber/sign-up-limits.ts'
import { suppress } from '../subscriber/suppress.ts'
import type { SigningKey } from '../subscriber/token.ts'
import { leaveList } from '../subscriber/unsubscribe.ts'

export type ReaderDeps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly keys: readonly SigningKey[]
  readonly limits?: SignUpLimits
}

/** What an editor decides about a reader. `typed`: their address, typed by the editor, as a proof that it is meant. */
export type ReaderWish =
  | { readonly action: 'resend confirmation' | 'end pause' | 'unsubscribe' | 'suppress' }
  | { readonly action: 'lift suppression'; readonly why: LiftReason }
  | { readonly action: 'erase'; readonly typed: string }

export type ReaderAction = ReaderWish['action']

/** Why nothing was changed. `gone`: nobody has that id, or they were erased. */
export type ReaderRefusal =
  | 'gone'
  | 'left before'
  | 'not paused'
  | 'not on the list'
  | 'suppressed before'
  | 'not suppressed'
  | 'they complained'
  | 'another address'
  | Exclude<Reminded, 'posted'>

export type ReaderDecided =
  | { readonly ok: true; readonly evidence: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly why: ReaderRefusal }

/**
 * Carries out what an editor decided about a reader and records it, both or neither. What takes somebody out of the
 * audience is strictly before or after any claim of a batch with them. Decided twice, the second time is refused.
 */
export async function decideReader(
  deps: ReaderDeps,
  publicId: string,
  wish: ReaderWish,
  by: string,
): Promise<ReaderDecided> {
  return deps.db.transaction().execute(async (trx) => {
    const decided = await carryOut(trx, deps, publicId, wish)
    if (decided.ok) await recordReaderDecision(trx, deps.clock, by, wish.action, publicId, decided.evidence)
    return decided
  })
}

/** Appends what was decided about a reader, who is named by their public id only. */
export async function recordReaderDecision(
  trx: Transaction<Database>,
  clock: Clock,
  by: string,
  what: DecisionKind,
  publicId: string,
  evidence: object = {},
): Promise<void> {
  await recordDecision(trx, { at: clock(), by, what, evidence: { reader: publicId, ...evidence } })
}

async function carryOut(
  trx: Transaction<Database>,
  deps: ReaderDeps,
  publicId: string,
  wish: ReaderWish,
): Promise<ReaderDecided> {
  switch (wish.action) {
    case 'resend confirmation': {
      const reminded = await resendConfirmation(trx, deps, publicId)
      return reminded === 'posted' ? done : refused(reminded)
    }
    case 'end pause': {
      const ended = await endPause(trx, deps.clock, publicId, 'editor')
      return ended === 'resumed' ? done : refused(ended)
    }
    case 'unsubscribe': {
      const left = await leaveList(trx, deps.clock, publicId, 'editor')
      return left === 'left' ? done : refused(left === 'unknown' ? 'gone' : left)
    }
    case 'suppress':
      return suppressReader(trx, deps, publicId)
    case 'lift suppression':
      return lift(trx, publicId, wish.why)
    case 'erase':
      return erase(trx, deps, publicId, wish.typed)
  }
}

const done: ReaderDecided = { ok: true, evidence: {} }

function refused(why: ReaderRefusal): ReaderDecided {
  return { ok: false, why }
}

async function suppressReader(
  trx: Transaction<Database>,
  { clock }: ReaderDeps,
  publicId: string,
): Promise<ReaderDecided> {
  const reader = await lockReader(trx, publicId)
  if (!reader) return refused('gone')
  const bar = { address: reader.address, reason: 'by hand', subscriberId: reader.id } as const
  return (await suppress(trx, clock, [bar])) > 0 ? done : refused('suppressed before')
}

async function lift(trx: Transaction<Database>, publicId: string, why: LiftReason): Promise<ReaderDecided> {
  const reader = await lockReader(trx, publicId)
  if (!reader) return refused('gone')
  const lifted = await liftSuppression(trx, reader.address, why)
  return lifted.kind === 'lifted' ? { ok: true, evidence: { was: lifted.was, why } } : refused(lifted.kind)
}

async function erase(
  trx: Transaction<Database>,
  deps: ReaderDeps,
  publicId: string,
  typed: string,
): Promise<ReaderDecided> {
  const reader = await lockReader(trx, publicId)
  if (!reader) return refused('gone')
  const parsed = parseAddress(typed)
  if (!parsed.ok || parsed.address !== reader.address) return refused('another address')
  const forgotten = await forgetReader(trx, deps, publicId, 'editor')
  return forgotten === 'erased' ? done : refused('gone')
}

/** Undefined when there is nobody of that id, or nobody any more. */
async function lockReader(trx: Transaction<Database>, publicId: string) {
  const reader = await trx
    .selectFrom('subscriber')
    .select(['id', 'address'])
    .where('public_id', '=', publicId)
    .forUpdate()
    .executeTakeFirst()
  return reader?.address ? { id: reader.id, address: reader.address } : undefined
}
