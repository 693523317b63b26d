import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { composeComparison, composeIssue } from '../../src/issue/compose.ts'
import { weekNamed } from '../../src/issue/week.ts'
import type { CommunityCount, Comparison } from '../../src/verdict/comparison.ts'
import { documentFor, sampleDocuments, toComparison } from '../setup/comparisons.ts'
import { newYork } from '../setup/newsletter.ts'
import { sampleComparisons } from '../setup/sample-issue.ts'

const week = weekNamed('2026-W47', newYork) ?? expect.fail('2026 has a week 47')

describe('what an issue says of each sample', () => {
  const said: Record<
    string,
    readonly [sentence: string, winner: string, priceLine: string, readers: string]
  > = {
    'claude-4-sonnet-vs-smolvlm2': [
      'Panel ships both; SmolVLM2 is free to start.',
      ...(['Both', 'SmolVLM2 is free to start', ''] as const),
    ],
    'whiskerset-vs-stencilwright': [
      'Panel prefers {{Whiskerset}}, 3 of 4, to Stencilwright, 2 of 4; {{Whiskerset}} has a free tier.',
      ...(['{{Whiskerset}}', '{{Whiskerset}} has a free tier', ''] as const),
    ],
    'ferrulane-vs-lathework': [
      'Panel ships Ferrulane and skips Lathework; Ferrulane has a free tier.',
      ...(['Ferrulane', 'Ferrulane has a free tier', ''] as const),
    ],
    'siltbed-vs-marrowgate': [
      'Panel splits down the middle on both; both are free to start.',
      ...(['Tie', 'Both are free to start', ''] as const),
    ],
    'babbleridge-vs-tessaloom': [
      'Panel prefers Babbleridge, 4 of 4, to Tessaloom, 3 of 4; Babbleridge has a free tier, Tessaloom states no price.',
      ...(['Babbleridge', 'Babbleridge has a free tier, Tessaloom states no price', ''] as const),
    ],
    'drapewright-vs-sallowcanvas': [
      'Panel skips both; neither states a price.',
      ...(['Neither', 'Neither states a price'] as const),
      'Readers disagree: 95 % of 124 readers would ship Drapewright; 89 % of 103 readers would ship Sallowcanvas.',
    ],
    'thornhasp-vs-gatewry-and-daughters': [
      'Panel ships Gatewry & Daughters and skips Thornhasp; Gatewry & Daughters has a free tier.',
      ...(['Gatewry & Daughters', 'Gatewry & Daughters has a free tier', ''] as const),
    ],
    'minutewain-vs-dawdlenote': [
      'Panel prefers Minutewain, 2 of 4, to Dawdlenote, 1 of 4; Dawdlenote has a free tier.',
      ...(['Minutewain', 'Dawdlenote has a free tier', ''] as const),
    ],
    'splicewain-vs-framebarrow': [
      'Panel ships both, 3 to 1; both charge from day one.',
      ...(['Both', 'Both charge from day one', ''] as const),
    ],
    'helmpenny-vs-replyhearth': [
      'Panel prefers Helmpenny, 4 of 4, to Replyhearth, 2 of 3; Helmpenny can be tried first, Replyhearth states no price.',
      ...(['Helmpenny', 'Helmpenny can be tried first, Replyhearth states no price', ''] as const),
    ],
    'uq-vs-patient-telephone-receptionist': [
      'Panel ships Uq and skips The Extraordinarily Patient Telephone Receptionist for Clinics; The Extraordinarily Patient Telephone Receptionist for Clinics can be tried first.',
      'Uq',
      'The Extraordinarily Patient Telephone Receptionist for Clinics can be tried first',
      'Readers disagree: 6 % of 217 readers would ship Uq; 94 % of 418 readers would ship The Extraordinarily Patient Telephone Receptionist for Clinics.',
    ],
    'rillgauge-vs-cisternly': [
      'Panel prefers Rillgauge, 4 of 4, to Cisternly, 2 of 4; Rillgauge is free to start.',
      ...(['Rillgauge', 'Rillgauge is free to start', ''] as const),
    ],
    'larkhusk-vs-tinmumble': [
      'Panel prefers Tinmumble, 2 of 4, to Larkhusk, 1 of 4; both are free to start.',
      ...(['Tinmumble', 'Both are free to start', ''] as const),
    ],
    'footnotary-vs-citebarrow': [
      'Panel ships both; both charge from day one.',
      ...(['Both', 'Both charge from day one', ''] as const),
    ],
    'glyphmoor-vs-kernwick': [
      'Panel skips both, Glyphmoor harder; Kernwick can be tried first, Glyphmoor states no price.',
      ...(['Neither', 'Kernwick can be tried first, Glyphmoor states no price', ''] as const),
    ],
    'proofwain-vs-serifane': [
      'Panel ships Serifane and skips Proofwain; Serifane has a free tier.',
      ...(['Serifane', 'Serifane has a free tier', ''] as const),
    ],
  }

  it.each(Object.entries(said))('%s', (slug, [sentence, winner, priceLine, communityLine]) => {
    const document = sampleDocuments().get(slug) ?? expect.fail(`there is no sample ${slug}`)

    expect(composeComparison(toComparison(document))).toMatchObject({
      ...{ slug, title: document.title, sentence, winner, priceLine, communityLine },
    })
  })

  it('is written down here for every sample', () => {
    expect([...sampleDocuments().keys()].toSorted()).toEqual(Object.keys(said).toSorted())
  })
})

