import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Mail, SendOutcome, Transport } from '../mail/email.ts'
import { openPacer } from '../mail/pace.ts'

type Deps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly log: Log
  readonly transport: Transport
}

const mostAttempts = 3

/** Sends one mail to an editor at once, in its turn with all others, and tries again where nothing was taken. `about` is what the log says: never an address. */
export async function postNow(
  deps: Deps,
  mail: Mail,
  key: string,
  about: { readonly words: string; readonly facts: object },
): Promise<SendOutcome['kind']> {
  const pacer = openPacer(deps)
  for (let attempt = 1; ; attempt += 1) {
    const turn = await pacer.turn()
    await turn()
    const outcome = await deps.transport.send([mail], key)
    await pacer.heard(outcome)
    const reason = outcome.kind === 'accepted' ? undefined : outcome.reason
    deps.log.info({ ...about.facts, attempt, outcome: outcome.kind, reason }, about.words)
    if (outcome.kind !== 'retry' || attempt === mostAttempts) return outcome.kind
  }
}
