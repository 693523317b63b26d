import type { Reach } from '../../delivery/aftermath.ts'
import type { EditorAction, EditorChoice } from '../../delivery/choices-of-editor.ts'
import type { Issue } from '../../issue/issue.ts'
import { grouped } from './when.ts'

/** What is on the button. */
export function labelOf(action: EditorAction, state: Issue['state']): string {
  switch (action) {
    case 'draft':
      return state === 'scheduled' ? 'Draft it now' : 'Draft it again'
    case 'approve':
      return 'Approve this edition'
    case 'hold':
      return state === 'sending' ? 'Pause sending' : 'Hold it back'
    case 'release':
      return state === 'paused' ? 'Go on sending' : 'Let it go out'
    case 'send now':
      return 'Send it now'
    case 'cancel':
      return state === 'sending' || state === 'paused' ? 'Cancel the rest' : 'Cancel this issue'
    case 'change time':
      return 'Change its time'
    case 'test send':
      return 'Send a test'
    case 'retry failed':
      return 'Try the refused again'
    case 'resolve doubts':
      return 'Decide what is in doubt'
  }
}

/** What words about a decision rest on: how many readers are on the list, how far sending has come, what was refused. */
export type Facts = { readonly readers: string; readonly reach: Reach; readonly refused: number }

/** What comes of it and cannot be taken back, for the page that asks twice. */
export function consequence({ action }: EditorChoice, issue: Issue, facts: Facts): string {
  const { week, state } = issue
  switch (action) {
    case 'send now':
      return `${week} leaves at once, to ${facts.readers}. A mail that has left cannot be called back.`
    case 'approve':
      return `The time of ${week} has come, so it leaves as soon as it is approved, to ${facts.readers}. A mail that has left cannot be called back.`
    case 'release':
      return state === 'paused'
        ? `${week} goes on where it stopped. First see to what stopped it; a mail that has left cannot be called back.`
        : `The time of ${week} has come, so it leaves as soon as it is let go, to ${facts.readers}. A mail that has left cannot be called back.`
    case 'cancel':
      return issue.planned_at === null
        ? `Nothing of ${week} is sent, ever. Its comparisons are free for the next issue.`
        : `Nothing more of ${week} is sent, and it cannot be taken up again. ${reachWords(facts.reach)}`
    case 'retry failed':
      return `${readers(facts.refused)} ${facts.refused === 1 ? 'was' : 'were'} refused ${week}. A refusal is certain, so nobody gets two: each is tried once more, under a new key, and who has left since is left out. Nobody else is touched.`
    default:
      return 'This can be undone.'
  }
}

/** What was done, said on the next page. */
export function doneWords(action: EditorAction, week: string, state: Issue['state']): string {
  switch (action) {
    case 'draft':
      return state === 'quiet' ? `${week} was drafted: a quiet week.` : `${week} was drafted.`
    case 'approve':
      return `${week} is approved, with the edition that you saw.`
    case 'hold':
      return state === 'paused'
        ? `${week} is paused: calls in flight end, nothing new leaves.`
        : `${week} is held back.`
    case 'release':
      return state === 'sending' ? `${week} goes on.` : `${week} is free to go out again.`
    case 'send now':
      return `${week} is on its way.`
    case 'cancel':
      return `${week} is cancelled.`
    default:
      return `${week} is ${state}.`
  }
}

function reachWords({ have, unsure, waiting, planned }: Reach): string {
  const inDoubt =
    unsure > 0 ? ` Of ${grouped(unsure)} it is not known yet: their calls are under way, or in doubt.` : ''
  return (
    `${grouped(have)} of ${readers(planned)} ${have === 1 ? 'has' : 'have'} it and ${have === 1 ? 'keeps' : 'keep'} it; ` +
    `${grouped(waiting)} will never get it.${inDoubt}`
  )
}

function readers(count: number): string {
  return `${grouped(count)} ${count === 1 ? 'reader' : 'readers'}`
}
