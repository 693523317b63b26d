import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lineEncoder } from '../../src/mail/quoted-printable.ts'

describe('text as quoted-printable', () => {
  const lines = fc.array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.constantFrom(
        '',
        ' ',
        'ends in a blank ',
        '\t',
        '.',
        '..',
        '=',
        '=3D',
        'Grüße, 你好 👋🏽'.repeat(20),
        'x'.repeat(1_000),
      ),
    ),
    { maxLength: 12 },
  )

  it('is what it was once it is decoded, in lines of at most 76, however often it was met', () => {
    const encode = lineEncoder()
    fc.assert(
      fc.property(lines, (given) => {
        const text = given.map((line) => line.replace(/[\r\n]/g, '').toWellFormed()).join('\n')

        const encoded = encode(text)

        expect(decoded(encoded)).toBe(text.replaceAll('\n', '\r\n'))
        for (const line of encoded.split('\r\n')) expect(line).toMatch(/^[\t\x20-\x7e]{0,76}$/)
        for (const line of encoded.split('\r\n')) expect(line).not.toMatch(/[\t ]$/)
        expect(encode(text)).toBe(encoded)
        expect(lineEncoder()(text)).toBe(encoded)
      }),
    )
  })
})

/** RFC 2045 section 6.7, rules 1 and 5. */
function decoded(encoded: string): string {
  const bytes = encoded
    .replaceAll('=\r\n', '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString()
}
