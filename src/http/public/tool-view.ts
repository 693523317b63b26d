import { composeComparison } from '../../issue/compose.ts'
import { excerpt } from '../../issue/excerpt.ts'
import type { StoredComparison, Tool } from '../../verdict/comparison.ts'
import type { Stamp } from '../../verdict/panel.ts'
import { comparisonView } from '../comparison-view.ts'
import { listedComparison, recordOf } from './listed-comparison.ts'

/** A tool as its page has it, from its comparisons, the newest first. Throws where it was in none. */
export function toolPage(slug: string, comparisons: readonly StoredComparison[], zone: string) {
  const [newest] = comparisons
  if (!newest) throw new Error(`No comparison has ${slug} in it`)
  const side = sideOf(slug, newest)
  const figures = comparisonView(newest).tools[side]
  const { quote, panelLabel } = composeComparison(newest).tools[side]
  if (!figures) throw new Error(`Comparison ${newest.slug} has one side`)
  const answer = `${verdictOn(figures.name, figures.stamp)}: ${panelLabel}.`
  return {
    ...figures,
    ...{ slug, answer, quote, tool: newest.tools[side] },
    description: excerpt(`${figures.name}: ${figures.tagline} ${answer}`, 160).text,
    account: figures.description,
    newest: listedComparison(newest, zone),
    record: recordOf(slug, comparisons),
    outcomes: comparisons.map((comparison) => ({
      ...listedComparison(comparison, zone),
      stamps: [standingIn(comparison, slug)],
    })),
  }
}

/** `Panel ships Glyphmoor` */
function verdictOn(name: string, stamp: Stamp): string {
  if (stamp === 'split') return `Panel splits down the middle on ${name}`
  return `Panel ${stamp}s ${name}`
}

function standingIn(comparison: StoredComparison, slug: string) {
  const { stamp, panelLabel: label } = composeComparison(comparison).tools[sideOf(slug, comparison)]
  return { stamp, label }
}

function sideOf(slug: string, { tools }: { readonly tools: readonly [Tool, Tool] }): 0 | 1 {
  return tools[0].slug === slug ? 0 : 1
}
