import type { EditorAction, EditorChoice } from '../../delivery/choices-of-editor.ts'
import type { SendRules } from '../../delivery/send.ts'
import type { Issue } from '../../issue/issue.ts'
import { dayAndTime, fromNow } from './when.ts'

type Said = Pick<
  Issue,
  'state' | 'reason' | 'timezone' | 'draft_at' | 'due_at' | 'approved_by' | 'finished_at'
>

/** Where an issue stands, in one or two sentences. A time to come is said without how long it is until then: see `countdown`. */
export function standing(issue: Said, now: Temporal.Instant, rules: SendRules): string {
  const isDue = Temporal.Instant.compare(issue.due_at, now) <= 0
  const due = isDue
    ? `${dayAndTime(issue.due_at, issue.timezone)}, ${fromNow(issue.due_at, now)}`
    : dayAndTime(issue.due_at, issue.timezone)
  switch (issue.state) {
    case 'scheduled':
      return `Is drafted ${dayAndTime(issue.draft_at, issue.timezone)}, and goes out ${due}.`
    case 'draft':
      if (rules.policy === 'approve')
        return `Waits for your approval. Without it nothing goes out; due ${due}.`
      return isDue
        ? `Was due ${due}. Goes out with the next minute, unless somebody holds it.`
        : `Goes out ${due}, as it is, unless somebody holds it.`
    case 'approved':
      return `Approved by ${issue.approved_by}. ${isDue ? `Was due ${due}; goes out with the next minute.` : `Goes out ${due}.`}`
    case 'held':
      return `${sentence(issue.reason)} It stays here until somebody lets it go; due ${due}.`
    case 'quiet':
      return `A quiet week: ${issue.reason}. Nothing is sent.`
    case 'missed':
      return `Missed its time: ${issue.reason}. Nothing goes out until somebody decides; due ${due}.`
    case 'sending':
      return 'Is going out now.'
    case 'paused':
      return `Stopped on its way: ${issue.reason}. Nothing more goes out until somebody lets it go on.`
    case 'sent':
      return `Sent. It was due ${due}.`
    case 'partly sent':
      return `Sent, but not to everybody: some mail was refused, or nobody knows whether it arrived. It was due ${due}.`
    case 'cancelled':
      return `${sentence(issue.reason)} Nothing (more) of it is sent.`
  }
}

/** The one next thing to do, in words; where that is nothing, why. */
export function nextWords(issue: Said, now: Temporal.Instant, rules: SendRules, waiting: number): string {
  const isDue = Temporal.Instant.compare(issue.due_at, now) <= 0
  switch (issue.state) {
    case 'scheduled':
      return waiting === 0
        ? 'Publish comparisons: a week without any has no issue.'
        : 'Nothing. It is drafted by itself, and you are free to draft it earlier.'
    case 'draft':
      if (isDue) return 'Read it and approve it, or hold it back: its time has come.'
      return rules.policy === 'approve'
        ? 'Read it, then approve it.'
        : 'Read it. Approve it, or hold it back if something is wrong.'
    case 'approved':
      return isDue ? 'Nothing. It leaves within a minute.' : 'Nothing. It goes out by itself.'
    case 'held':
      return 'Mend what it is held for. Then let it go out.'
    case 'quiet':
      return waiting === 0
        ? 'Nothing. What is published from now on goes into the next issue.'
        : 'Draft it again if what is waiting by now should go out this week.'
    case 'missed':
      return 'Decide: send it all the same, or cancel it, which frees its comparisons for the next one.'
    case 'sending':
      return 'Nothing. Watch it go; you can pause it at any time.'
    case 'paused':
      return 'See to what stopped it. Then let it go on.'
    case 'sent':
    case 'partly sent':
    case 'cancelled':
      return 'Nothing. It is over.'
  }
}

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
      return 'Cancel this issue'
  }
}

/** What comes of it and cannot be taken back, for the page that asks twice. */
export function consequence(
  { action }: EditorChoice,
  { week, state, planned_at }: Issue,
  readers: string,
): string {
  switch (action) {
    case 'send now':
      return `${week} leaves at once, to ${readers}. A mail that has left cannot be called back.`
    case 'approve':
      return `The time of ${week} has come, so it leaves as soon as it is approved, to ${readers}. A mail that has left cannot be called back.`
    case 'release':
      return state === 'paused'
        ? `${week} goes on where it stopped. First see to what stopped it; a mail that has left cannot be called back.`
        : `The time of ${week} has come, so it leaves as soon as it is let go, to ${readers}. A mail that has left cannot be called back.`
    case 'cancel':
      return planned_at === null
        ? `Nothing of ${week} is sent, ever. Its comparisons are free for the next issue.`
        : `Nothing more of ${week} is sent. Whoever has it keeps it; the rest never get it.`
    case 'draft':
    case 'hold':
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
  }
}

function sentence(reason: string | null): string {
  if (!reason) return ''
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`
}
