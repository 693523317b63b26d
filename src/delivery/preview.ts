import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { cutEdition } from '../issue/edition.ts'
import { type Finding, preflight } from '../issue/preflight.ts'
import { parseAddress } from '../subscriber/address.ts'
import type { SigningKey } from '../subscriber/token.ts'
import type { WireFacts } from './fingerprint.ts'
import { personalise } from './personalise.ts'
import { loadEdition } from './send.ts'
import { testReader } from './test-send.ts'

type Deps = {
  readonly db: Kysely<Database>
  readonly wire: WireFacts
  readonly listId: string
  readonly keys: readonly SigningKey[]
}

/** An issue exactly as one reader gets it, and what there is to say about it. Sizes are UTF-8 bytes. */
export type Preview = {
  readonly week: string
  readonly hash: string
  readonly subject: string
  readonly preheader: string
  readonly html: string
  readonly text: string
  readonly headers: Readonly<Record<string, string>>
  readonly sizes: { readonly html: number; readonly text: number }
  readonly preflight: readonly Finding[]
}

/** The stored edition with one reader's links filled in, by the code that sends it. Undefined when `as` is no subscriber. */
export async function previewEdition(
  deps: Deps,
  { week, editionHash }: { week: string; editionHash: string },
  as?: string,
): Promise<Preview | undefined> {
  const [key] = deps.keys
  if (!key) throw new Error('There is no signing key')
  const reader =
    as === undefined ? { publicId: testReader, address: 'reader@example.com' } : await readerAt(deps.db, as)
  if (!reader) return undefined

  const edition = await loadEdition(deps.db, editionHash)
  const mail = personalise({ ...deps, key }, cutEdition(edition), reader, { week, batchId: 'preview' })
  return {
    ...{ week, hash: edition.hash, subject: mail.subject, preheader: edition.preheader },
    ...{ html: mail.html, text: mail.text, headers: mail.headers },
    sizes: { html: Buffer.byteLength(mail.html), text: Buffer.byteLength(mail.text) },
    preflight: preflight({ ...mail, preheader: edition.preheader }),
  }
}

async function readerAt(db: Kysely<Database>, input: string) {
  const parsed = parseAddress(input)
  if (!parsed.ok) return undefined
  const row = await db
    .selectFrom('subscriber')
    .select('public_id')
    .where('address', '=', parsed.address)
    .executeTakeFirst()
  return row && { publicId: row.public_id, address: parsed.address }
}
