import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fieldChanges } from '../../src/verdict/field-changes.ts'
import { searchQuery, searchWords } from '../../src/verdict/search-words.ts'
import { wordDiff } from '../../src/verdict/word-diff.ts'
import { documentFor } from '../setup/comparisons.ts'

const quill = documentFor('quill')
const [left, right] = quill.tools
if (!left || !right) throw new Error('A comparison has two tools')

describe('what differs between two documents', () => {
  it('is nothing between equal ones', () => {
    expect(fieldChanges(quill, structuredClone(quill))).toEqual([])
  })

  it('is named field by field, by tool and by reviewer', () => {
    const [builder, ...others] = left.reviews
    if (!builder) throw new Error('There is a builder')
    const after = {
      ...{ ...quill, title: 'New', retracted: true, publishedAt: '2026-11-19T14:00:00Z' },
      tools: [
        {
          ...left,
          priceNote: '9 a month',
          reviews: [{ ...builder, quote: 'Other words' }, ...others.slice(0, 2)],
        },
        { ...right, community: { ship: 3, skip: 1 }, entryPrice: 'free' as const },
      ],
    }

    expect(fieldChanges(quill, after).map(({ field, before, after: now }) => [field, before, now])).toEqual([
      ['Title', quill.title, 'New'],
      ['Published', '2026-11-18 14:00:00 UTC', '2026-11-19 14:00:00 UTC'],
      ['Retracted', 'no', 'yes'],
      ['quill left: price note', '', '9 a month'],
      ['quill left: Builder’s words', builder.quote, 'Other words'],
      ['quill left: Founder’s verdict', 'ship', ''],
      ['quill left: Founder’s words', left.reviews[3]?.quote, ''],
      ['quill right: entry price', 'Paid', 'Free'],
      ['quill right: votes counted elsewhere', '', '3 ship, 1 skip'],
    ])
  })

  it('is the sides, when the two tools changed places, and not every word of both', () => {
    expect(fieldChanges(quill, { ...quill, tools: [right, left] })).toEqual([
      { field: 'Sides', before: 'quill left, then quill right', after: 'quill right, then quill left' },
    ])
  })
})

describe('the difference of two texts', () => {
  it('is by words, with what stayed cut to its ends', () => {
    const stays = Array.from({ length: 200 }, (_, n) => `word${n}`).join(' ')

    expect(wordDiff(`It ships. ${stays} Done.`, `It skips. ${stays} Done!`)).toEqual([
      { kind: 'same', text: 'It ' },
      { kind: 'removed', text: 'ships' },
      { kind: 'added', text: 'skips' },
      { kind: 'same', text: expect.stringMatching(/^\. word0 .{60,90} … .{60,90} word199 Done$/) },
      { kind: 'removed', text: '.' },
      { kind: 'added', text: '!' },
    ])
  })

  it('has every word that went and every word that came, and ends soon for any two texts', () => {
    const words = fc
      .array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 20 })
      .map((list) => list.join(' '))
    fc.assert(
      fc.property(words, words, (before, after) => {
        const parts = wordDiff(before, after)
        const without = (kind: string) =>
          parts
            .filter((part) => part.kind !== kind)
            .map(({ text }) => text)
            .join('')
        expect([without('added'), without('removed')]).toEqual([before, after])
      }),
    )
    const long = (seed: string) => Array.from({ length: 1_500 }, (_, n) => `${seed}${n}`).join(' ')
    expect(wordDiff(long('x'), long('y'))).toHaveLength(2)
  })
})

describe('words to be found by', () => {
  it('are letters and figures without accents and case', () => {
    expect(searchWords('GPT-4.5 “Café” 日本語 ②')).toEqual(['gpt', '4', '5', 'cafe', '日本語', '2'])
    expect(searchQuery(' gpt-4.5 ')).toBe('gpt:* & 4:* & 5:*')
    expect(searchQuery('!?')).toBeUndefined()
  })
})