describe('what an issue says of a tool', () => {
  const [sonnet, smol] = composeComparison(sampleNamed('claude-4-sonnet-vs-smolvlm2')).tools

  it('is the panel’s share, the readers’ or a dash, and the entry price', () => {
    expect([sonnet, smol].map((tool) => [tool.panel.percent, tool.stamp, tool.panelLabel])).toEqual([
      [100, 'ship', '4 of 4 ship it'],
      [100, 'ship', '4 of 4 ship it'],
    ])
    expect([sonnet, smol].map(({ communityLabel, entry }) => [communityLabel, entry])).toEqual([
      ['—', 'Paid'],
      ['—', 'Free'],
    ])
  })

  it('quotes one of its reviewers, word for word, on the side that the reviewer took', () => {
    for (const comparison of sampleComparisons())
      for (const [index, { quote }] of composeComparison(comparison).tools.entries()) {
        const reviews = comparison.tools[index]?.reviews ?? []
        const said = reviews.find(({ reviewer }) => reviewer === quote.lens.toLowerCase())

        expect(said?.verdict).toBe(quote.verdict)
        expect(said?.quote.replace(/\s+/g, ' ')).toContain(quote.text.replace(/…$/, ''))
      }
  })

  it('quotes whoever disagrees with the rest of the panel', () => {
    const three = composeComparison(pair({ shape: [3, 1] }))

    expect(three.tools.map(({ quote }) => [quote.lens, quote.verdict])).toEqual([
      ['Founder', 'skip'],
      ['Builder', 'ship'],
    ])
  })

  it('is its description, whole where it is short, else with whole sentences and the mark of a cut', () => {
    for (const comparison of sampleComparisons())
      for (const [index, { description }] of composeComparison(comparison).tools.entries()) {
        const whole = comparison.tools[index]?.description ?? ''

        expect(description.text.length).toBeLessThanOrEqual(220)
        expect(description.isCut).toBe(description.text !== whole)
      }
  })
})

describe('where readers and panel part', () => {
  it.each<[string, CommunityCount | undefined, number, string]>([
    ['nobody voted', undefined, 4, ''],
    ['too few voted', { ship: 0, skip: 4 }, 4, ''],
    ['enough voted against a tool that the panel ships', { ship: 0, skip: 5 }, 4, '0 % of 5 readers'],
    ['they agree to ship', { ship: 9, skip: 1 }, 4, ''],
    ['they agree to skip', { ship: 1, skip: 9 }, 0, ''],
    ['they would ship what the panel skips', { ship: 9, skip: 1 }, 1, '90 % of 10 readers'],
    ['readers are halved', { ship: 5, skip: 5 }, 4, ''],
    ['the panel is halved', { ship: 9, skip: 1 }, 2, ''],
  ])('when %s', (_, community, ships, clause) => {
    const comparison = pair({ shape: [ships, 4], community })

    expect(composeComparison(comparison).communityLine).toBe(
      clause && `Readers disagree: ${clause} would ship quillmark left.`,
    )
  })
})

describe('the category of a pair', () => {
  it('is named once when both tools share it, else both are', () => {
    const same = pair({})
    const [a, b] = same.tools

    expect(composeComparison(same).category).toBe('Developer Tools')
    expect(composeComparison({ ...same, tools: [a, { ...b, category: 'Video' }] }).category).toBe(
      'Developer Tools / Video',
    )
  })
})

