import { mayChangeTime } from '../issue/change-time.ts'
import type { Issue } from '../issue/issue.ts'
import type { SendRules } from './send.ts'

/** What an editor can do to an issue. */
export type EditorAction =
  | 'draft'
  | 'approve'
  | 'hold'
  | 'release'
  | 'send now'
  | 'cancel'
  | 'change time'
  | 'test send'
  | 'retry failed'
  | 'resolve doubts'

/** One of them; `isFinal` when what follows cannot be taken back, so that it is asked twice. */
export type EditorChoice = { readonly action: EditorAction; readonly isFinal: boolean }

/** What can be done to an issue now, the one thing that is usually next first; `next` is undefined when nothing needs doing. */
export type EditorChoices = {
  readonly next: EditorChoice | undefined
  readonly others: readonly EditorChoice[]
}

/** What sending left behind: mails that were refused, and batches of which nobody knows whether they were sent. */
export type Aftermath = { readonly refused: number; readonly inDoubt: number }

type Subject = Pick<Issue, 'state' | 'edition_hash' | 'approved_hash' | 'due_at' | 'planned_at'>

/** The choices in an issue's state, by the clock and the rule for sending. */
export function choicesOfEditor(
  issue: Subject,
  now: Temporal.Instant,
  rules: SendRules,
  { refused, inDoubt }: Aftermath = { refused: 0, inDoubt: 0 },
): EditorChoices {
  const isDue = Temporal.Instant.compare(issue.due_at, now) <= 0
  const isApproved = issue.approved_hash !== null && issue.approved_hash === issue.edition_hash
  const maySend = isApproved || rules.policy === 'auto'
  const choice = (action: EditorAction, isFinal = false): EditorChoice => ({ action, isFinal })
  const cancel = choice('cancel', true)
  const resolve = inDoubt > 0 ? [choice('resolve doubts')] : []
  const retry = refused > 0 ? [choice('retry failed', true)] : []
  const time = mayChangeTime(issue) ? [choice('change time')] : []
  const before = issue.edition_hash === null ? time : [choice('test send'), ...time]
  switch (issue.state) {
    case 'scheduled':
      return { next: undefined, others: [choice('draft'), ...before, cancel] }
    case 'quiet':
      return { next: undefined, others: [choice('draft'), ...before] }
    case 'draft':
      return {
        next: choice('approve', isDue),
        others: [choice('hold'), choice('draft'), ...before, cancel],
      }
    case 'approved':
      return { next: undefined, others: [choice('hold'), choice('send now', true), ...before, cancel] }
    case 'held':
      return { next: choice('release', isDue && maySend), others: [...before, cancel] }
    case 'missed':
      return { next: whenMissed(), others: [...before, cancel] }
    case 'sending':
      return { next: undefined, others: [choice('hold'), ...resolve, cancel] }
    case 'paused':
      return { next: choice('release', true), others: [...resolve, cancel] }
    case 'partly sent':
      return firstOf([...resolve, ...retry])
    case 'cancelled':
      return firstOf(resolve)
    case 'sent':
      return { next: undefined, others: [] }
  }

  function whenMissed(): EditorChoice | undefined {
    if (issue.edition_hash === null) return undefined
    return maySend ? choice('send now', true) : choice('approve')
  }
}

function firstOf([next, ...others]: readonly EditorChoice[]): EditorChoices {
  return { next, others }
}
