import type { ReviewVerdict } from '../../db/schema.ts'
import type { Comparison, Tool } from '../verdict/comparison.ts'
import {
  type PanelVerdict,
  panelSentence,
  panelVerdict,
  panelWinner,
  reviewerSplit,
} from '../verdict/panel.ts'
import { entryLabel, pricingRead } from '../verdict/pricing.ts'
import { lensName } from '../verdict/review.ts'
import { type CommunityVote, communityLabel, communityVote, isApart } from '../verdict/vote.ts'
import { arrange, quoteOf } from './apply-edits.ts'
import { type ComposedCorrection, composeCorrection } from './compose-correction.ts'
import { type ComposedOutcome, composeOutcome } from './compose-outcome.ts'
import type { Correction } from './correction.ts'
import { type IssueEdits, noEdits } from './edits.ts'
import { type Excerpt, excerpt } from './excerpt.ts'
import { headlineOf, monthSubjectOf, preheaderOf, subjectOf } from './headline.ts'
import type { LookBack } from './look-back.ts'
import type { PullQuote } from './quote.ts'
import type { Week } from './week.ts'

/** What an issue says, in words and figures: everything but the type it is set in. */
export type ComposedIssue = {
  readonly week: string
  /** "Week 47, 2026" */
  readonly weekLabel: string
  /** "Friday 20 November 2026", in the newsletter's zone. */
  readonly dateLabel: string
  readonly subject: string
  readonly preheader: string
  readonly headline: string
  /** The editor's note in Markdown, empty when there is none. */
  readonly intro: string
  /** "6 comparisons this week" */
  readonly countLabel: string
  /** What earlier issues told otherwise, each for those readers only who were told so. */
  readonly corrections: readonly ComposedCorrection[]
  /** A row each in the table at a glance. */
  readonly glance: readonly ComposedComparison[]
  /** Set in full, the lead first. */
  readonly comparisons: readonly ComposedComparison[]
  /** What is not in this mail, and where it is; empty when nothing is missing. */
  readonly note: string
  /** What the community decided on the issue before; undefined while it decided nothing. */
  readonly outcome: ComposedOutcome | undefined
  /** Why the reader gets this mail, for its foot. */
  readonly why: string
}

export type ComposedComparison = {
  readonly slug: string
  readonly title: string
  /** One category, or both as "A / B". */
  readonly category: string
  /** The verdict in one sentence: "Panel ships both; SmolVLM2 is free to start." */
  readonly sentence: string
  /** For the table at a glance: the winner's name, "Both" or "Neither" or "Tie", and the pricing read. */
  readonly winner: string
  readonly priceLine: string
  /** Where readers and panel part; empty while they do not, or while too few have voted. */
  readonly communityLine: string
  readonly tools: readonly [ComposedTool, ComposedTool]
  readonly split: readonly ComposedSplitRow[]
}

export type ComposedTool = {
  readonly slug: string
  readonly name: string
  readonly category: string
  readonly tagline: string
  readonly description: Excerpt
  readonly stamp: PanelVerdict['stamp']
  readonly panel: PanelVerdict
  /** "4 of 4 ship it" */
  readonly panelLabel: string
  readonly community: CommunityVote
  /** "62 % of 41 readers", or a dash while there are too few votes. */
  readonly communityLabel: string
  readonly entry: string
  readonly priceNote: string
  readonly quote: { readonly text: string; readonly lens: string; readonly verdict: ReviewVerdict }
}

export type ComposedSplitRow = {
  readonly lens: string
  readonly verdicts: readonly [ReviewVerdict | null, ReviewVerdict | null]
  readonly parts: boolean
}

/** Characters of a description: less in an issue with many, so that ten of the fullest stay under what Gmail shows whole. */
const longestDescription = { few: 220, many: 120 } as const
/** More comparisons than this are many. */
export const few = 6

/** What an issue says besides its comparisons: of those before it. */
export type Around = {
  readonly corrections?: readonly Correction[]
  readonly lookBack?: LookBack | undefined
}

/**
 * Turns a week's comparisons, and what an editor corrected, into what the issue says. Pure: the same comparisons in any
 * order and the same edits give the same issue.
 */
export function composeIssue(
  week: Week,
  comparisons: readonly Comparison[],
  edits: IssueEdits = noEdits,
  around: Around = {},
): ComposedIssue {
  const ranked = arrange(comparisons, edits)
  const length = longestDescription[ranked.length > few ? 'many' : 'few']
  const composed = ranked.map((comparison) => composeEdited(comparison, edits, length))
  return {
    week: week.name,
    weekLabel: `Week ${Number(week.name.slice(6))}, ${week.name.slice(0, 4)}`,
    dateLabel: dateLabel(week),
    subject: edits.subject ?? subjectOf(week, ranked),
    preheader: edits.preheader ?? preheaderOf(ranked),
    headline: headlineOf(ranked),
    intro: edits.intro,
    countLabel: `${comparisonCount(ranked.length)} this week`,
    corrections: (around.corrections ?? []).map(composeCorrection),
    glance: composed,
    comparisons: composed,
    note: '',
    outcome: composeOutcome(around.lookBack),
    why: `${confirmed}, once a week.`,
  }
}

