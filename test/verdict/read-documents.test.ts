import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ComparisonDocument } from '../../src/verdict/document.ts'
import { type ReadDocument, readDocuments } from '../../src/verdict/read-documents.ts'
import { documentFor, sampleDocuments } from '../setup/comparisons.ts'

type Tool = ComparisonDocument['tools'][number]

/**
 * In print: the slug is on line 2, `publishedAt` on 3, the title on 4; the first tool begins on 6, with its name on 8,
 * its tagline on 10, its price on 12 and its first quote on 17; the second tool begins on 36.
 */
const quillmark = documentFor('quillmark')
const inkwell = documentFor('inkwell')

describe('reading comparison documents', () => {
  it('takes one JSON document', () => {
    expect(readDocuments(print(quillmark))).toEqual([{ ok: true, line: 1, document: quillmark }])
  })

  it('takes every sample', () => {
    for (const document of sampleDocuments().values())
      expect(readDocuments(print(document))).toEqual([{ ok: true, line: 1, document }])
  })

  it('takes an array of them, and knows where each begins', () => {
    expect(readDocuments(print([quillmark, inkwell]))).toEqual([
      { ok: true, line: 2, document: quillmark },
      { ok: true, line: 69, document: inkwell },
    ])
  })

  it('takes an empty array for no documents', () => {
    expect(readDocuments('[]\n')).toEqual([])
  })

  it('takes NDJSON, with blank lines and carriage returns', () => {
    const source = `\r\n${JSON.stringify(quillmark)}\r\n\r\n  ${JSON.stringify(inkwell)}\r\n`

    expect(readDocuments(source)).toEqual([
      { ok: true, line: 2, document: quillmark },
      { ok: true, line: 4, document: inkwell },
    ])
  })

  it.each(['\r\n', '\n'])('counts lines that end with %j', (end) => {
    const source = print({ ...quillmark, title: '' }).replaceAll('\n', end)

    expect(faultsIn(readDocuments(source))).toEqual([[4, 'title', 'expected some text']])
  })

  it('overlooks a byte order mark', () => {
    expect(readDocuments(`\ufeff${print(quillmark)}`)).toEqual([{ ok: true, line: 1, document: quillmark }])
    expect(readDocuments(`\ufeff${JSON.stringify(quillmark)}\n${JSON.stringify(inkwell)}`)).toHaveLength(2)
  })

  it('trims texts, and composes what was written as letter and accent', () => {
    const document = { ...quillmark, title: '  Cafe\u0301 vs bar \n' }

    expect(readDocuments(print(document))).toMatchObject([{ ok: true, document: { title: 'Café vs bar' } }])
  })

  it('leaves markup and templates as the text that they are', () => {
    const title = '<script>{{constructor}}</script> & <mj-raw>'

    expect(readDocuments(print({ ...quillmark, title }))).toMatchObject([{ ok: true, document: { title } }])
  })

  it('takes line breaks and tabs in descriptions and quotes, emoji, and text from right to left', () => {
    const description = 'One.\n\n\tTwo 👩🏽‍🚀.\nשלום, مرحبا.'

    expect(readDocuments(withLeft({ description }))).toMatchObject([
      { ok: true, document: { tools: [{ description }, {}] } },
    ])
  })

  it('takes as much text as is allowed', () => {
    const longest = { name: 'n'.repeat(120), tagline: 't'.repeat(400), description: 'd'.repeat(6000) }

    expect(readDocuments(withLeft(longest))).toMatchObject([{ ok: true }])
  })

  it('takes what the other documents of a file say, although one of them is refused', () => {
    const read = readDocuments(print([quillmark, { ...inkwell, title: 7 }, documentFor('sandglass')]))

    expect(read.map(({ ok, line }) => [ok, line])).toEqual([
      [true, 2],
      [false, 69],
      [true, 136],
    ])
    expect(read[1]).toMatchObject({ slug: 'inkwell', faults: [{ line: 72, field: 'title' }] })
  })

  it('takes the good lines of NDJSON, wherever the broken one is', () => {
    const good = JSON.stringify(quillmark)

    for (const broken of [0, 1, 2]) {
      const lines = [good, good, good].map((line, index) => (index === broken ? '{"slug": nope}' : line))
      const read = readDocuments(lines.join('\n'))

      expect(read.map(({ ok, line }) => [ok, line])).toEqual([0, 1, 2].map((n) => [n !== broken, n + 1]))
      expect(faultsIn(read)).toEqual([[broken + 1, '', 'not valid JSON: invalid symbol']])
    }
  })

  it('knows where each of many begins', () => {
    const many = Array.from({ length: 200 }, (_, n) => documentFor(`pair-${n}`))

    expect(readDocuments(print(many))).toEqual(
      many.map((document, n) => ({ ok: true, line: 2 + 67 * n, document })),
    )
  })
})

