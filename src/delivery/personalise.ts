import { type CutEdition, fillEdition } from '../issue/edition.ts'
import type { Mail } from '../mail/email.ts'
import { listHeaders } from '../mail/list-headers.ts'
import type { WireFacts } from '../mail/wire.ts'
import { type SigningKey, signToken } from '../subscriber/token.ts'

/** The reader that test mails are made for: its links work, and do nothing. */
export const testReader = '00000000-0000-0000-0000-000000000000'

/** A reader as a mail sees them. */
export type Addressee = { readonly publicId: string; readonly address: string }

export type MailDeps = {
  readonly wire: WireFacts
  readonly listId: string
  readonly key: SigningKey
}

/** The same edition with one reader's own links, headers and tags. The same arguments make the same bytes. */
export function personalise(
  { wire, listId, key }: MailDeps,
  cut: CutEdition,
  reader: Addressee,
  tags: { readonly week: string; readonly batchId: string },
): Mail {
  const unsubscribe = `${wire.publicUrl}/unsubscribe/${signToken(key, 'unsubscribe', reader.publicId)}`
  const preferences = `${wire.publicUrl}/preferences/${signToken(key, 'preferences', reader.publicId)}`
  const webVersion = `${wire.publicUrl}/issues/${tags.week}`
  return {
    id: `${tags.week}.${reader.publicId}`,
    from: wire.from,
    ...(wire.replyTo && { replyTo: wire.replyTo }),
    to: reader.address,
    subject: cut.subject,
    ...fillEdition(cut, { unsubscribe, preferences, webVersion }),
    headers: listHeaders({ unsubscribeUrl: unsubscribe, listId }),
    tags: { issue: tags.week, batch: tags.batchId, delivery: reader.publicId },
  }
}