/** The part of a week's issue that a reader follows. `all` is how many comparisons the whole issue has. */
export function composeFollowed(
  week: Week,
  comparisons: readonly Comparison[],
  all: number,
  edits: IssueEdits = noEdits,
  around: Around = {},
): ComposedIssue {
  const more = all - comparisons.length
  return {
    ...composeIssue(week, comparisons, edits, around),
    countLabel: `${comparisonCount(comparisons.length)} with what you follow`,
    note: more > 0 ? `${comparisonCount(more)} more this week, in the whole issue on the web.` : '',
    why: `${confirmed}, whenever something you follow is in it.`,
  }
}

/**
 * A calendar month's verdicts: every comparison at a glance, the first of them in full. Its subject is the month's own,
 * whatever an editor called this week's issue.
 */
export function composeMonth(
  week: Week,
  month: Temporal.PlainYearMonth,
  comparisons: readonly Comparison[],
  edits: IssueEdits = noEdits,
  around: Around = {},
): ComposedIssue {
  const ranked = arrange(comparisons, edits)
  const all = ranked.map((comparison) => composeEdited(comparison, edits))
  const label = month.toPlainDate({ day: 1 }).toLocaleString('en-GB', { month: 'long', year: 'numeric' })
  const rest = all.length - mostInRollUp
  return {
    ...composeIssue(week, ranked.slice(0, mostInRollUp), edits, around),
    weekLabel: label,
    subject: monthSubjectOf(month.toString(), label, ranked),
    countLabel: `${comparisonCount(all.length)} in ${label}`,
    glance: all,
    note: rest > 0 ? `The first ${mostInRollUp} are set in full below; every comparison is on the web.` : '',
    why: `${confirmed}, once a month.`,
  }
}

const confirmed = 'You get this because you confirmed your address for Weekly AI Tool Verdicts'

/** As many as keep the roll-up under the weight at which Gmail cuts a mail. */
const mostInRollUp = 6

function comparisonCount(count: number): string {
  return `${count} ${count === 1 ? 'comparison' : 'comparisons'}`
}

/** One comparison in words and figures. */
export function composeComparison(comparison: Comparison): ComposedComparison {
  return composeEdited(comparison, noEdits)
}

function composeEdited(
  comparison: Comparison,
  edits: IssueEdits,
  length: number = longestDescription.few,
): ComposedComparison {
  const { tools } = comparison
  const categories = new Set(tools.map((tool) => tool.category))
  return {
    slug: comparison.slug,
    title: comparison.title,
    category: [...categories].join(' / '),
    sentence: `${panelSentence(tools)}; ${pricingRead(tools)}.`,
    winner: winnerLabel(tools),
    priceLine: upperFirst(pricingRead(tools)),
    communityLine: communityLine(tools),
    tools: [
      composeTool(tools[0], quoteOf(comparison, 0, edits), length),
      composeTool(tools[1], quoteOf(comparison, 1, edits), length),
    ],
    split: reviewerSplit(tools).map(({ reviewer, ...row }) => ({ lens: lensName(reviewer), ...row })),
  }
}

function composeTool(tool: Tool, quote: PullQuote, length: number): ComposedTool {
  const panel = panelVerdict(tool)
  const community = communityVote(tool)
  return {
    slug: tool.slug,
    name: tool.name,
    category: tool.category,
    tagline: tool.tagline,
    description: excerpt(tool.description, length),
    stamp: panel.stamp,
    panel,
    panelLabel: `${panel.ships} of ${panel.of} ship it`,
    community,
    communityLabel: communityLabel(community),
    entry: entryLabel(tool.entryPrice),
    priceNote: tool.priceNote ?? '',
    quote: { text: quote.text, lens: lensName(quote.review.reviewer), verdict: quote.review.verdict },
  }
}

function dateLabel(week: Week): string {
  return week.dueAt
    .toZonedDateTimeISO(week.zone)
    .toPlainDate()
    .toLocaleString('en-GB', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' })
    .replace(',', '')
}

function winnerLabel(tools: Comparison['tools']): string {
  const winner = panelWinner(tools)
  if (winner !== null) return panelVerdict(tools[winner]).stamp === 'skip' ? 'Neither' : tools[winner].name
  const { stamp } = panelVerdict(tools[0])
  return stamp === 'ship' ? 'Both' : stamp === 'skip' ? 'Neither' : 'Tie'
}

/** Names each tool on which readers and panel are on opposite sides. */
function communityLine(tools: Comparison['tools']): string {
  const clauses = tools.flatMap((tool) => {
    const vote = communityVote(tool)
    return isApart(vote, panelVerdict(tool)) ? [`${communityLabel(vote)} would ship ${tool.name}`] : []
  })
  return clauses.length === 0 ? '' : `Readers disagree: ${clauses.join('; ')}.`
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
