import { createHash, createHmac, randomUUID } from 'node:crypto'
import type { Kysely, Transaction } from 'kysely'
import type { Database, LetterKind } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { type KnownWish, wishColumns, wishIn } from './follow-wish.ts'
import type { SigningKey } from './token.ts'

type Deps = { readonly clock: Clock; readonly keys: readonly SigningKey[] }
type ProofPurpose = Database['proof']['purpose']

/** One mail to one reader outside the issues. */
export type NewLetter = {
  readonly subscriberId: number
  readonly kind: LetterKind
  /** Where it goes; left out, to the reader's address as it is when the letter is sent. */
  readonly toAddress?: string
  readonly notBefore?: Temporal.Instant
  /** What is followed once its link is pressed, or was pressed just now. */
  readonly wish?: KnownWish | undefined
  /** Asked for, the letter carries a link that proves that its mailbox was read. It expires with the letter. */
  readonly proof?: {
    readonly purpose: ProofPurpose
    readonly newAddress?: string
    readonly lifetime: Temporal.Duration
  }
}

/** What a proof that somebody brought stands for, used up and expired ones included. */
export type KnownProof = {
  readonly hash: string
  readonly subscriberId: number
  readonly newAddress: string | null
  /** What its letter said would be followed. */
  readonly wish: KnownWish | undefined
  readonly postedAt: Temporal.Instant
  readonly expiresAt: Temporal.Instant
  readonly usedAt: Temporal.Instant | null
}

/**
 * Puts a letter where `send-letters` finds it, in the transaction of what it tells. Returns its id. Of its proof only
 * the hash is stored (RELIABILITY S10).
 */
export async function postLetter(
  trx: Transaction<Database>,
  { clock, keys: [key] }: Deps,
  { subscriberId, kind, toAddress, notBefore, wish, proof }: NewLetter,
): Promise<string> {
  if (!key) throw new Error('There is no signing key')
  const [id, now] = [randomUUID(), clock()]
  const expiresAt = proof && now.add(proof.lifetime)
  await trx
    .insertInto('letter')
    .values({
      ...{ id, subscriber_id: subscriberId, kind, to_address: toAddress ?? null, key_id: key.id },
      ...{ created_at: now, not_before: notBefore ?? now, expires_at: expiresAt ?? null },
      ...wishColumns(wish),
    })
    .execute()
  if (!proof || !expiresAt) return id

  await trx
    .insertInto('proof')
    .values({
      ...{ token_hash: hashOf(proofToken(key, id)), letter_id: id, subscriber_id: subscriberId },
      ...{ purpose: proof.purpose, new_address: proof.newAddress ?? null, expires_at: expiresAt },
    })
    .execute()
  return id
}

/** The proof in a letter, 32 bytes as base64url: the same on every attempt, and not to be made from a database dump. */
export function proofToken(key: SigningKey, letterId: string): string {
  return createHmac('sha256', key.secret).update(`proof\n${letterId}`).digest('base64url')
}

/** What a proof stands for; undefined when we never gave it out, or for no such purpose. */
export async function readProof(
  db: Kysely<Database>,
  purpose: ProofPurpose | readonly ProofPurpose[],
  token: string,
): Promise<KnownProof | undefined> {
  if (!/^[\w-]{43}$/.test(token)) return undefined
  const row = await db
    .selectFrom('proof as p')
    .innerJoin('letter as l', 'l.id', 'p.letter_id')
    .select(['p.token_hash as hash', 'p.subscriber_id as subscriberId', 'p.new_address as newAddress'])
    .select(['l.created_at as postedAt', 'p.expires_at as expiresAt', 'p.used_at as usedAt'])
    .select(['l.follow_tool', 'l.follow_category', 'l.follow_name', 'l.follow_cadence'])
    .where('p.token_hash', '=', hashOf(token))
    .where('p.purpose', 'in', [purpose].flat())
    .executeTakeFirst()
  return row && { ...row, wish: wishIn(row) }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}
