import type { FeedbackState, LetterKind } from '../../../db/schema.ts'
import type { DeliveryLine } from '../../delivery/deliveries-of.ts'
import type { LetterLine } from '../../subscriber/letters-of.ts'
import { shortTime } from './when.ts'

/** What we did with an issue for a reader. */
export function sentWords({ state, reason, acceptedAt, issueState }: DeliveryLine, zone: string): string {
  switch (state) {
    case 'planned':
      return `Not sent yet${issueState === 'cancelled' ? ', and never: the issue was cancelled' : ''}`
    case 'attempting':
      return 'Being sent now'
    case 'accepted':
      return `Sent${acceptedAt ? ` ${shortTime(acceptedAt, zone)}` : ''}`
    case 'excluded':
      return `Left out: ${reason ?? 'nobody was left in its batch'}`
    case 'rejected':
      return `Refused by the provider: ${reason}`
    case 'unknown':
      return `Nobody knows yet whether it was sent: ${reason}`
    case 'quarantined':
      return `In doubt: ${reason}`
  }
}

/** What became of a letter on our side. */
export function letterFate(letter: LetterLine, zone: string): string {
  if (letter.sent_at) return `Sent ${shortTime(letter.sent_at, zone)}`
  if (letter.given_up_at) return `Not sent: ${letter.reason}`
  return letter.attempts > 0
    ? `Not sent yet, tried ${letter.attempts}×: ${letter.reason}`
    : 'Waits to be sent'
}

export const letterWords: Record<LetterKind, string> = {
  confirm: 'Confirm your address',
  welcome: 'You are on the list',
  'confirm new address': 'Confirm your new address',
  'address changed': 'Your issues go to another address',
  resumed: 'Your pause is over',
  follow: 'Whether to follow something',
}

/** What came back about a mail; empty before anything did. */
export function feedbackWords(
  state: FeedbackState | null,
  at: Temporal.Instant | null,
  softAt: Temporal.Instant | null,
  zone: string,
): string {
  if (!state || !at) return ''
  const before =
    softAt && state !== 'bounced soft' ? `; it had bounced softly ${shortTime(softAt, zone)}` : ''
  return `${came[state]} ${shortTime(at, zone)}${before}`
}

const came: Record<FeedbackState, string> = {
  delayed: 'Delayed: the provider keeps trying, since',
  delivered: 'Delivered',
  failed: 'The provider could not send it',
  suppressed: 'Not delivered: on the provider’s own list',
  'bounced soft': 'Bounced softly',
  'bounced hard': 'Bounced for good',
  complained: 'Reported as spam',
}
