import { createHash } from 'node:crypto'
import { askProvider } from '../../delivery/ask-provider.ts'
import type { Doubt } from '../../delivery/doubt.ts'
import { openResendAccount } from '../../mail/resend-account.ts'
import { AccountUnreadable } from '../../mail/resend-ask.ts'
import type { DeskDeps } from './desk.ts'

/** A batch with all that could be learned of it, or why Resend did not tell. */
export type Weighed =
  | { readonly ok: true; readonly doubt: Doubt }
  | { readonly ok: false; readonly problem: string }

/** An editor waits for Resend's answer no longer than this. */
const patience = 20_000

/** Whether Resend's own log can be asked from here: the key that may read it is set. */
export function canAsk({ config }: Pick<DeskDeps, 'config'>): boolean {
  return config.resendFullAccessKey !== undefined && config.mail.transport === 'resend'
}

/** A doubt as the tables have it, and where that is wished, with what Resend says of it now. */
export async function weigh(
  { db, clock, config }: Pick<DeskDeps, 'db' | 'clock' | 'config'>,
  doubt: Doubt,
  isAsked: boolean,
): Promise<Weighed> {
  const fullAccessKey = config.resendFullAccessKey
  if (!isAsked || fullAccessKey === undefined) return { ok: true, doubt }
  const account = openResendAccount({ fullAccessKey, baseUrl: config.mail.resendBaseUrl })
  const asking = askProvider({ db, now: clock(), account }, doubt).then(
    (known): Weighed => ({ ok: true, doubt: known }),
    (error: unknown): Weighed => {
      if (error instanceof AccountUnreadable)
        return { ok: false, problem: `${error.message} Nothing was changed.` }
      throw error
    },
  )
  return inTime(asking)
}

/** Everything a decision rests on, in short: another evidence has another one. */
export function fingerprint({ state, generation, fence, provider, members, events }: Doubt): string {
  const proofs = members.map(({ subscriberId, proof, providerId }) => [subscriberId, proof, providerId])
  const evidence = JSON.stringify([state, generation, fence, provider, proofs, events])
  return createHash('sha256').update(evidence).digest('hex').slice(0, 32)
}

function inTime(asking: Promise<Weighed>): Promise<Weighed> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(noAnswer), patience)
    asking.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

const noAnswer: Weighed = {
  ok: false,
  problem:
    'Resend did not answer within twenty seconds. Nothing was changed: ask again, or decide by what is known here.',
}
