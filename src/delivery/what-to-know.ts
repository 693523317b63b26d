import type { Doubt } from './doubt.ts'
import type { Verb } from './quarantine.ts'

/** Resend repeats a webhook for 27 h 35 m (RELIABILITY 1.6): until then, that nothing was heard proves nothing. */
const webhooksOver = Temporal.Duration.from('PT28H')

/** What somebody must know before a verb is carried out, because it may harm a reader; undefined when it cannot. */
export function whatToKnow(doubt: Doubt, verb: Verb, now: Temporal.Instant): string | undefined {
  switch (verb) {
    case 'confirm':
      return beforeConfirming(doubt)
    case 'resend':
      return beforeResending(doubt, now)
    case 'drop':
      return undefined
  }
}

function beforeConfirming({ provider, members }: Doubt): string | undefined {
  if (provider !== 'did not take it') return undefined
  return `Resend's own log has no call that took this batch: its ${readers(members.length)} would stay without the issue. Send it to them instead with resend.`
}

/** Only a log that reaches back far enough, and lacks the call, proves that sending again is no second mail. */
function beforeResending(doubt: Doubt, now: Temporal.Instant): string | undefined {
  const { members, provider } = doubt
  const known = members.filter(({ proof }) => proof !== null).length
  const rest = readers(members.length - known)
  if (known > 0)
    return (
      `${readers(known)} of ${members.length} certainly ${known === 1 ? 'has' : 'have'} this mail, and Resend takes a batch whole or not at all: ` +
      `the other ${rest} most likely have it too, and would get it twice.`
    )
  switch (provider) {
    case 'did not take it':
      return undefined
    case 'was not asked':
      return `Nobody knows whether ${rest} have this mail; whoever has it would get it twice. ${toLearnMore(doubt, now)}Resend's own log can tell: set RESEND_FULL_ACCESS_KEY and look again.`
    case 'took it':
    case 'cannot tell':
      return `Resend's log does not reach back far enough, or is too fresh, to tell whether ${rest} have this mail; whoever has it would get it twice. ${toLearnMore(doubt, now)}`.trim()
  }
}

function toLearnMore({ attempts }: Doubt, now: Temporal.Instant): string {
  const last = attempts.at(-1)?.started_at
  if (!last || Temporal.Instant.compare(last.add(webhooksOver), now) <= 0) return ''
  return `The last attempt is less than 28 hours ago, so that webhooks about it may still come. `
}

function readers(count: number): string {
  return count === 1 ? '1 reader' : `${count} readers`
}