describe('a file that is no JSON is refused with the line at fault', () => {
  it.each([
    ['that is empty', '', 1, 'the file is empty; expected JSON'],
    ['of nothing but white space', ' \n\n\t', 1, 'the file is empty; expected JSON'],
    ['of nothing but a byte order mark', '\ufeff', 1, 'the file is empty; expected JSON'],
    ['without a colon', print(quillmark).replace('"title":', '"title"'), 4, 'not valid JSON: colon expected'],
    ['without a comma', print(quillmark).replace('Z",', 'Z"'), 4, 'not valid JSON: comma expected'],
    [
      'with a comma too many',
      print(quillmark).replace(/\n}$/, ',\n}'),
      67,
      'not valid JSON: property name expected',
    ],
    ['that breaks off', print(quillmark).slice(0, 300), 11, 'not valid JSON: unexpected end of string'],
    ['that goes on after its end', `${print(quillmark)}\nmore`, 68, 'not valid JSON: invalid symbol'],
    ['with a comment', `// a note\n${print(quillmark)}`, 1, 'not valid JSON: invalid comment token'],
    [
      'with NaN',
      print(quillmark).replace('"2026-11-18T14:00:00Z"', 'NaN'),
      3,
      'not valid JSON: invalid symbol',
    ],
    [
      'with a bare tab in a text',
      print(quillmark).replace('left vs', 'left\tvs'),
      4,
      'not valid JSON: invalid character',
    ],
    [
      'with a NUL in a text',
      print(quillmark).replace('left vs', 'left\0vs'),
      4,
      'not valid JSON: invalid character',
    ],
    ['that is nested a hundred thousand deep', '['.repeat(100_000), 1, 'nested too deeply'],
  ])('one %s', (_, source, line, problem) => {
    expect(readDocuments(source)).toEqual([
      { ok: false, line, slug: null, faults: [{ line, field: '', problem }] },
    ])
  })

  it('and never with an exception', () => {
    const pieces = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      '\\ud800',
      'null',
      '1e',
      '-',
      '\n',
      '\ufeff',
      'a',
      '/*',
    ]
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(fc.constantFrom(...pieces)).map((some) => some.join('')),
          fc.json(),
          fc.nat(print(quillmark).length).map((length) => print(quillmark).slice(0, length)),
        ),
        (source) => {
          for (const read of readDocuments(source)) {
            expect(read.line).toBeGreaterThan(0)
            expect(read.ok || read.faults.length > 0).toBe(true)
          }
        },
      ),
      { numRuns: 1000 },
    )
  })
})

