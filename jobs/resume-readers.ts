import type { Kysely, Transaction } from 'kysely'
import type { Database } from '../db/schema.ts'
import type { Clock } from '../src/clock.ts'
import type { Log } from '../src/log.ts'
import { recordConsent } from '../src/subscriber/consent.ts'
import { postLetter } from '../src/subscriber/letter.ts'
import type { SigningKey } from '../src/subscriber/token.ts'

export type ResumeDeps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly keys: readonly SigningKey[]
  readonly log: Log
}

const atOnce = 100

/** Readers whose pause is over are on the list again, and told so. Returns how many; any number of processes may do it. */
export async function resumeReaders(deps: ResumeDeps): Promise<number> {
  let resumed = 0
  for (;;) {
    const some = await deps.db.transaction().execute((trx) => resumeSome(trx, deps))
    resumed += some
    if (some < atOnce) break
  }
  if (resumed > 0) deps.log.info({ readers: resumed }, 'pauses over')
  return resumed
}

async function resumeSome(trx: Transaction<Database>, { clock, keys }: ResumeDeps): Promise<number> {
  const at = clock()
  const readers = await trx
    .selectFrom('subscriber')
    .select('id')
    .where('status', '=', 'paused')
    .where('paused_until', '<=', at)
    .orderBy('paused_until')
    .orderBy('id')
    .limit(atOnce)
    .forUpdate()
    .skipLocked()
    .execute()
  for (const { id } of readers) {
    await trx
      .updateTable('subscriber')
      .set({ status: 'confirmed', paused_until: null })
      .where('id', '=', id)
      .execute()
    await recordConsent(trx, { subscriberId: id, kind: 'resumed', at, method: 'schedule' })
    await postLetter(trx, { clock, keys }, { subscriberId: id, kind: 'resumed' })
  }
  return readers.length
}
