import type { Comparison, Tool } from '../verdict/comparison.ts'
import { panelVerdict } from '../verdict/panel.ts'
import { type CommunityVote, communityLabel, communityVote, isApart } from '../verdict/vote.ts'
import type { LookBack } from './look-back.ts'

/** What the community decided on the issue before, beside what the panel had said. */
export type ComposedOutcome = {
  /** "Week 46" */
  readonly label: string
  /** Where community and panel are furthest apart. */
  readonly sentence: string
  /** The comparisons with a result on at least one tool, in their issue's order. */
  readonly rows: readonly ComposedOutcomeRow[]
  /** What had too few votes; empty when everything had enough. */
  readonly note: string
}

export type ComposedOutcomeRow = {
  readonly title: string
  readonly slug: string
  readonly tools: readonly {
    readonly name: string
    /** "62 % of 41 readers", or a dash. */
    readonly community: string
    /** "4 of 4" */
    readonly panel: string
    /** Whether readers and panel are on opposite sides of a half. */
    readonly isApart: boolean
  }[]
}

type Standing = { readonly tool: Tool; readonly vote: Exclude<CommunityVote, null>; readonly gap: number }

/** Undefined while nothing of it has enough votes for a result: then there is nothing to tell. */
export function composeOutcome(lookBack: LookBack | undefined): ComposedOutcome | undefined {
  if (!lookBack) return undefined
  const standings = lookBack.comparisons.flatMap(({ tools }) => tools.flatMap(standingOf))
  const [furthest] = standings.toSorted((a, b) => b.gap - a.gap || (a.tool.slug < b.tool.slug ? -1 : 1))
  if (!furthest) return undefined
  const told = lookBack.comparisons.filter(({ tools }) => tools.some((tool) => communityVote(tool)))
  const untold = lookBack.comparisons.length - told.length
  return {
    label: `Week ${Number(lookBack.week.slice(6))}`,
    sentence: sentenceOn(furthest),
    rows: told.map(rowOf),
    note: untold === 0 ? '' : `${untold} more ${untold === 1 ? 'has' : 'have'} too few votes to say.`,
  }
}

function standingOf(tool: Tool): readonly Standing[] {
  const vote = communityVote(tool)
  return vote ? [{ tool, vote, gap: Math.abs(vote.percent - panelVerdict(tool).percent) }] : []
}

/** Within five points of each other, they agree: no sentence should make more of it. */
function sentenceOn({ tool, vote, gap }: Standing): string {
  const { ships, of } = panelVerdict(tool)
  const figures = `${communityLabel(vote)} would ship it; of the panel, ${ships} of ${of}.`
  return gap <= 5
    ? 'Readers and panel agree on every tool that has a result.'
    : `Furthest apart on ${tool.name}: ${figures}`
}

function rowOf({ slug, title, tools }: Comparison): ComposedOutcomeRow {
  return {
    ...{ slug, title },
    tools: tools.map((tool) => {
      const [vote, panel] = [communityVote(tool), panelVerdict(tool)]
      return {
        name: tool.name,
        community: communityLabel(vote),
        panel: `${panel.ships} of ${panel.of}`,
        isApart: isApart(vote, panel),
      }
    }),
  }
}
