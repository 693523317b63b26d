import { randomUUID } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { cutEdition } from '../issue/edition.ts'
import type { SendOutcome, Transport } from '../mail/email.ts'
import type { WireFacts } from '../mail/wire.ts'
import type { SigningKey } from '../subscriber/token.ts'
import { personalise, testReader } from './personalise.ts'
import { loadEdition } from './send.ts'

type Deps = {
  readonly db: Kysely<Database>
  readonly transport: Transport
  readonly wire: WireFacts
  readonly listId: string
  readonly keys: readonly SigningKey[]
}

/** Sends one copy of an edition, marked [Test], through the real transport. It is no delivery and leaves the ledger alone. */
export async function sendTest(
  deps: Deps,
  { week, editionHash }: { week: string; editionHash: string },
  address: string,
): Promise<SendOutcome> {
  const [key] = deps.keys
  if (!key) throw new Error('There is no signing key')
  const cut = cutEdition(await loadEdition(deps.db, editionHash))
  const batchId = randomUUID()
  const mail = personalise({ ...deps, key }, cut, { publicId: testReader, address }, { week, batchId })
  const marked = { ...mail, id: `test.${week}.${batchId}`, subject: `[Test] ${mail.subject}` }
  return deps.transport.send([marked], `wv1/test/${batchId}/1`)
}
