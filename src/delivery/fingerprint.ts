import { createHash } from 'node:crypto'
import type { WireFacts } from '../mail/wire.ts'

/** Bumped whenever the same edition and readers would make other bytes: headers, tags, link format. */
export const wireFormat = 1

/**
 * SHA-256 over everything that determines a call's bytes: wire format, edition, key, sender, and the readers in order.
 * A retry that cannot reproduce it is not a retry (RELIABILITY, decision 3).
 */
export function fingerprintOf(
  wire: WireFacts,
  batch: { readonly edition_hash: string; readonly key_id: string },
  members: readonly { readonly publicId: string; readonly address: string }[],
): string {
  const readers = members.map((member) => [member.publicId, member.address])
  const { from, replyTo = null, publicUrl } = wire
  return createHash('sha256')
    .update(JSON.stringify([wireFormat, batch.edition_hash, batch.key_id, from, replyTo, publicUrl, readers]))
    .digest('hex')
}
