import { describe, expect, it } from 'vitest'
import type { EntryPrice } from '../../db/schema.ts'
import { entryLabel, pricingRead } from '../../src/verdict/pricing.ts'
import { documentFor, toComparison } from '../setup/comparisons.ts'

const prices: readonly EntryPrice[] = ['free', 'freemium', 'trial', 'paid', 'unknown']
const pairs = prices.flatMap((a) => prices.map((b) => [a, b] as const))

describe('the pricing read', () => {
  it.each<[EntryPrice, EntryPrice, string]>([
    ['free', 'free', 'both are free to start'],
    ['free', 'freemium', 'both are free to start'],
    ['free', 'trial', 'Ann is free to start'],
    ['free', 'paid', 'Ann is free to start'],
    ['free', 'unknown', 'Ann is free to start, Bob states no price'],
    ['freemium', 'free', 'both are free to start'],
    ['freemium', 'freemium', 'both have a free tier'],
    ['freemium', 'trial', 'Ann has a free tier'],
    ['freemium', 'paid', 'Ann has a free tier'],
    ['freemium', 'unknown', 'Ann has a free tier, Bob states no price'],
    ['trial', 'free', 'Bob is free to start'],
    ['trial', 'freemium', 'Bob has a free tier'],
    ['trial', 'trial', 'both start with a trial'],
    ['trial', 'paid', 'Ann can be tried first'],
    ['trial', 'unknown', 'Ann can be tried first, Bob states no price'],
    ['paid', 'free', 'Bob is free to start'],
    ['paid', 'freemium', 'Bob has a free tier'],
    ['paid', 'trial', 'Bob can be tried first'],
    ['paid', 'paid', 'both charge from day one'],
    ['paid', 'unknown', 'Ann charges from day one, Bob states no price'],
    ['unknown', 'free', 'Bob is free to start, Ann states no price'],
    ['unknown', 'freemium', 'Bob has a free tier, Ann states no price'],
    ['unknown', 'trial', 'Bob can be tried first, Ann states no price'],
    ['unknown', 'paid', 'Bob charges from day one, Ann states no price'],
    ['unknown', 'unknown', 'neither states a price'],
  ])('of %s and %s is "… %s"', (a, b, said) => {
    expect(read(a, b)).toBe(said)
  })

  it('is the same from either side', () => {
    for (const [a, b] of pairs) expect(swapped(read(b, a))).toBe(read(a, b))
  })

  it('never says that a tool which states no price charges or is free', () => {
    for (const [a, b] of pairs.filter(([first]) => first === 'unknown'))
      expect(read(a, b)).not.toMatch(/Ann (is free|has|can|charges)|both/)
  })
})

describe('the entry price', () => {
  it('is one label each', () => {
    expect(prices.map(entryLabel)).toEqual(['Free', 'Freemium', 'Trial', 'Paid', 'Not stated'])
  })
})

function read(a: EntryPrice, b: EntryPrice): string {
  const { tools } = toComparison(documentFor('quillmark'))
  return pricingRead([
    { ...tools[0], name: 'Ann', entryPrice: a },
    { ...tools[1], name: 'Bob', entryPrice: b },
  ])
}

function swapped(said: string): string {
  return said.replace(/Ann|Bob/g, (name) => (name === 'Ann' ? 'Bob' : 'Ann'))
}
