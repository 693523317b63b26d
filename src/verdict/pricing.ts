import type { EntryPrice } from '../../db/schema.ts'
import type { Comparison, Tool } from './comparison.ts'

const labels: Record<EntryPrice, string> = {
  free: 'Free',
  freemium: 'Freemium',
  paid: 'Paid',
  trial: 'Trial',
  unknown: 'Not stated',
}

/** What a tool costs to enter, in one word as pages and mails print it. */
export function entryLabel(price: EntryPrice): string {
  return labels[price]
}

/** What the two entry prices say of the pair: "SmolVLM2 is free to start", "both charge from day one". */
export function pricingRead([a, b]: Comparison['tools']): string {
  if (a.entryPrice === b.entryPrice) return bothSentence(a.entryPrice)
  if (isFreeToStart(a) && isFreeToStart(b)) return 'both are free to start'
  const [cheaper, dearer] = rank(a) < rank(b) ? [a, b] : [b, a]
  if (dearer.entryPrice === 'unknown') return `${oneSentence(cheaper)}, ${dearer.name} states no price`
  return oneSentence(cheaper)
}

function bothSentence(price: EntryPrice): string {
  switch (price) {
    case 'free':
      return 'both are free to start'
    case 'freemium':
      return 'both have a free tier'
    case 'paid':
      return 'both charge from day one'
    case 'trial':
      return 'both start with a trial'
    case 'unknown':
      return 'neither states a price'
  }
}

function oneSentence({ name, entryPrice }: Tool): string {
  switch (entryPrice) {
    case 'free':
      return `${name} is free to start`
    case 'freemium':
      return `${name} has a free tier`
    case 'trial':
      return `${name} can be tried first`
    case 'paid':
      return `${name} charges from day one`
    case 'unknown':
      return `${name} states no price`
  }
}

function isFreeToStart(tool: Tool): boolean {
  return tool.entryPrice === 'free' || tool.entryPrice === 'freemium'
}

function rank({ entryPrice }: Tool): number {
  return ['free', 'freemium', 'trial', 'paid', 'unknown'].indexOf(entryPrice)
}
