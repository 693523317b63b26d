import { sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { lastWish } from './follow-wish.ts'
import { postLetter } from './letter.ts'
import { proofLife } from './sign-up.ts'
import { openGate, type Passage, type SignUpLimits, signUpLimits, turnstile } from './sign-up-limits.ts'
import { suppressedAmong } from './suppressed.ts'
import type { SigningKey } from './token.ts'

type Deps = { readonly clock: Clock; readonly keys: readonly SigningKey[]; readonly limits?: SignUpLimits }

/** What asking for another confirmation letter comes to; only `posted` leads to a mail. */
export type Reminded = 'posted' | 'not pending' | 'suppressed' | Exclude<Passage, 'passed'>

/**
 * Posts another confirmation letter to a reader who has not confirmed. It counts like one that a form asked for: nobody
 * gets more of them because an editor is impatient. The links in earlier letters stay good as long as they were,
 * and what the last of them would follow this one follows, too.
 */
export async function resendConfirmation(
  trx: Transaction<Database>,
  { clock, keys, limits = signUpLimits }: Deps,
  publicId: string,
): Promise<Reminded> {
  const [key] = keys
  if (!key) throw new Error('There is no signing key')
  await sql`select pg_advisory_xact_lock(${turnstile})`.execute(trx)
  const reader = await trx
    .selectFrom('subscriber')
    .select(['id', 'address', 'status'])
    .where('public_id', '=', publicId)
    .forNoKeyUpdate()
    .executeTakeFirst()
  if (!reader?.address || reader.status !== 'pending') return 'not pending'
  if ((await suppressedAmong(trx, keys, [reader.address])).has(reader.address)) return 'suppressed'

  const gate = await openGate(trx, clock, key, limits)
  const passage = await gate.pass(reader.address, null)
  if (passage !== 'passed') return passage
  const proof = { purpose: 'confirm', lifetime: proofLife } as const
  const wish = await lastWish(trx, reader.id)
  await postLetter(trx, { clock, keys }, { subscriberId: reader.id, kind: 'confirm', wish, proof })
  return 'posted'
}
