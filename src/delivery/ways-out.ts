import type { Issue } from '../issue/issue.ts'
import type { Account } from './report.ts'

/** A command that moves an issue on, and what comes of it. */
export type WayOut = { readonly command: string; readonly does: string }

/** Every way out of the state that an issue is in; none where there is nothing left to decide. */
export function waysOut(
  { week, state, edition_hash }: Pick<Issue, 'week' | 'state' | 'edition_hash'>,
  { rejected, quarantined }: Pick<Account, 'rejected' | 'quarantined'>,
): readonly WayOut[] {
  const cancel = { command: `verdict cancel ${week}`, does: 'send nothing of it' }
  const sendEarly = { command: `verdict send ${week} --now`, does: 'send it now' }
  const hold = { command: `verdict hold ${week}`, does: 'keep it back' }
  const doubts = {
    command: `verdict quarantine list ${week}`,
    does: `decide about ${quarantined} of whom nobody knows whether they have it`,
  }
  const undecided = quarantined > 0 ? [doubts] : []
  switch (state) {
    case 'scheduled':
      return [{ command: `verdict draft --week ${week}`, does: 'draft it ahead of its time' }, cancel]
    case 'quiet':
      return [{ command: `verdict draft --week ${week}`, does: 'draft it with what was published since' }]
    case 'draft':
      return [
        { command: `verdict approve ${week}`, does: 'let it go out at its time as it is' },
        hold,
        cancel,
      ]
    case 'approved':
      return [sendEarly, hold, cancel]
    case 'held':
      return [{ command: `verdict release ${week}`, does: 'let it go out at its time' }, cancel]
    case 'missed':
      return edition_hash === null ? [cancel] : [{ ...sendEarly, does: 'send it all the same' }, cancel]
    case 'sending':
      return [
        { command: `verdict send ${week}`, does: 'go on here, if no worker runs' },
        { command: `verdict hold ${week}`, does: 'stop after the calls in flight' },
        { ...cancel, does: 'send nothing more of it' },
      ]
    case 'paused':
      return [
        { command: `verdict release ${week}`, does: 'go on where it stopped, once that is mended' },
        ...undecided,
        { ...cancel, does: 'send nothing more of it' },
      ]
    case 'partly sent': {
      const retry = {
        command: `verdict send ${week} --retry-failed`,
        does: `try the ${rejected} refused again`,
      }
      return [...(rejected > 0 ? [retry] : []), ...undecided]
    }
    case 'sent':
      return []
    case 'cancelled':
      return undecided
  }
}