describe('the issue', () => {
  it('names its week, and its day in the newsletter’s zone', () => {
    const monday = { weekday: 1, hour: 0, minute: 30 }
    const tokyo = { zone: 'Asia/Tokyo', draftAt: monday, sendAt: monday }
    const newYear = weekNamed('2026-W53', tokyo) ?? expect.fail('2026 has a week 53')

    expect(composeIssue(week, [pair({})])).toMatchObject({
      ...{ week: '2026-W47', weekLabel: 'Week 47, 2026', dateLabel: 'Friday 20 November 2026' },
    })
    expect(composeIssue(newYear, [pair({})])).toMatchObject({
      ...{ weekLabel: 'Week 53, 2026', dateLabel: 'Monday 28 December 2026' },
    })
  })

  it('counts its comparisons', () => {
    expect(composeIssue(week, [pair({})]).countLabel).toBe('1 comparison this week')
    expect(composeIssue(week, sampleComparisons().slice(0, 2)).countLabel).toBe('2 comparisons this week')
  })

  it('is the same whatever the order in which its comparisons arrived', () => {
    const issue = composeIssue(week, sampleComparisons())

    fc.assert(
      fc.property(shuffled(sampleComparisons()), (comparisons) => {
        expect(composeIssue(week, comparisons)).toEqual(issue)
      }),
    )
  })

  it('is the same in any order also when its comparisons differ in nothing but the slug', () => {
    const twins = ['c', 'a', 'b'].map((slug) => ({ ...pair({}), slug }))

    fc.assert(
      fc.property(shuffled(twins), (comparisons) => {
        expect(order(comparisons)).toEqual(['a', 'b', 'c'])
      }),
    )
  })
})

describe('the lead', () => {
  it('is the pair with the widest gap between the panel’s shares', () => {
    expect(
      order([
        pair({ slug: 'none', shape: [4, 4] }),
        pair({ slug: 'half', shape: [4, 2] }),
        pair({ slug: 'whole', shape: [0, 4] }),
        pair({ slug: 'quarter', shape: [1, 2] }),
      ]),
    ).toEqual(['whole', 'half', 'quarter', 'none'])
  })

  it('is the more contested of two equal gaps', () => {
    expect(
      order([
        pair({ slug: 'a-of-one-mind', shape: [4, 4] }),
        pair({ slug: 'c-halved', shape: [2, 2] }),
        pair({ slug: 'b-nearly', shape: [3, 3] }),
      ]),
    ).toEqual(['c-halved', 'b-nearly', 'a-of-one-mind'])
  })

  it('is the newer of two that are as wide and as contested, whichever side won', () => {
    expect(
      order([
        pair({ slug: 'b-older', shape: [3, 1], publishedAt: '2026-11-17T10:00:00Z' }),
        pair({ slug: 'c-newer', shape: [1, 3], publishedAt: '2026-11-17T10:00:01Z' }),
        pair({ slug: 'a-oldest', shape: [3, 1], publishedAt: '2026-11-16T10:00:00Z' }),
      ]),
    ).toEqual(['c-newer', 'b-older', 'a-oldest'])
  })

  it.each([
    [[4, 0], 'Ship quillmark left, skip quillmark right'],
    [[1, 3], 'Ship quillmark right, skip quillmark left'],
    [[4, 2], 'quillmark left beats quillmark right'],
    [[2, 1], 'quillmark left beats quillmark right'],
    [[1, 0], 'Skip both, quillmark right first'],
    [[4, 4], 'Ship either: quillmark left or quillmark right'],
    [[2, 2], 'Panel halves over quillmark left and quillmark right'],
    [[0, 0], 'Skip both: quillmark left and quillmark right'],
  ] as const)('with %j of four ships makes the headline "%s"', (shape, headline) => {
    expect(composeIssue(week, [pair({ shape })]).headline).toBe(headline)
  })
})

