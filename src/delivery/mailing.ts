import { randomUUID } from 'node:crypto'
import { type CutEdition, hasHole } from '../issue/edition.ts'
import type { SendOutcome, Transport } from '../mail/email.ts'
import type { SigningKey } from '../subscriber/token.ts'
import type { Claim } from './claim.ts'
import { type MailDeps, type Personal, personalOf, setPersonal } from './personalise.ts'

type Deps = MailDeps & { readonly transport: Transport; readonly key: SigningKey }

/** Sends a claim: its edition to its members. */
export type Mailing = (claim: Claim) => Promise<SendOutcome>

/**
 * Makes an edition ready to be sent to any number of readers. What all of them get is prepared here, once; where the
 * transport merges, a reader costs two tokens and a copy of bytes, and no mail is ever made for them alone.
 */
export function openMailing(deps: Deps, cut: CutEdition, week: string): Mailing {
  const personal = ({ members, batchId }: Claim) =>
    members.map((member) => personalOf(deps.key, member, { week, batchId }))
  if (!deps.transport.merge) {
    return (claim) => {
      const mails = personal(claim).map((reader) => setPersonal(deps, cut, week, reader))
      return deps.transport.send(mails, claim.idempotencyKey)
    }
  }
  const marks = marksFor()
  const values = valuesFor(cut)
  const merge = deps.transport.merge({ pattern: setPersonal(deps, cut, week, marks), marks: values(marks) })
  return (claim) => merge(personal(claim).map(values), claim.idempotencyKey)
}

/** Letters and digits that nobody could have written into an edition: they stand for a reader in the pattern. */
function marksFor(): Personal {
  const nonce = randomUUID().replaceAll('-', '')
  return {
    ...{ address: `to${nonce}`, publicId: `reader${nonce}`, batchId: `batch${nonce}` },
    ...{ unsubscribe: `leave${nonce}`, preferences: `choose${nonce}`, vote: `vote${nonce}` },
  }
}

/** What an edition has a place for: a merge refuses a value that would be lost. */
function valuesFor(cut: CutEdition): (personal: Personal) => readonly string[] {
  const [hasPreferences, hasVote] = [hasHole(cut, 'preferences'), hasHole(cut, 'vote')]
  return ({ address, publicId, batchId, unsubscribe, preferences, vote }) => [
    ...[address, publicId, batchId, unsubscribe],
    ...(hasPreferences ? [preferences] : []),
    ...(hasVote ? [vote] : []),
  ]
}
