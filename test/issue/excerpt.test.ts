import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutAtWord, excerpt, splitSentences } from '../../src/issue/excerpt.ts'

const three = 'Quillmark drafts letters. It keeps your tone! Does it scale? It does, up to a team of nine.'

describe('an excerpt', () => {
  it.each([
    ['is the whole text when it fits', three, three.length, three, false],
    [
      'ends with the last sentence that fits, and says that it was cut',
      ...([
        three,
        three.length - 1,
        'Quillmark drafts letters. It keeps your tone! Does it scale?',
        true,
      ] as const),
    ],
    ['may end exactly at its length', three, 45, 'Quillmark drafts letters. It keeps your tone!', true],
    ['drops a sentence that is one character too long', three, 44, 'Quillmark drafts letters.', true],
    ['cuts a first sentence that is too long between words', three, 24, 'Quillmark drafts…', true],
    [
      'sets white space and line breaks as single spaces before it measures',
      ...(['  One\n\ntwo\t\tthree  ', 13, 'One two three', false] as const),
    ],
    [
      'keeps no comma or dash before the ellipsis',
      'Fast, cheap — and wrong about most things',
      14,
      'Fast, cheap…',
      true,
    ],
    ['is empty when there is nothing', '   ', 10, '', false],
    [
      'does not take a decimal point or a version for the end of a sentence',
      ...(['Version 2.5 costs 4.99 a month. And more besides.', 31] as const),
      ...(['Version 2.5 costs 4.99 a month.', true] as const),
    ],
    [
      'cuts Chinese between words, where there are no spaces',
      '写作助手很好用但是很贵而且很慢',
      6,
      '写作助手…',
      true,
    ],
  ])('%s', (_, text, most, expected, isCut) => {
    expect(excerpt(text, most)).toEqual({ text: expected, isCut })
  })

  it('cuts one endless word inside it, for there is no better place', () => {
    expect(excerpt('x'.repeat(300), 20)).toEqual({ text: `${'x'.repeat(19)}…`, isCut: true })
  })

  it('never cuts an endless word inside a character', () => {
    expect(cutAtWord(`M${'𝒜'.repeat(50)}`, 11)).toBe(`M${'𝒜'.repeat(4)}…`)
    expect(cutAtWord('e\u0301'.repeat(50), 10)).toBe(`${'e\u0301'.repeat(4)}…`)
  })

  it('never cuts an emoji in two', () => {
    expect(cutAtWord('👩🏽‍🚀'.repeat(9), 20)).toBe(`${'👩🏽‍🚀'.repeat(2)}…`)
  })

  it('is never longer than asked for, and never ends inside a word', () => {
    fc.assert(
      fc.property(prose, fc.integer({ min: 25, max: 300 }), (text, most) => {
        const { text: kept, isCut } = excerpt(text, most)
        const stem = kept.replace(/…$/, '')

        expect(kept.length).toBeLessThanOrEqual(most)
        expect(text.startsWith(stem)).toBe(true)
        expect(isCut).toBe(kept !== text)
        expect(text.slice(stem.length), kept).toMatch(/^(|[\s,.!?—-].*)$/)
      }),
      { numRuns: 1000 },
    )
  })

  it('is whole sentences as soon as the first fits', () => {
    fc.assert(
      fc.property(prose, (text) => {
        const [first = ''] = splitSentences(text)
        const { text: kept } = excerpt(text, Math.max(first.trimEnd().length, 25))

        expect(kept).not.toContain('…')
        expect(kept.startsWith(first.trimEnd())).toBe(true)
      }),
    )
  })

  it('is never longer than asked for, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 400 }),
        fc.integer({ min: 2, max: 300 }),
        (text, most) => {
          const { text: kept } = excerpt(text, most)

          expect(kept.length).toBeLessThanOrEqual(most)
          expect(kept.isWellFormed()).toBe(true)
        },
      ),
      { numRuns: 1000 },
    )
  })
})

describe('sentences', () => {
  it('are found whole, and together are the text', () => {
    expect(splitSentences(three).map((sentence) => sentence.trim())).toEqual([
      ...['Quillmark drafts letters.', 'It keeps your tone!', 'Does it scale?'],
      'It does, up to a team of nine.',
    ])
    expect(splitSentences(three).join('')).toBe(three)
  })
})

const sentence = fc
  .tuple(
    fc.array(fc.constantFrom('it', 'writes', 'letters,', 'extraordinarily', 'well —', 'co-operates', 'and'), {
      ...{ minLength: 1, maxLength: 30 },
    }),
    fc.constantFrom('.', '!', '?'),
  )
  .map(([words, end]) => `It ${words.join(' ').replace(/[,—\s]+$/, '')}${end}`)

const prose = fc.array(sentence, { minLength: 1, maxLength: 8 }).map((sentences) => sentences.join(' '))
