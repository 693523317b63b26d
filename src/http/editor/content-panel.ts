import { type Content, contentOf } from '../../issue/content.ts'
import { currentEdits, latestEdits, stepsOf } from '../../issue/edit-history.ts'
import { type IssueEdits, longestEdit } from '../../issue/edits.ts'
import { preheaderLength, subjectLength } from '../../issue/headline.ts'
import type { Issue } from '../../issue/issue.ts'
import { inOwnWords } from '../../issue/own-words.ts'
import { pullQuote } from '../../issue/quote.ts'
import { type Stale, whyNotEdited } from '../../issue/save-edits.ts'
import type { StoredComparison } from '../../verdict/comparison.ts'
import { staleView } from './content-stale.ts'
import { clockTime, whatItDid } from './content-words.ts'
import type { DeskDeps } from './desk.ts'
import { shortTime } from './when.ts'

/** What an editor typed that could not be saved: shown again, with the reason. */
export type NotSaved = {
  readonly edits: IssueEdits
  readonly base: number
  readonly problem: string
  readonly stale?: Stale
}

/** Beyond this, a pull quote makes its column long. */
const longQuote = 180
const waitingShown = 20
const revisionsShown = 5

/** What the issue says, to be corrected; undefined once it can be changed no more, or not yet. */
export async function contentPanel(deps: DeskDeps, issue: Issue, notSaved?: NotSaved) {
  if (whyNotEdited(issue) !== undefined) return undefined
  const { db } = deps
  const now = await currentEdits(db, issue.id)
  const edits = notSaved?.edits ?? now.edits
  const content = await contentOf(deps, issue, edits)
  const generated = { subject: content.subjects[0] ?? '', preheader: content.preheaders[0] ?? '' }
  const steps = await stepsOf(db, issue.id)
  const latest = await latestEdits(db, issue.id, { most: revisionsShown })
  const path = `/desk/issues/${issue.week}/content`
  return {
    ...{ path, week: issue.week, base: notSaved?.base ?? now.revision, problem: notSaved?.problem ?? '' },
    saved: latest[0]
      ? `Saved ${clockTime(latest[0].at, issue.timezone)} · revision ${latest[0].revision}, ${latest[0].by}`
      : 'As it was generated. Nobody has changed it.',
    stale: notSaved?.stale && staleView(notSaved.stale, issue),
    approvedBy: issue.approved_hash === issue.edition_hash ? (issue.approved_by ?? '') : '',
    subject: lineView('subject', edits.subject, generated.subject, content.subjects, subjectLength),
    preheader: lineView(
      'preheader',
      edits.preheader,
      generated.preheader,
      content.preheaders,
      preheaderLength,
    ),
    intro: { value: edits.intro, count: edits.intro.length, most: longestEdit.intro },
    rows: content.comparisons.map((comparison, index, { length }) => ({
      ...{ slug: comparison.slug, title: comparison.title, place: index + 1 },
      ...{
        isFirst: index === 0,
        isLast: index === length - 1,
        isPutIn: edits.include.includes(comparison.slug),
      },
      sentence: content.composed.comparisons[index]?.sentence ?? '',
      quotes: ([0, 1] as const).map((side) => quoteView(comparison, side, edits)),
    })),
    isOrdered: edits.order !== null,
    leftOut: content.leftOut.map((one) => leftOutView(one, edits)),
    waiting: content.waiting.slice(0, waitingShown),
    moreWaiting: Math.max(content.waiting.length - waitingShown, 0),
    canUndo: steps.undo !== undefined,
    canRedo: steps.redo !== undefined,
    isEdited: now.revision > 0,
    history: latest.map((one, index) => ({
      ...{ revision: one.revision, by: one.by, what: whatItDid(one), isCurrent: index === 0 },
      at: { machine: one.at.toString(), person: shortTime(one.at, issue.timezone) },
    })),
  }
}

function lineView(
  name: string,
  value: string | null,
  generated: string,
  choices: readonly string[],
  { least, most }: { least: number; most: number },
) {
  const { length } = value ?? generated
  const verdict = length < least ? 'short' : length > most ? 'long: phones cut it' : 'good'
  return {
    ...{ name, value: value ?? '', generated, least, most },
    count: `${length} characters, ${verdict}`,
    isOff: length < least || length > most,
    choices: choices.map((text) => ({ text, act: `${name} ${text}`, length: text.length })),
  }
}

function quoteView(comparison: StoredComparison, side: 0 | 1, edits: IssueEdits) {
  const tool = comparison.tools[side]
  const { review, text } = pullQuote(tool)
  const value = edits.quotes[comparison.slug]?.[side] ?? ''
  const own = value === '' ? undefined : inOwnWords(review.quote, value)
  const printed = own?.ok ? own.text : text
  return {
    ...{ name: `quote:${comparison.slug}:${side + 1}`, id: `quote-${comparison.slug}-${side + 1}` },
    ...{ tool: tool.name, reviewer: review.reviewer, original: review.quote, printed, value },
    ...{
      count: printed.length,
      isLong: printed.length > longQuote,
      most: longestEdit.quote,
      long: longQuote,
    },
    fault: own && !own.ok ? `Not in the original: “${own.missing}”. The generated quote is printed.` : '',
  }
}

/** A left-out comparison keeps the reason as it was typed, and its place for when it comes back. */
function leftOutView({ slug, title, reason }: Content['leftOut'][number], edits: IssueEdits) {
  const own = edits.leftOut.find((one) => one.slug === slug)
  const place = edits.order?.indexOf(slug) ?? -1
  return {
    ...{ slug, title, isByHand: own !== undefined, why: own ? own.reason : reason },
    ...{ isPutIn: edits.include.includes(slug), place: place === -1 ? '' : String(place + 0.5) },
  }
}
