import { type CutEdition, fillEdition } from '../issue/edition.ts'
import type { Mail } from '../mail/email.ts'
import { listHeaders } from '../mail/list-headers.ts'
import type { WireFacts } from '../mail/wire.ts'
import { type SigningKey, signTokens } from '../subscriber/token.ts'

/** The reader that test mails are made for: its links work, and do nothing. */
export const testReader = '00000000-0000-0000-0000-000000000000'

/** A reader as a mail sees them. */
export type Addressee = { readonly publicId: string; readonly address: string }

/** Everything in a mail that is one reader's own, or one batch's. */
export type Personal = Addressee & {
  readonly batchId: string
  readonly unsubscribe: string
  readonly preferences: string
  readonly vote: string
}

export type MailDeps = {
  readonly wire: WireFacts
  readonly listId: string
}

/** The same edition with one reader's own links, headers and tags. The same arguments make the same bytes. */
export function personalise(
  deps: MailDeps & { readonly key: SigningKey },
  cut: CutEdition,
  reader: Addressee,
  { week, batchId }: { readonly week: string; readonly batchId: string },
): Mail {
  return setPersonal(deps, cut, week, personalOf(deps.key, reader, { week, batchId }))
}

/** What a reader's mail needs of its own: three tokens, made with the key whose id is in them. */
export function personalOf(
  key: SigningKey,
  { publicId, address }: Addressee,
  { week, batchId }: { readonly week: string; readonly batchId: string },
): Personal {
  const purposes = ['unsubscribe', 'preferences', `vote ${week}`] as const
  const [unsubscribe = '', preferences = '', vote = ''] = signTokens(key, publicId, purposes)
  return { publicId, address, batchId, unsubscribe, preferences, vote }
}

/** An edition with these personal parts, whatever they are: one reader's, or the marks of a merge. */
export function setPersonal(
  { wire, listId }: MailDeps,
  cut: CutEdition,
  week: string,
  personal: Personal,
): Mail {
  const unsubscribe = `${wire.publicUrl}/unsubscribe/${personal.unsubscribe}`
  const preferences = `${wire.publicUrl}/preferences/${personal.preferences}`
  const webVersion = `${wire.publicUrl}/issues/${week}`
  const vote = `${wire.publicUrl}/vote/${personal.vote}`
  return {
    id: `${week}.${personal.publicId}`,
    from: wire.from,
    ...(wire.replyTo && { replyTo: wire.replyTo }),
    to: personal.address,
    subject: cut.subject,
    ...fillEdition(cut, { unsubscribe, preferences, webVersion, vote }),
    headers: listHeaders({ unsubscribeUrl: unsubscribe, listId }),
    tags: { issue: week, batch: personal.batchId, delivery: personal.publicId },
  }
}
