import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Comparison, Review, Tool } from '../../src/verdict/comparison.ts'
import { panelSentence, panelVerdict, panelWinner, reviewerSplit } from '../../src/verdict/panel.ts'
import { documentFor, toComparison } from '../setup/comparisons.ts'

describe('the panel verdict on a tool', () => {
  it.each([
    [0, 4, 0, 'skip'],
    [1, 4, 25, 'skip'],
    [2, 4, 50, 'split'],
    [3, 4, 75, 'ship'],
    [4, 4, 100, 'ship'],
    [1, 3, 33, 'skip'],
    [2, 3, 67, 'ship'],
    [1, 2, 50, 'split'],
    [1, 1, 100, 'ship'],
    [0, 1, 0, 'skip'],
    [3, 5, 60, 'ship'],
    [1, 8, 13, 'skip'],
  ])('with %i of %i ships is %i %% and the stamp %s', (ships, of, percent, stamp) => {
    expect(panelVerdict(toolWith(ships, of))).toEqual({ ships, of, percent, stamp })
  })
})

describe('the panel on the two tools', () => {
  it.each([
    [[4, 4], [0, 4], 'Panel ships Ann and skips Bob'],
    [[3, 4], [1, 4], 'Panel ships Ann and skips Bob'],
    [[4, 4], [3, 4], 'Panel prefers Ann, 4 of 4, to Bob, 3 of 4'],
    [[4, 4], [2, 4], 'Panel prefers Ann, 4 of 4, to Bob, 2 of 4'],
    [[2, 4], [1, 4], 'Panel prefers Ann, 2 of 4, to Bob, 1 of 4'],
    [[2, 3], [2, 4], 'Panel prefers Ann, 2 of 3, to Bob, 2 of 4'],
    [[1, 4], [0, 4], 'Panel skips both, Bob harder'],
  ] as const)('prefers %j to %j: "%s"', (a, b, sentence) => {
    expect([panelWinner(pair(a, b)), panelSentence(pair(a, b))]).toEqual([0, sentence])
    expect([panelWinner(pair(b, a)), panelSentence(pair(b, a))]).toEqual([1, swapped(sentence)])
  })

  it.each([
    [[4, 4], [4, 4], 'Panel ships both'],
    [[3, 4], [3, 4], 'Panel ships both, 3 to 1'],
    [[2, 4], [2, 4], 'Panel splits down the middle on both'],
    [[1, 2], [2, 4], 'Panel splits down the middle on both'],
    [[1, 4], [1, 4], 'Panel skips both, 3 to 1'],
    [[0, 4], [0, 4], 'Panel skips both'],
    [[4, 4], [3, 3], 'Panel ships both'],
  ] as const)('finds %j and %j alike: "%s"', (a, b, sentence) => {
    expect([panelWinner(pair(a, b)), panelSentence(pair(a, b))]).toEqual([null, sentence])
  })

  it('compares shares, not percentages that were rounded', () => {
    expect(panelWinner(pair([2, 3], [8, 12]))).toBeNull()
    expect(panelWinner(pair([99, 300], [100, 300]))).toBe(1)
    expect(panelVerdict(toolWith(99, 300)).percent).toBe(panelVerdict(toolWith(100, 300)).percent)
  })

  it('is of one mind whichever tool is named first', () => {
    const share = fc.integer({ min: 1, max: 12 }).chain((of) => fc.tuple(fc.nat(of), fc.constant(of)))
    fc.assert(
      fc.property(share, share, (a, b) => {
        const [there, back] = [panelWinner(pair(a, b)), panelWinner(pair(b, a))]

        expect(back).toBe(there === null ? null : 1 - there)
        if (there !== null) expect(panelSentence(pair(b, a))).toBe(swapped(panelSentence(pair(a, b))))
      }),
    )
  })
})

describe('the reviewer split', () => {
  it('has a row for each lens in panel order, and for guests after them by name', () => {
    const split = reviewerSplit([
      withReviews({ zoe: 'ship', founder: 'ship', builder: 'skip', amos: 'skip' }),
      withReviews({ founder: 'ship', skeptic: 'skip', builder: 'ship' }),
    ])

    expect(split).toEqual([
      { reviewer: 'builder', verdicts: ['skip', 'ship'], parts: true },
      { reviewer: 'skeptic', verdicts: [null, 'skip'], parts: false },
      { reviewer: 'futurist', verdicts: [null, null], parts: false },
      { reviewer: 'founder', verdicts: ['ship', 'ship'], parts: false },
      { reviewer: 'amos', verdicts: ['skip', null], parts: false },
      { reviewer: 'zoe', verdicts: ['ship', null], parts: false },
    ])
  })
})

function toolWith(ships: number, of: number, name = 'Ann'): Tool {
  const verdicts = Array.from(
    { length: of },
    (_, seat) => [`r-${seat}`, seat < ships ? 'ship' : 'skip'] as const,
  )
  return { ...withReviews(Object.fromEntries(verdicts)), name }
}

function pair(a: readonly [number, number], b: readonly [number, number]): Comparison['tools'] {
  return [toolWith(...a, 'Ann'), toolWith(...b, 'Bob')]
}

function withReviews(verdicts: Readonly<Record<string, Review['verdict']>>): Tool {
  const [tool] = toComparison(documentFor('quillmark')).tools
  const reviews = Object.entries(verdicts).map(([reviewer, verdict]) => ({
    reviewer,
    verdict,
    quote: 'Yes.',
  }))
  return { ...tool, reviews }
}

function swapped(sentence: string): string {
  return sentence.replace(/Ann|Bob/g, (name) => (name === 'Ann' ? 'Bob' : 'Ann'))
}
