import type { ReaderAction, ReaderRefusal } from '../../delivery/decide-reader.ts'
import type { AtProvider } from '../../delivery/lift-everywhere.ts'

/** What was done, said on the next page. */
export function doneWordsFor(action: ReaderAction): string {
  switch (action) {
    case 'resend confirmation':
      return 'Another confirmation letter is on its way. Its link works for 72 hours.'
    case 'end pause':
      return 'The pause is over. The next issue goes to them.'
    case 'unsubscribe':
      return 'They are off the list.'
    case 'suppress':
      return 'Nothing is sent to this address any more.'
    case 'lift suppression':
      return 'The address is suppressed no more.'
    case 'erase':
      return 'They are erased. Nothing here says any more whose this was.'
  }
}

/** Where else the address may be barred, after it is not with us any more. */
export const atProviderWords: Record<AtProvider, string> = {
  removed: 'It is off Resend’s list too.',
  'not there': 'It was not on Resend’s list.',
  'not asked':
    'Resend has a list of its own, which could not be asked from here (RESEND_FULL_ACCESS_KEY is not set): if the address is on it, take it off there too.',
}

/** Why nothing was changed. */
export function refusalWords(why: ReaderRefusal): string {
  return `${refusals[why]} Nothing was changed.`
}

const refusals: Record<ReaderRefusal, string> = {
  gone: 'There is no such reader any more: they were erased.',
  'left before': 'They had left the list already.',
  'not paused': 'They are not paused any more.',
  'not on the list': 'They are not on the list any more.',
  'not pending': 'They do not wait for a confirmation any more.',
  suppressed: 'Their address is suppressed: no letter is sent to it.',
  'suppressed before': 'The address was suppressed already.',
  'not suppressed': 'The address is not suppressed any more.',
  'they complained': 'They reported a mail as spam: that is lifted only if they asked for it themselves.',
  'another address': 'That is not this reader’s address.',
  'over the address limit':
    'They were sent a confirmation letter within ten minutes, or three within a day. More would look like an attack on their mailbox; try again later.',
  'over the network limit': 'Too many letters were asked for from one network. Try again in an hour.',
  'over the overall limit':
    'More confirmation letters were asked for in this hour than a newsletter of this size sends: somebody may be abusing the form. Try again in an hour.',
}
