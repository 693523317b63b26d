import type { ReaderAction } from '../../delivery/decide-reader.ts'
import type { Reader } from '../../subscriber/find.ts'
import type { Bar } from '../../subscriber/suppressed.ts'

export const readerActions = [
  'resend confirmation',
  'end pause',
  'unsubscribe',
  'suppress',
  'lift suppression',
  'erase',
] as const satisfies readonly ReaderAction[]

/** What can be done about a reader, the first as the page's one button where something waits to be done. */
export function readerChoices(reader: Reader, bar: Bar | undefined) {
  const path = `/desk/readers/${reader.public_id}/decide`
  return actionsFor(reader, bar).map((action) => ({
    ...{ action, path, label: labels[action], isFinal: isFinal(action) },
    ask: `${path}?action=${encodeURIComponent(action)}`,
    look: looks[action],
  }))
}

/** What may be decided about a reader as they stand. */
export function actionsFor(
  { status }: Pick<Reader, 'status'>,
  bar: Pick<Bar, 'reason'> | undefined,
): readonly ReaderAction[] {
  if (status === 'erased') return []
  const onList = status !== 'unsubscribed'
  return [
    ...(status === 'pending' && !bar ? (['resend confirmation'] as const) : []),
    ...(status === 'paused' ? (['end pause'] as const) : []),
    ...(onList ? (['unsubscribe'] as const) : []),
    ...(bar ? (['lift suppression'] as const) : (['suppress'] as const)),
    'erase',
  ]
}

/** Whether it is asked twice: all that an editor cannot simply undo. */
export function isFinal(action: ReaderAction): boolean {
  return action !== 'resend confirmation' && action !== 'end pause'
}

export const labels: Record<ReaderAction, string> = {
  'resend confirmation': 'Send the confirmation again',
  'end pause': 'End the pause now',
  unsubscribe: 'Take them off the list',
  suppress: 'Never mail this address',
  'lift suppression': 'Mail this address again',
  erase: 'Erase this reader',
}

const looks: Record<ReaderAction, string> = {
  'resend confirmation': 'button',
  'end pause': 'button quiet',
  unsubscribe: 'button quiet',
  suppress: 'button quiet',
  'lift suppression': 'button quiet',
  erase: 'tap',
}

/** What comes of it, for the page that asks twice. */
export function consequenceFor(action: ReaderAction, { status }: Reader, bar: Bar | undefined): string {
  switch (action) {
    case 'unsubscribe':
      return status === 'pending'
        ? 'The links in their confirmation letters stop working. They can sign up again themselves.'
        : 'They get no further issue, nor the rest of one that is going out. You cannot put them back: only they can, by signing up again.'
    case 'suppress':
      return 'Nothing is sent to this address any more, whatever list it is on: no issue, no letter, and a new sign-up is ignored. They stay on the list as they are; if they asked to leave, take them off the list instead. You can lift it again.'
    case 'lift suppression':
      return liftConsequence(status, bar)
    case 'erase':
      return 'Their address goes from every table, with what they follow, what they told us, and what the provider reported. It cannot be undone, by you or by us. What was sent stays counted under a number, the consent record stays without a name, and a keyed hash of the address stays so that no import brings them back.'
    case 'resend confirmation':
    case 'end pause':
      return ''
  }
}

function liftConsequence(status: Reader['status'], bar: Bar | undefined): string {
  const then =
    status === 'unsubscribed'
      ? 'They left the list, and stay off it until they sign up again.'
      : 'They get mail again, from the next issue on.'
  switch (bar?.reason) {
    case 'complained':
      return `They reported a mail of ours as spam. One more report weighs on everybody’s mail, so lift this only if they asked for it themselves. ${then}`
    case 'bounced':
      return `Their mailbox refused our mail for good. If it does so again, the address is suppressed again, and the bounce counts against the sender. ${then}`
    default:
      return then
  }
}
