import { composeComparison } from '../../issue/compose.ts'
import { excerpt } from '../../issue/excerpt.ts'
import type { Category } from '../../verdict/category.ts'
import type { StoredComparison } from '../../verdict/comparison.ts'
import { listedComparison } from './listed-comparison.ts'

/** A category as its page has it: its tools, what the panel ships first, and its comparisons, the newest first. */
export function categoryPage(
  { name, spellings }: Pick<Category, 'name' | 'spellings'>,
  { comparisons, all }: { readonly comparisons: readonly StoredComparison[]; readonly all: number },
  zone: string,
) {
  const tools = toolsIn(comparisons, spellings)
  const shipped = tools.filter(({ stamp }) => stamp === 'ship').length
  const answer = answerFor(shipped, tools.length)
  const size = `${count(tools.length, 'AI tool')} in ${count(comparisons.length, 'comparison')}`
  return {
    ...{ name, tools, answer, size },
    description: excerpt(`${name}: ${size}. ${answer} Who won, what each costs to enter.`, 160).text,
    outcomes: comparisons.map((comparison) => listedComparison(comparison, zone)),
    cut: all > comparisons.length ? `The newest ${comparisons.length} of ${all}.` : '',
  }
}

/** Each tool once, as its newest comparison has it. */
function toolsIn(comparisons: readonly StoredComparison[], spellings: readonly string[]) {
  const tools = new Map<string, ReturnType<typeof toolLine>>()
  for (const comparison of comparisons)
    for (const side of [0, 1] as const) {
      const { slug, category } = comparison.tools[side]
      if (spellings.includes(category) && !tools.has(slug)) tools.set(slug, toolLine(comparison, side))
    }
  return [...tools.values()].sort((a, b) => b.percent - a.percent || a.name.localeCompare(b.name, 'en'))
}

function toolLine(comparison: StoredComparison, side: 0 | 1) {
  const { name, tagline, stamp, panel, panelLabel, entry } = composeComparison(comparison).tools[side]
  return {
    ...{ slug: comparison.tools[side].slug, name, tagline: excerpt(tagline, 140).text },
    ...{ stamp, panelLabel, entry, percent: panel.percent },
  }
}

function answerFor(shipped: number, all: number): string {
  if (all === 1)
    return shipped === 1 ? 'Panel ships the one tool in it.' : 'Panel does not ship the one tool in it.'
  if (shipped === all) return `Panel ships all ${all} of them.`
  return shipped === 0 ? `Panel ships none of the ${all}.` : `Panel ships ${shipped} of the ${all}.`
}

function count(many: number, what: string): string {
  return `${many} ${what}${many === 1 ? '' : 's'}`
}
