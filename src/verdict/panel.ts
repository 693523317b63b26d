import type { ReviewVerdict } from '../../db/schema.ts'
import type { Comparison, Tool } from './comparison.ts'
import { comparePanelOrder, lenses } from './review.ts'

/** What the stamp says: more than half ship it, more than half skip it, or exactly half. */
export type Stamp = 'ship' | 'skip' | 'split'

/** The share of the panel that ships a tool. */
export type PanelVerdict = {
  readonly ships: number
  readonly of: number
  /** 0 to 100, rounded to a whole number. */
  readonly percent: number
  readonly stamp: Stamp
}

/** How one reviewer voted on each of the two tools; `null` where that reviewer said nothing. */
export type SplitRow = {
  readonly reviewer: string
  readonly verdicts: readonly [ReviewVerdict | null, ReviewVerdict | null]
  /** Whether the reviewer parts the two tools: ships one and skips the other. */
  readonly parts: boolean
}

/** Counts the panel on one tool. */
export function panelVerdict(tool: Tool): PanelVerdict {
  const of = tool.reviews.length
  const ships = tool.reviews.filter((review) => review.verdict === 'ship').length
  return { ships, of, percent: of === 0 ? 0 : Math.round((100 * ships) / of), stamp: stampFor(ships, of) }
}

/** Which tool the panel prefers: 0 or 1 for the side, `null` for a tie. Shares are compared, not rounded percentages. */
export function panelWinner(tools: Comparison['tools']): 0 | 1 | null {
  const [a, b] = [panelVerdict(tools[0]), panelVerdict(tools[1])]
  const difference = a.ships * b.of - b.ships * a.of
  return difference > 0 ? 0 : difference < 0 ? 1 : null
}

/** Who wins, in one clause: "Panel ships both", "Panel ships Ledgerly and skips Formwright". */
export function panelSentence(tools: Comparison['tools']): string {
  const [a, b] = [panelVerdict(tools[0]), panelVerdict(tools[1])]
  const winner = panelWinner(tools)
  if (winner === null) return tieSentence(a)

  const [won, lost] = winner === 0 ? [a, b] : [b, a]
  const [winnerName, loserName] =
    winner === 0 ? [tools[0].name, tools[1].name] : [tools[1].name, tools[0].name]
  if (won.stamp === 'ship' && lost.stamp === 'skip') return `Panel ships ${winnerName} and skips ${loserName}`
  if (won.stamp === 'skip') return `Panel skips both, ${loserName} harder`
  return `Panel prefers ${winnerName}, ${won.ships} of ${won.of}, to ${loserName}, ${lost.ships} of ${lost.of}`
}

/** The reviewers' votes as rows in panel order. The four lenses always have a row; guests have one where they spoke. */
export function reviewerSplit(tools: Comparison['tools']): readonly SplitRow[] {
  const spoke = tools.flatMap((tool) => tool.reviews.map((review) => review.reviewer))
  return [...new Set([...lenses, ...spoke])].sort(comparePanelOrder).map((reviewer) => {
    const [a, b] = [voteOf(tools[0], reviewer), voteOf(tools[1], reviewer)]
    return { reviewer, verdicts: [a, b], parts: a !== null && b !== null && a !== b }
  })
}

function stampFor(ships: number, of: number): Stamp {
  if (ships * 2 === of) return 'split'
  return ships * 2 > of ? 'ship' : 'skip'
}

function tieSentence({ ships, of, stamp }: PanelVerdict): string {
  if (stamp === 'split') return 'Panel splits down the middle on both'
  const verb = stamp === 'ship' ? 'ships' : 'skips'
  if (ships === 0 || ships === of) return `Panel ${verb} both`
  return `Panel ${verb} both, ${stamp === 'ship' ? ships : of - ships} to ${stamp === 'ship' ? of - ships : ships}`
}

function voteOf(tool: Tool, reviewer: string): ReviewVerdict | null {
  return tool.reviews.find((review) => review.reviewer === reviewer)?.verdict ?? null
}
