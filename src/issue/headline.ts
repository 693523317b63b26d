import type { Comparison } from '../verdict/comparison.ts'
import { panelSentence, panelVerdict, panelWinner } from '../verdict/panel.ts'
import { pricingRead } from '../verdict/pricing.ts'
import { cutAtWord } from './excerpt.ts'
import type { Week } from './week.ts'

const alone = ' in this week’s AI tool verdict'

/** Lengths in characters that phones show whole: a subject, and the line beside it. */
export const subjectLength = { least: 40, most: 70 } as const
export const preheaderLength = { least: 40, most: 90 } as const

type Length = { readonly least: number; readonly most: number }

/** The headline of the week: what the panel says of the lead, without a full stop. */
export function headlineOf(ranked: readonly Comparison[]): string {
  const [lead] = ranked
  return lead ? boldest(lead) : ''
}

/** The lead's verdict and how much more there is, with the ISO week so that mail programs do not thread two issues. */
export function subjectOf(week: Week, ranked: readonly Comparison[]): string {
  const candidates = subjects(week, ranked).flat()
  return firstThatFits(candidates, subjectLength) ?? candidates.at(-1) ?? ''
}

/** Up to three subjects that an editor can choose from, worded as differently as can be; the first is the generated one. */
export function subjectChoices(week: Week, ranked: readonly Comparison[]): readonly string[] {
  const wordings = subjects(week, ranked).map((wording) => wording.filter((one) => fits(one, subjectLength)))
  const each = wordings.flatMap(([best]) => best ?? [])
  return distinct([subjectOf(week, ranked), ...each, ...wordings.flat()])
}

/** A list for each wording of the lead's verdict, each from the fullest to the shortest. */
function subjects(week: Week, ranked: readonly Comparison[]): readonly (readonly string[])[] {
  const [lead, ...rest] = ranked
  if (!lead) return []
  const tail = ` · ${week.name}`
  const more = rest.length > 0 ? `, and ${rest.length} more` : ''
  const verdicts = rest.length > 0 ? `${more} AI tool ${rest.length === 1 ? 'verdict' : 'verdicts'}` : alone
  const heads = phrasings(lead)
  const named = heads.map((head) => [head + verdicts, head + more, head])
  const cut = cutAtWord(heads[0] ?? lead.title, subjectLength.most - tail.length)
  return [...named, [cut], [nameless(lead) + verdicts]].map((wording) => wording.map((one) => one + tail))
}

/** A roll-up's subject: the month by name, the lead's verdict where it fits, and the month as `2026-11`. */
export function monthSubjectOf(month: string, label: string, ranked: readonly Comparison[]): string {
  const [lead] = ranked
  const name = label.split(' ')[0]
  const heads = lead ? phrasings(lead) : []
  const candidates = [
    ...heads.map((head) => `${name}’s verdicts: ${head}`),
    `${name}’s verdicts on AI tools, all in one mail`,
  ]
  const tail = ` · ${month}`
  return (
    firstThatFits(
      candidates.map((candidate) => candidate + tail),
      subjectLength,
    ) ?? `${label}’s verdicts on AI tools${tail}`
  )
}

/** What follows the subject in an inbox: the other comparisons, or the price line where there is only one. */
export function preheaderOf(ranked: readonly Comparison[]): string {
  const candidates = preheaders(ranked)
  return firstThatFits(candidates, preheaderLength) ?? candidates.at(-1) ?? ''
}

/** Up to three preheaders that an editor can choose from; the first is the generated one. */
export function preheaderChoices(ranked: readonly Comparison[]): readonly string[] {
  return distinct([
    preheaderOf(ranked),
    ...preheaders(ranked).filter((candidate) => fits(candidate, preheaderLength)),
  ])
}

function preheaders(ranked: readonly Comparison[]): readonly string[] {
  const [lead, next, third] = ranked
  if (!lead) return []
  const price = upperFirst(pricingRead(lead.tools))
  return [
    next && third ? `Also: ${next.title}, ${third.title}, prices, and where the reviewers split` : '',
    next ? `${price}. Also: ${next.title}, and where the reviewers split` : '',
    next ? `Also: ${next.title}. ${panelSentence(next.tools)}; ${pricingRead(next.tools)}.` : '',
    next ? `Also: ${next.title}, with prices and the reviewers’ split` : '',
    `${price}. The panel’s verdicts, the prices, and where the reviewers split`,
    `${panelSentence(lead.tools)}. With prices and the reviewers’ split`,
    'The panel’s verdicts, what each tool costs to enter, and where the reviewers split',
  ]
}

/** The lead's verdict from the fullest wording to the shortest. */
function phrasings(lead: Comparison): readonly string[] {
  const [a, b] = lead.tools
  const winner = panelWinner(lead.tools)
  if (winner === null)
    return [boldest(lead), panelSentence(lead.tools), lead.title, `${a.name} and its rival`]
  const [won, lost] = winner === 0 ? [a, b] : [b, a]
  return [
    boldest(lead),
    `${won.name} over ${lost.name}`,
    `Ship ${won.name}`,
    `${won.name} wins`,
    `Skip ${lost.name}`,
  ]
}

/** For two names that are too long for any subject and have no place to be cut at. */
function nameless({ tools }: Comparison): string {
  const [a, b] = tools.map(panelVerdict)
  return a?.stamp === 'skip' && b?.stamp === 'skip' ? 'Panel skips both' : 'Panel picks one of two'
}

function boldest(lead: Comparison): string {
  const [a, b] = lead.tools
  const winner = panelWinner(lead.tools)
  if (winner === null) {
    const { stamp } = panelVerdict(a)
    if (stamp === 'split') return `Panel halves over ${a.name} and ${b.name}`
    return stamp === 'ship' ? `Ship either: ${a.name} or ${b.name}` : `Skip both: ${a.name} and ${b.name}`
  }
  const [won, lost] = winner === 0 ? [a, b] : [b, a]
  const isClear = panelVerdict(won).stamp === 'ship' && panelVerdict(lost).stamp === 'skip'
  if (isClear) return `Ship ${won.name}, skip ${lost.name}`
  return panelVerdict(won).stamp === 'skip'
    ? `Skip both, ${lost.name} first`
    : `${won.name} beats ${lost.name}`
}

function firstThatFits(candidates: readonly string[], length: Length): string | undefined {
  return candidates.find((candidate) => fits(candidate, length))
}

function fits(candidate: string, { least, most }: Length): boolean {
  return candidate.length >= least && candidate.length <= most
}

function distinct(choices: readonly string[]): readonly string[] {
  return [...new Set(choices)].filter((choice) => choice !== '').slice(0, 3)
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
