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
      return 'Decide: send it all the same, or cancel it, which frees its comparisons for the next one. Or give it another time.'
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

function sentence(reason: string | null): string {
  if (!reason) return ''
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`
}
