import type { Issue } from '../issue/issue.ts'
import type { SendRules } from './send.ts'

/** What an editor can do to an issue. */
export type EditorAction = 'draft' | 'approve' | 'hold' | 'release' | 'send now' | 'cancel'

/** One of them; `isFinal` when what follows cannot be taken back, so that it is asked twice. */
export type EditorChoice = { readonly action: EditorAction; readonly isFinal: boolean }

/** What can be done to an issue now, the one thing that is usually next first; `next` is undefined when nothing needs doing. */
export type EditorChoices = {
  readonly next: EditorChoice | undefined
  readonly others: readonly EditorChoice[]
}

type Subject = Pick<Issue, 'state' | 'edition_hash' | 'approved_hash' | 'due_at'>

/** The choices in an issue's state, by the clock and the rule for sending. */
export function choicesOfEditor(issue: Subject, now: Temporal.Instant, rules: SendRules): EditorChoices {
  const isDue = Temporal.Instant.compare(issue.due_at, now) <= 0
  const isApproved = issue.approved_hash !== null && issue.approved_hash === issue.edition_hash
  const leavesAtOnce = isDue && (isApproved || rules.policy === 'auto')
  const choice = (action: EditorAction, isFinal = false): EditorChoice => ({ action, isFinal })
  const cancel = choice('cancel', true)
  switch (issue.state) {
    case 'scheduled':
      return { next: undefined, others: [choice('draft'), cancel] }
    case 'quiet':
      return { next: undefined, others: [choice('draft')] }
    case 'draft':
      return { next: choice('approve', isDue), others: [choice('hold'), choice('draft'), cancel] }
    case 'approved':
      return { next: undefined, others: [choice('hold'), choice('send now', true), cancel] }
    case 'held':
      return { next: choice('release', leavesAtOnce), others: [cancel] }
    case 'missed':
      return whenMissed(issue, isApproved || rules.policy === 'auto')
    case 'sending':
      return { next: undefined, others: [choice('hold'), cancel] }
    case 'paused':
      return { next: choice('release', true), others: [cancel] }
    case 'sent':
    case 'partly sent':
    case 'cancelled':
      return { next: undefined, others: [] }
  }

  function whenMissed({ edition_hash }: Subject, maySend: boolean): EditorChoices {
    if (edition_hash === null) return { next: undefined, others: [cancel] }
    const send = choice('send now', true)
    return maySend ? { next: send, others: [cancel] } : { next: choice('approve'), others: [cancel] }
  }
}