describe('subject and preheader', () => {
  it('name the seed’s verdict, the ISO week and what else there is', () => {
    const alone = composeIssue(week, [sampleNamed('claude-4-sonnet-vs-smolvlm2')])

    expect(alone.subject).toBe('Ship either: Claude 4 Sonnet or SmolVLM2 · 2026-W47')
    expect(alone.preheader).toBe(
      'SmolVLM2 is free to start. The panel’s verdicts, the prices, and where the reviewers split',
    )
    const many = composeIssue(week, sampleComparisons())
    expect(many.subject).toMatch(/, and 15 more.* · 2026-W47$/)
    expect(many.preheader).toContain(many.comparisons[1]?.title)
  })

  it('have a length that an inbox shows whole, whatever the tools are called and however the panel votes', () => {
    fc.assert(
      fc.property(fc.array(comparisons, { minLength: 1, maxLength: 12 }), (given) => {
        const { subject, preheader } = composeIssue(week, given)

        expect(subject.length, subject).toBeGreaterThanOrEqual(40)
        expect(subject.length, subject).toBeLessThanOrEqual(70)
        expect(preheader.length, preheader).toBeGreaterThanOrEqual(40)
        expect(preheader.length, preheader).toBeLessThanOrEqual(90)
        expect(subject.endsWith(' · 2026-W47')).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  it('are whole characters: no name is cut inside one', () => {
    fc.assert(
      fc.property(fc.array(comparisons, { minLength: 1, maxLength: 3 }), (given) => {
        const { subject, preheader } = composeIssue(week, given)

        expect((subject + preheader).isWellFormed()).toBe(true)
        expect(subject + preheader).not.toContain('\ufffd')
      }),
      { numRuns: 2000 },
    )
  })
})

const words = fc.array(fc.constantFrom('Ox', 'Quill', 'the', 'Weathervane', 'Bellwetherlighthouse'), {
  ...{ minLength: 1, maxLength: 20 },
})
const units = ['M', '字', 'ツ', '한', '🦉', '👩🏽‍🚀', '🇪🇬', 'é', '𝒜', 'ء', 'ก'] as const

/** 1 to 120 UTF-16 units, as the intake lets through: words, one endless word, CJK, emoji, letters beyond the BMP. */
const names = fc
  .oneof(
    words.map((some) => some.join(' ')),
    fc.tuple(fc.constantFrom(...units), fc.integer({ min: 1, max: 120 })).map(([unit, n]) => unit.repeat(n)),
    fc
      .array(fc.constantFrom(...units, ' ', '-', '.'), { minLength: 1, maxLength: 120 })
      .map((some) => some.join('')),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 120 }),
  )
  .map((name) => shortened(name, 120))
  .filter((name) => name !== '')

const tools = fc.record({
  name: names,
  entryPrice: fc.constantFrom('free', 'freemium', 'trial', 'paid', 'unknown'),
  verdicts: fc.array(fc.constantFrom('ship', 'skip'), { minLength: 1, maxLength: 6 }),
})

const comparisons: fc.Arbitrary<Comparison> = fc
  .record({
    slug: fc.integer({ min: 1, max: 1_000_000 }),
    left: tools,
    right: tools,
    title: fc.option(names),
  })
  .map(({ slug, left, right, title }) => {
    const { tools, ...comparison } = pair({ slug: `pair-${slug}` })
    const toTool = (index: 0 | 1, { verdicts, ...given }: typeof left): Comparison['tools'][0] => ({
      ...tools[index],
      ...(given as Pick<(typeof tools)[0], 'name' | 'entryPrice'>),
      reviews: verdicts.map((verdict, seat) => ({
        ...{ reviewer: `reviewer-${seat}`, quote: 'It earns it.' },
        verdict: verdict as 'ship' | 'skip',
      })),
    })
    return {
      ...comparison,
      title: title ?? `${left.name} vs ${right.name}`,
      tools: [toTool(0, left), toTool(1, right)],
    }
  })

function shuffled<Item>(items: readonly Item[]): fc.Arbitrary<Item[]> {
  return fc.shuffledSubarray([...items], { minLength: items.length })
}

/** As many whole characters as fit, without white space at the ends. */
function shortened(text: string, most: number): string {
  let kept = ''
  for (const character of text) if (kept.length + character.length <= most) kept += character
  return kept.replace(/[\p{Cc}\u2028\u2029\ufffd]/gu, '').trim()
}

function pair({
  slug = 'quillmark',
  shape = [4, 0] as readonly [number, number],
  publishedAt = '2026-11-18T14:00:00Z',
  community = undefined as CommunityCount | undefined,
}): Comparison {
  const comparison = toComparison(documentFor(slug, { publishedAt }, shape))
  return { ...comparison, tools: [{ ...comparison.tools[0], community }, comparison.tools[1]] }
}

function order(comparisons: readonly Comparison[]): readonly string[] {
  return composeIssue(week, comparisons).comparisons.map(({ slug }) => slug)
}

function sampleNamed(slug: string): Comparison {
  return sampleComparisons().find((sample) => sample.slug === slug) ?? expect.fail(`no sample ${slug}`)
}
