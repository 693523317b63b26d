import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { type Edition, freezeEdition } from '../issue/edition.ts'

/** The stored edition. Throws when its bytes are not those of its hash: such an edition is never sent. */
export async function loadEdition(db: Kysely<Database>, hash: string): Promise<Edition> {
  const row = await db
    .selectFrom('edition')
    .select(['subject', 'preheader', 'html', 'text'])
    .where('hash', '=', hash)
    .executeTakeFirstOrThrow()
  const edition = freezeEdition(row)
  if (edition.hash !== hash) throw new Error(`Edition ${hash} does not match its hash`)
  return edition
}