describe('a document is refused with the line and the field', () => {
  it.each<[string, string, number, string, string | RegExp]>([
    ['no object', 'null', 1, '', 'expected an object, found null'],
    ['an array in an array', '[\n  []\n]', 2, '', 'expected an object, found a list'],
    ['one tool', withTools((left) => [left]), 5, 'tools', 'expected exactly two tools, found 1'],
    [
      'three tools',
      withTools((l, r) => [l, r, { ...r, slug: 'third' }]),
      5,
      'tools',
      'expected exactly two tools, found 3',
    ],
    ['no tools', withTools(() => []), 5, 'tools', 'expected exactly two tools, found 0'],
    [
      'the same tool twice',
      withTools((left) => [left, left]),
      37,
      'tools[1].slug',
      'expected two different tools',
    ],
    ['an unknown field', print({ score: 9, ...quillmark }), 2, 'score', 'unknown field'],
    ['an unknown field of a tool', withRight({ rating: 5 }), 65, 'tools[1].rating', 'unknown field'],
    [
      'a field of the same name as a part of every object',
      `{\n "__proto__": {},${print(quillmark).slice(1)}`,
      2,
      '__proto__',
      'unknown field',
    ],
    [
      'a price that there is not',
      withLeft({ entryPrice: 'cheap' }),
      12,
      'tools[0].entryPrice',
      'expected one of free, freemium, paid, trial, unknown',
    ],
    [
      'a verdict that there is not',
      withReview({ verdict: 'maybe' }),
      16,
      'tools[0].reviews[0].verdict',
      'expected one of ship, skip',
    ],
    [
      'a reviewer twice',
      withReview({ reviewer: 'skeptic' }),
      20,
      'tools[0].reviews[1].reviewer',
      '"skeptic" reviews this tool twice',
    ],
    ['no review', withLeft({ reviews: [] }), 13, 'tools[0].reviews', 'expected at least one review'],
    ['an empty quote', withReview({ quote: ' \n ' }), 17, 'tools[0].reviews[0].quote', 'expected some text'],
    ['an http address', withLeft({ url: 'http://example.com' }), 34 + 1, 'tools[0].url', httpsOnly()],
    ['a javascript: address', withLeft({ url: 'javascript:alert(1)' }), 35, 'tools[0].url', httpsOnly()],
    [
      'a javascript: address that mentions https://',
      withLeft({ url: 'javascript://https://x/%0aalert(1)' }),
      35,
      'tools[0].url',
      httpsOnly(),
    ],
    ['a data: address', withLeft({ url: 'data:text/html,hi' }), 35, 'tools[0].url', httpsOnly()],
    ['an address without scheme', withLeft({ url: '//evil.example' }), 35, 'tools[0].url', httpsOnly()],
    ['an address without slashes', withLeft({ url: 'https:evil.example' }), 35, 'tools[0].url', httpsOnly()],
    [
      'an address with user name',
      withLeft({ url: 'https://good.example@evil.example/' }),
      35,
      'tools[0].url',
      httpsOnly(),
    ],
    [
      'an address with a line break',
      withLeft({ url: 'https://evil.example/\nBcc:' }),
      35,
      'tools[0].url',
      httpsOnly(),
    ],
    [
      'an address with a backslash',
      withLeft({ url: 'https://evil.example\\@good.example' }),
      35,
      'tools[0].url',
      httpsOnly(),
    ],
    ['a control character', print({ ...quillmark, title: 'Quill\u0007mark' }), 4, 'title', unprintable()],
    [
      'an escape of the terminal',
      print({ ...quillmark, title: '\u001b[31mQuillmark' }),
      4,
      'title',
      unprintable(),
    ],
    [
      'a hole of our own',
      withReview({ quote: '\u0001unsubscribe\u0002' }),
      17,
      'tools[0].reviews[0].quote',
      unprintable(),
    ],
    ['a C1 control', withLeft({ name: 'Quill\u0085mark' }), 8, 'tools[0].name', unprintable()],
    ['a text direction override', withLeft({ name: 'Quill\u202ekram' }), 8, 'tools[0].name', unprintable()],
    ['a text direction isolate', withLeft({ tagline: 'a\u2066b' }), 10, 'tools[0].tagline', unprintable()],
    [
      'half a surrogate pair',
      withLeft({ name: 'Quill\ud83d' }),
      8,
      'tools[0].name',
      'contains half of a surrogate pair',
    ],
    [
      'two lines of title',
      print({ ...quillmark, title: 'Quill\nBcc: all' }),
      4,
      'title',
      'expected a single line',
    ],
    ['too long a name', withLeft({ name: 'n'.repeat(121) }), 8, 'tools[0].name', /120/],
    ['too long a title', print({ ...quillmark, title: 't'.repeat(251) }), 4, 'title', /250/],
    ['too long a tagline', withLeft({ tagline: 't'.repeat(401) }), 10, 'tools[0].tagline', /400/],
    [
      'too long a description',
      withLeft({ description: 'd'.repeat(6001) }),
      11,
      'tools[0].description',
      /6000/,
    ],
    ['too long a quote', withReview({ quote: 'q'.repeat(8001) }), 17, 'tools[0].reviews[0].quote', /8000/],
    ['a slug with a capital', print({ ...quillmark, slug: 'Quillmark' }), 2, 'slug', /^expected a slug/],
    [
      'a slug that climbs folders',
      print({ ...quillmark, slug: '../../etc/passwd' }),
      2,
      'slug',
      /^expected a slug/,
    ],
    [
      'a day for an instant',
      print({ ...quillmark, publishedAt: '2026-11-18' }),
      3,
      'publishedAt',
      anInstant(),
    ],
    [
      'an instant without zone',
      print({ ...quillmark, publishedAt: '2026-11-18T14:00:00' }),
      3,
      'publishedAt',
      anInstant(),
    ],
    [
      'a day that there is not',
      print({ ...quillmark, publishedAt: '2026-02-30T14:00:00Z' }),
      3,
      'publishedAt',
      anInstant(),
    ],
    ['a number for a text', print({ ...quillmark, title: 7 }), 4, 'title', 'expected text, found a number'],
    ['votes below zero', withLeft({ community: { ship: -1, skip: 0 } }), 36, 'tools[0].community.ship', /0/],
    ['half a vote', withLeft({ community: { ship: 0.5, skip: 0 } }), 36, 'tools[0].community.ship', /int/],
  ])('one with %s', (_, source, line, field, problem) => {
    const [[foundLine, foundField, found] = [], ...others] = faultsIn(readDocuments(source))

    expect([foundLine, foundField]).toEqual([line, field])
    if (typeof problem === 'string') expect(found).toBe(problem)
    else expect(found).toMatch(problem)
    expect(others).toEqual([])
  })

  it('that a missing field would be in, for it has no line of its own', () => {
    const { title, ...untitled } = quillmark
    const unnamed = withRight({ name: undefined })

    expect(faultsIn(readDocuments(print(untitled)))).toEqual([[1, 'title', 'is missing; expected text']])
    expect(faultsIn(readDocuments(unnamed))).toEqual([[36, 'tools[1].name', 'is missing; expected text']])
  })

  it('for each of its faults', () => {
    const source = print({ ...quillmark, slug: 'Q', title: '', score: 9, stars: 3 })

    expect(faultsIn(readDocuments(source)).map(([line, field]) => [line, field])).toEqual([
      [2, 'slug'],
      [4, 'title'],
      [67, 'score'],
      [68, 'stars'],
    ])
  })

  it('of its own place in an array or in lines', () => {
    const bad = { ...inkwell, title: '' }

    expect(faultsIn(readDocuments(print([quillmark, bad])))).toEqual([[72, 'title', 'expected some text']])
    expect(
      faultsIn(readDocuments([quillmark, bad].map((document) => JSON.stringify(document)).join('\n'))),
    ).toEqual([[2, 'title', 'expected some text']])
  })
})

function print(value: unknown): string {
  return JSON.stringify(value, null, 2)
}

function withTools(change: (left: Tool, right: Tool) => readonly unknown[]): string {
  const [left, right] = quillmark.tools
  if (!left || !right) throw new Error('A comparison has two tools')
  return print({ ...quillmark, tools: change(left, right) })
}

function withLeft(changes: object): string {
  return withTools((left, right) => [{ ...left, ...changes }, right])
}

function withRight(changes: object): string {
  return withTools((left, right) => [left, { ...right, ...changes }])
}

function withReview(changes: object): string {
  return withTools((left, right) => {
    const [first, ...others] = left.reviews
    return [{ ...left, reviews: [{ ...first, ...changes }, ...others] }, right]
  })
}

function faultsIn(read: readonly ReadDocument[]): readonly (readonly [number, string, string])[] {
  return read.flatMap((one) =>
    one.ok ? [] : one.faults.map(({ line, field, problem }) => [line, field, problem] as const),
  )
}

function httpsOnly(): string {
  return 'expected an https:// address without user name or white space'
}

function unprintable(): RegExp {
  return /control character or a text-direction override/
}

function anInstant(): string {
  return 'expected an instant such as 2026-11-18T14:00:00Z'
}
