import { occurrence } from '../../clock.ts'
import type { Foreseen } from '../../issue/foresee-retraction.ts'
import type { ListedComparison } from '../../issue/list-comparisons.ts'
import type { Use } from '../../issue/where-used.ts'
import { dayAndTime, fromNow, placeOf } from './when.ts'

/** Where a comparison stands, in a word or two; the issue's week is said beside it. */
export function stateWords({ state, issueState }: Pick<ListedComparison, 'state' | 'issueState'>): string {
  if (state !== 'in an issue') return state
  return isOut(issueState) ? 'sent' : 'in a draft'
}

/** The same in a sentence, with what comes next. */
export function standingOf(one: ListedComparison, now: Temporal.Instant, zone: string): string {
  const when = dayAndTime(one.publishedAt, zone)
  switch (one.state) {
    case 'waiting':
      return `Published ${when}. It waits for the next draft.`
    case 'scheduled':
      return `Comes out ${when}, ${fromNow(one.publishedAt, now)}. Until then nobody sees it, and no issue has it.`
    case 'in an issue':
      return isOut(one.issueState)
        ? `Published ${when}. It went out in ${one.week}, so it is in no other issue.`
        : `Published ${when}. It is in the draft of ${one.week}.`
    case 'archive':
      return `Published ${when}, before the first issue began: it is on the web, and in no issue.`
    case 'retracted':
      return 'Retracted: its page says so, and it is in no later issue.'
  }
}

/** A place where it is used, in words. */
export function useWords({ state, position, revision, counts, isOut: hasLeft, approvedBy }: Use): string {
  const what = `place ${position}, revision ${revision}`
  if (!counts) return `was ${what}; the issue was cancelled, so it is free for another`
  if (hasLeft) return `${what}; ${state}`
  return `${what}; ${approvedBy ? `approved by ${approvedBy}` : state}`
}

/** What an editor has to know because an issue has another revision than the newest; `week` is a draft that can be set anew. */
export type RevisionNote = { readonly words: string; readonly week: string; readonly label: string }

/** For a draft that has an older revision, or a comparison that it may not send; and for mail that was sent with an older one. */
export function revisionNotes(
  { revision, state, publishedAt }: ListedComparison,
  uses: readonly Use[],
  now: Temporal.Instant,
): readonly RevisionNote[] {
  const mayNotGo = state === 'retracted' || Temporal.Instant.compare(publishedAt, now) > 0
  return uses.flatMap((use): readonly RevisionNote[] => {
    if (!use.counts) return []
    if (use.isOut) return use.revision < revision ? [sentNote(use, revision)] : []
    if (mayNotGo) return [{ ...draftNote(use), words: `${use.week} still has it. ${anew(use)}` }]
    return use.revision < revision ? [draftNote(use)] : []
  })
}

function sentNote({ week, revision }: Use, newest: number): RevisionNote {
  const words = `Readers of ${week} have revision ${revision}, and keep it: a mail that has left stays as it is. The page on the web has revision ${newest}.`
  return { words, week: '', label: '' }
}

function draftNote(use: Use): RevisionNote {
  const { week, revision } = use
  return {
    words: `The draft of ${week} still has revision ${revision}: it keeps what it was set with until it is drafted or edited again. ${anew(use)}`,
    ...{ week, label: `Draft ${week} again with it as it is now` },
  }
}

function anew({ state, approvedBy }: Use): string {
  if (approvedBy) return `That takes away the approval of ${approvedBy}, unless the edition stays the same.`
  return state === 'held' ? 'It stays held.' : 'Nobody has approved it yet.'
}

/** What a retraction would change in the coming issue, a sentence each. */
export function retractionWords(
  { week, isDrafted, approvedBy, before, after }: Foreseen,
  title: string,
): readonly string[] {
  if (after.quiet !== null)
    return [
      `${week} would be a quiet week: ${after.quiet}. Nothing would be sent.`,
      ...(approvedBy ? [lost(approvedBy)] : []),
    ]
  const [lead] = after.titles
  const moved = after.titles.filter((one) => !before.titles.includes(one))
  return [
    `${isDrafted ? `${week} would be drafted again without it` : `As of now, ${week} would do without it`}: ${counted(after.titles.length)} instead of ${before.titles.length}.`,
    ...(before.titles[0] === title && lead ? [`It is the lead. “${lead}” would lead instead.`] : []),
    ...moved.map((one) => `“${one}” moves up: there is room for it.`),
    after.subject === before.subject
      ? 'The subject stays as it is.'
      : `The subject would be “${after.subject}”.`,
    ...(approvedBy ? [lost(approvedBy)] : []),
  ]
}

/** What a retraction leaves where it has been sent already. */
export function remainsWords(uses: readonly Use[]): readonly string[] {
  const weeks = uses.filter(({ isOut, counts }) => isOut && counts).map(({ week }) => week)
  if (weeks.length === 0) return []
  return [
    `It was sent in ${weeks.join(', ')}. Mail that has left cannot be called back.`,
    'Links in that mail lead to a page that says that it was retracted; the issue in the archive says so too, and is otherwise shown as it was sent.',
  ]
}

/** Said of a wall time on a day when the clocks are changed; '' on every other. */
export function dstWords(wall: Temporal.PlainDateTime, zone: string, meant: Temporal.Instant): string {
  const time = wall.toPlainTime().toString({ smallestUnit: 'minute' })
  const place = placeOf(zone)
  switch (occurrence(wall, zone)) {
    case 'once':
      return ''
    case 'never':
      return `There is no ${time} that night in ${place}: the clocks go forward. It was taken as ${dayAndTime(meant, zone)}.`
    case 'twice':
      return `${time} comes twice that night in ${place}, because the clocks go back. The first of the two is meant.`
  }
}

function lost(approvedBy: string): string {
  return `The approval of ${approvedBy} would be lost, because the edition is another one.`
}

function counted(comparisons: number): string {
  return `${comparisons} ${comparisons === 1 ? 'comparison' : 'comparisons'}`
}

function isOut(state: ListedComparison['issueState']): boolean {
  return state !== null && !['scheduled', 'draft', 'approved', 'held', 'quiet', 'missed'].includes(state)
}
