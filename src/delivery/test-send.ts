import { randomUUID } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { cutEdition, type Edition } from '../issue/edition.ts'
import type { Issue } from '../issue/issue.ts'
import { addLinks } from '../issue/links.ts'
import type { IssueSetting } from '../issue/render.ts'
import type { SendOutcome, Transport } from '../mail/email.ts'
import type { MailTemplates } from '../mail/mail-templates.ts'
import type { WireFacts } from '../mail/wire.ts'
import type { SigningKey } from '../subscriber/token.ts'
import { choiceOfFollower } from './choice.ts'
import { personalise, testReader } from './personalise.ts'
import { loadEdition } from './send.ts'
import { variantsOf } from './variant.ts'

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
  return sendCopy(deps, week, await loadEdition(deps.db, editionHash), address)
}

/** A way of reading that a test can be sent as. */
export type TestKind =
  | { readonly kind: 'weekly' }
  | { readonly kind: 'monthly' }
  /** Follows this category and nothing else. */
  | { readonly kind: 'follows'; readonly category: string }

/** What came of a test: what the transport said, or why such a reader would get nothing of the issue. */
export type Tested =
  | { readonly kind: 'sent'; readonly hash: string; readonly outcome: SendOutcome }
  | { readonly kind: 'nothing'; readonly reason: string }

/**
 * The same in the edition that a way of reading comes to, by the code that makes the readers' own. Answers in time: where
 * the transport is still busy by then, nobody knows yet whether it took the mail.
 */
export async function sendTestAs(
  deps: Deps & { readonly templates: MailTemplates; readonly setting: IssueSetting },
  issue: Issue,
  kind: TestKind,
  address: string,
  patience = Temporal.Duration.from({ seconds: 20 }),
): Promise<Tested> {
  const chosen = await editionFor(deps, issue, kind)
  if (chosen.kind === 'nothing') return chosen
  const sending = sendCopy(deps, issue.week, chosen.edition, address)
  return { kind: 'sent', hash: chosen.edition.hash, outcome: await inTime(sending, patience) }
}

async function editionFor(
  deps: Parameters<typeof sendTestAs>[0],
  issue: Issue,
  as: TestKind,
): Promise<{ kind: 'edition'; edition: Edition } | { kind: 'nothing'; reason: string }> {
  const { db } = deps
  if (issue.edition_hash === null) return { kind: 'nothing', reason: 'it has no edition' }
  const choice = as.kind === 'follows' ? await choiceOfFollower(db, issue.id, as.category) : as.kind
  const variant =
    choice === 'weekly' ? { kind: 'approved' as const } : await (await variantsOf(deps, issue))(choice)
  switch (variant.kind) {
    case 'nothing':
      return variant
    case 'approved':
      return { kind: 'edition', edition: await loadEdition(db, issue.edition_hash) }
    case 'variant':
      // A counted link leads nowhere until it is stored; planning would store these, too.
      await db.transaction().execute((trx) => addLinks(trx, issue.id, variant.links))
      return { kind: 'edition', edition: variant.edition }
  }
}

function inTime(sending: Promise<SendOutcome>, patience: Temporal.Duration): Promise<SendOutcome> {
  const seconds = patience.total('seconds')
  const reason = `there was no answer within ${seconds} seconds`
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve({ kind: 'unknown', reason }), seconds * 1000)
    sending.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

async function sendCopy(deps: Deps, week: string, edition: Edition, address: string): Promise<SendOutcome> {
  const [key] = deps.keys
  if (!key) throw new Error('There is no signing key')
  const cut = cutEdition(edition)
  const batchId = randomUUID()
  const mail = personalise({ ...deps, key }, cut, { publicId: testReader, address }, { week, batchId })
  const marked = { ...mail, id: `test.${week}.${batchId}`, subject: `[Test] ${mail.subject}` }
  return deps.transport.send([marked], `wv1/test/${batchId}/1`)
}
