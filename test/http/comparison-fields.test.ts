import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  documentOf,
  fieldsOf,
  readFieldsOfComparison,
  type ToolFields,
} from '../../src/http/editor/comparison-fields.ts'
import { type ComparisonDocument, comparisonDocument } from '../../src/verdict/document.ts'

const zone = 'America/New_York'

describe('a comparison through its form', () => {
  it('comes back word for word, whatever it says and whenever it was published', () => {
    fc.assert(
      fc.property(documents(), (document) => {
        const sent = asSent(document)
        const back = documentOf(readFieldsOfComparison(sent), { zone, retracted: document.retracted })
        expect(back).toEqual({ document })
      }),
      { numRuns: 300 },
    )
  })

  it('comes back also with what a browser makes of line ends, and with rows that nobody filled in', () => {
    fc.assert(
      fc.property(documents(), fc.nat(5), (document, row) => {
        const sent = Object.fromEntries(
          Object.entries(asSent(document)).map(([name, value]) => [name, value.replaceAll('\n', '\r\n')]),
        )
        const empty = {
          [`tools.0.reviews.${40 + row}.reviewer`]: 'builder',
          [`tools.0.reviews.${40 + row}.quote`]: ' ',
        }
        const back = documentOf(readFieldsOfComparison({ ...sent, ...empty }), {
          ...{ zone, retracted: document.retracted },
        })
        expect(back).toEqual({ document })
      }),
      { numRuns: 200 },
    )
  })

  it('never throws, whatever is sent, and says something is wrong or has a sound document', () => {
    const names = fc.constantFrom(
      ...['slug', 'title', 'publishedAt', 'publishedWas', 'tools.0.name', 'tools.1.community.ship'],
      ...[
        'tools.0.reviews.0.verdict',
        'tools.0.reviews.7.quote',
        'tools.1.reviews.99.reviewer',
        'tools.2.name',
      ],
    )
    fc.assert(
      fc.property(fc.dictionary(names, fc.oneof(fc.string({ unit: 'binary' }), fc.anything())), (sent) => {
        const result = documentOf(readFieldsOfComparison(sent), { zone })
        if ('errors' in result) expect(result.errors.size).toBeGreaterThan(0)
        else expect(comparisonDocument.safeParse(result.document).success).toBe(true)
      }),
    )
  })
})

/** The names and values that the form's fields have. */
function asSent(document: ComparisonDocument): Record<string, string> {
  const { slug, title, publishedAt, publishedWas, tools } = fieldsOf(document, zone)
  return {
    ...{ slug, title, publishedAt, publishedWas },
    ...Object.fromEntries(tools.flatMap((tool, side) => toolAsSent(tool, `tools.${side}`))),
  }
}

function toolAsSent({ reviews, ship, skip, ...tool }: ToolFields, at: string): [string, string][] {
  return [
    ...Object.entries(tool).map(([name, value]): [string, string] => [`${at}.${name}`, value]),
    [`${at}.community.ship`, ship],
    [`${at}.community.skip`, skip],
    ...reviews.flatMap((review, row) =>
      Object.entries(review).map(([name, value]): [string, string] => [
        `${at}.reviews.${row}.${name}`,
        value,
      ]),
    ),
  ]
}

/** Sound documents, as the intake leaves them. */
function documents(): fc.Arbitrary<ComparisonDocument> {
  const slug = fc.stringMatching(/^[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,3}$/)
  const text = fc
    .array(
      fc.oneof(
        fc.string({ unit: 'grapheme', maxLength: 12 }),
        fc.constantFrom('\n', '"', '<b>', '&amp;', '{{x}}'),
      ),
      {
        maxLength: 12,
      },
    )
    .map((parts) => `a${parts.join('')}z`)
  const line = text.map((words) => words.replaceAll('\n', ' '))
  const review = fc.record({ reviewer: slug, verdict: fc.constantFrom('ship', 'skip'), quote: text })
  const tool = fc.record(
    {
      ...{ slug, name: line, category: line, tagline: line, description: text },
      entryPrice: fc.constantFrom('free', 'freemium', 'paid', 'trial', 'unknown'),
      priceNote: line,
      url: fc.constantFrom('https://example.test/', 'https://example.test/a?b=c&d=%20#e'),
      community: fc.record({ ship: fc.nat(10_000_000), skip: fc.nat(10_000_000) }),
      reviews: fc.uniqueArray(review, { minLength: 1, maxLength: 12, selector: ({ reviewer }) => reviewer }),
    },
    { requiredKeys: ['slug', 'name', 'category', 'tagline', 'description', 'entryPrice', 'reviews'] },
  )
  const instant = fc
    .date({ min: new Date('1971-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
    .chain((date) =>
      fc.constantFrom(
        date.toISOString(),
        date.toISOString().replace(/\.\d+Z$/, 'Z'),
        date.toISOString().replace(/Z$/, '+05:30'),
      ),
    )
  return fc
    .record(
      {
        ...{ slug, title: line, publishedAt: instant, retracted: fc.boolean() },
        tools: fc.uniqueArray(tool, { minLength: 2, maxLength: 2, selector: (one) => one.slug }),
      },
      { requiredKeys: ['slug', 'title', 'publishedAt', 'tools'] },
    )
    .map((given) => comparisonDocument.safeParse(given))
    .filter((parsed) => parsed.success)
    .map((parsed) => parsed.data as ComparisonDocument)
}
