import { type Added, putOnList } from '../subscriber/subscriber.ts'
import { barredAmong } from '../subscriber/suppressed.ts'
import { type ReaderDeps, recordReaderDecision } from './decide-reader.ts'

/** What adding a reader came to, and who has that address now. */
export type AddedReader = {
  readonly outcome: Added | 'erased before'
  readonly publicId: string | undefined
}

/**
 * Puts a reader on the list who agreed elsewhere, in an editor's words, and records it. Whoever left, was erased, bounced
 * or complained is not brought back: only they themselves can do that.
 */
export async function addReader(
  { db, clock, keys }: ReaderDeps,
  { address, consent }: { readonly address: string; readonly consent: string },
  by: string,
): Promise<AddedReader> {
  return db.transaction().execute(async (trx) => {
    const barred = (await barredAmong(trx, keys, [address])).get(address)
    const outcome = barred
      ? barred === 'erased'
        ? 'erased before'
        : 'suppressed'
      : await putOnList(trx, clock, address, { method: 'editor', detail: consent })
    const reader = await trx
      .selectFrom('subscriber')
      .select('public_id')
      .where('address', '=', address)
      .executeTakeFirst()
    if (outcome === 'added' && reader)
      await recordReaderDecision(trx, clock, by, 'add reader', reader.public_id)
    return { outcome, publicId: reader?.public_id }
  })
}
