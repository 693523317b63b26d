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
import { type CommunityVote, communityVote } from '../verdict/vote.ts'
import { type Excerpt, excerpt } from './excerpt.ts'
import { headlineOf, preheaderOf, subjectOf } from './headline.ts'
import { pullQuote } from './quote.ts'
import { rankByInterest } from './rank.ts'
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
  /** "6 comparisons this week" */
  readonly countLabel: string
  readonly comparisons: readonly ComposedComparison[]
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

const longestDescription = 220

/** Turns a week's comparisons into what the issue says. Pure: the same comparisons in any order give the same issue. */
export function composeIssue(week: Week, comparisons: readonly Comparison[]): ComposedIssue {
  const ranked = rankByInterest(comparisons)
  return {
    week: week.name,
    weekLabel: `Week ${Number(week.name.slice(6))}, ${week.name.slice(0, 4)}`,
    dateLabel: dateLabel(week),
    subject: subjectOf(week, ranked),
    preheader: preheaderOf(ranked),
    headline: headlineOf(ranked),
    countLabel: `${ranked.length} ${ranked.length === 1 ? 'comparison' : 'comparisons'} this week`,
    comparisons: ranked.map(composeComparison),
  }
}

/** One comparison in words and figures. */
export function composeComparison(comparison: Comparison): ComposedComparison {
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
    tools: [composeTool(tools[0]), composeTool(tools[1])],
    split: reviewerSplit(tools).map(({ reviewer, ...row }) => ({ lens: lensName(reviewer), ...row })),
  }
}

function composeTool(tool: Tool): ComposedTool {
  const panel = panelVerdict(tool)
  const community = communityVote(tool)
  const quote = pullQuote(tool)
  return {
    name: tool.name,
    category: tool.category,
    tagline: tool.tagline,
    description: excerpt(tool.description, longestDescription),
    stamp: panel.stamp,
    panel,
    panelLabel: `${panel.ships} of ${panel.of} ship it`,
    community,
    communityLabel: community ? `${community.percent} % of ${community.votes} readers` : '—',
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
    const panel = panelVerdict(tool)
    if (!vote || panel.stamp === 'split' || vote.percent === 50) return []
    const agrees = vote.percent > 50 === (panel.stamp === 'ship')
    return agrees ? [] : [`${vote.percent} % of ${vote.votes} readers would ship ${tool.name}`]
  })
  return clauses.length === 0 ? '' : `Readers disagree: ${clauses.join('; ')}.`
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
