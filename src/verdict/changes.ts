import type { Comparison, Tool } from './comparison.ts'
import { type PanelVerdict, panelVerdict, panelWinner } from './panel.ts'
import { entryLabel } from './pricing.ts'

/** Something that a reader of the earlier revision was told otherwise. Tools by their names in the later one. */
export type Change =
  | {
      readonly kind: 'verdict'
      readonly tool: string
      readonly before: PanelVerdict
      readonly after: PanelVerdict
    }
  /** Which tool is ahead; `null` for a tie. */
  | { readonly kind: 'winner'; readonly before: string | null; readonly after: string | null }
  | { readonly kind: 'price'; readonly tool: string; readonly before: string; readonly after: string }
  | { readonly kind: 'tool'; readonly before: string; readonly after: string }

/** The panel's verdicts, the winner and the prices that differ, in that order. Mended words are no change. */
export function changesBetween(before: Comparison, after: Comparison): readonly Change[] {
  const pairs = after.tools.map((tool, side) => [earlierOf(before, after, side), tool] as const)
  const kept = pairs.flatMap(([was, is]) => (was.slug === is.slug ? [[was, is] as const] : []))
  return [
    ...pairs.flatMap(([was, is]) => (was.slug === is.slug ? [] : [toolChange(was, is)])),
    ...kept.flatMap(verdictChange),
    ...winnerChange(before, after),
    ...kept.flatMap(priceChange),
  ]
}

/** A change in one sentence, said to have happened `on` a day. */
export function changeSentence(change: Change, on: string): string {
  switch (change.kind) {
    case 'verdict':
      return verdictSentence(change, on)
    case 'winner':
      return `Which one is ahead changed on ${on}: it was ${change.before ?? 'a tie'}; now it is ${change.after ?? 'a tie'}.`
    case 'price':
      return `The entry price of ${change.tool} changed on ${on}: it was ${change.before}; now it is ${change.after}.`
    case 'tool':
      return `${change.after} took the place of ${change.before} on ${on}.`
  }
}

/** The same tool, wherever it stood; else the one in whose place it came. */
function earlierOf(before: Comparison, after: Comparison, side: number): Tool {
  const is = after.tools[side]
  const gone = before.tools.filter(({ slug }) => after.tools.every((one) => one.slug !== slug))
  const was = before.tools.find(({ slug }) => slug === is?.slug) ?? gone[side] ?? gone[0]
  return was ?? before.tools[0]
}

function toolChange(was: Tool, is: Tool): Change {
  return { kind: 'tool', before: was.name, after: is.name }
}

function verdictChange([was, is]: readonly [Tool, Tool]): readonly Change[] {
  const [before, after] = [panelVerdict(was), panelVerdict(is)]
  if (before.ships === after.ships && before.of === after.of) return []
  return [{ kind: 'verdict', tool: is.name, before, after }]
}

function priceChange([was, is]: readonly [Tool, Tool]): readonly Change[] {
  const [before, after] = [priceOf(was), priceOf(is)]
  return before === after ? [] : [{ kind: 'price', tool: is.name, before, after }]
}

function winnerChange(before: Comparison, after: Comparison): readonly Change[] {
  const [was, is] = [winnerOf(before), winnerOf(after)]
  if (was?.slug === is?.slug) return []
  return [{ kind: 'winner', before: was?.name ?? null, after: is?.name ?? null }]
}

function winnerOf({ tools }: Comparison): Tool | null {
  const side = panelWinner(tools)
  return side === null ? null : tools[side]
}

function priceOf({ entryPrice, priceNote }: Tool): string {
  return priceNote ? `${entryLabel(entryPrice)} (${priceNote})` : entryLabel(entryPrice)
}

const past = { ship: 'shipped it', skip: 'skipped it', split: 'was split on it' } as const

function verdictSentence(
  { tool, before, after }: Extract<Change, { readonly kind: 'verdict' }>,
  on: string,
): string {
  const now = `now ${after.ships} of ${after.of} ${after.ships === 1 ? 'ships' : 'ship'} it`
  if (before.stamp === after.stamp)
    return `The panel moved on ${tool} on ${on}: ${before.ships} of ${before.of} shipped it before; ${now}.`
  return `The panel changed its mind on ${tool} on ${on}: it ${past[before.stamp]} before, ${before.ships} of ${before.of}; ${now}.`
}
