import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maskAddress, parseAddress } from '../../src/subscriber/address.ts'

describe('an address', () => {
  it.each([
    ['user@example.com', 'user@example.com'],
    ['User@EXAMPLE.com', 'user@example.com'],
    ['  ann@example.test \n', 'ann@example.test'],
    ['first.last+tag@sub.example.co.uk', 'first.last+tag@sub.example.co.uk'],
    ["o'hara_&-x!#$%*/=?^`{|}~@example.test", "o'hara_&-x!#$%*/=?^`{|}~@example.test"],
    ['ann@bücher.example', 'ann@xn--bcher-kva.example'],
    ['ann@BÜCHER.example', 'ann@xn--bcher-kva.example'],
    ['ann@bu\u0308cher.example', 'ann@xn--bcher-kva.example'],
    ['ann@例え.テスト', 'ann@xn--r8jz45g.xn--zckzah'],
    ['ann@faß.example', 'ann@xn--fa-hia.example'],
    ['ann@ex．ample', 'ann@ex.ample'],
    [`${'a'.repeat(64)}@example.test`, `${'a'.repeat(64)}@example.test`],
    [`a@${'b'.repeat(63)}.test`, `a@${'b'.repeat(63)}.test`],
    [
      `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(56)}.test`,
      `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(56)}.test`,
    ],
  ])('%j is kept as %s', (given, address) => {
    expect(parseAddress(given)).toEqual({ ok: true, address })
  })

  it.each([
    ['', /no address/],
    ['   ', /no address/],
    ['ann', /name@example\.com/],
    ['@example.test', /name@example\.com/],
    ['ann@', /name@example\.com/],
    ['ann@example', /no domain name/],
    ['ann@localhost', /no domain name/],
    ['ann@example.test.', /no domain name/],
    ['ann@.example.test', /no domain name/],
    ['ann@example..test', /no domain name/],
    ['ann@-example.test', /no domain name/],
    ['ann@example-.test', /no domain name/],
    ['ann@exam_ple.test', /no domain name/],
    ['ann@example.t', /no domain name/],
    ['ann@127.0.0.1', /no domain name/],
    ['ann@[127.0.0.1]', /no domain name/],
    ['ann@[IPv6:::1]', /no domain name/],
    [`ann@${'b'.repeat(64)}.test`, /no domain name/],
    ['.ann@example.test', /dot is out of place/],
    ['ann.@example.test', /dot is out of place/],
    ['a..nn@example.test', /dot is out of place/],
    [`${'a'.repeat(65)}@example.test`, /longer than 64/],
    [`${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(57)}.test`, /longer than 254/],
    ['ann@ann@example.test', /character that no address has/],
    ['"ann"@example.test', /character that no address has/],
    ['ann,bob@example.test', /character that no address has/],
    ['<ann@example.test>', /character that no address has|no domain name/],
    ['Ann <ann@example.test>', /white space/],
    ['ann@example.test, bob@example.test', /white space/],
    ['a nn@example.test', /white space/],
    ['ann@exam ple.test', /white space/],
    ['ann@example.test\r\nBcc: bob@example.test', /white space|invisible/],
    ['ann\u0000@example.test', /invisible/],
    ['ann\u200b@example.test', /invisible/],
    ['ann@exam\u200dple.test', /invisible/],
    ['ann\u202e@example.test', /invisible/],
    ['ann\u00ad@example.test', /invisible/],
    ['ann@example.test\ufeffx', /invisible/],
    ['änn@example.test', /only ASCII/],
    ['аnn@example.test', /only ASCII/],
    ['İnn@example.test', /only ASCII/],
    ['ann＠example.test', /name@example\.com/],
  ])('%j is refused, and told why', (given, why) => {
    const parsed = parseAddress(given)

    expect(parsed).toEqual({ ok: false, problem: expect.stringMatching(why) })
  })

  it('of a Cyrillic look-alike domain is another one', () => {
    const [latin, cyrillic] = [parseAddress('ann@apple.example'), parseAddress('ann@аpple.example')]

    expect(cyrillic).toMatchObject({ ok: true, address: expect.stringContaining('xn--') })
    expect(cyrillic).not.toEqual(latin)
  })

  it('stays as it is once it was taken, whatever was typed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.domain(), (local, domain) => {
        const parsed = parseAddress(`${local}@${domain}`)
        if (!parsed.ok) return
        expect(parseAddress(parsed.address)).toEqual(parsed)
        expect(parsed.address).toMatch(/^[\x21-\x7e]{3,254}$/)
        expect(parsed.address).not.toMatch(/[A-Z<>",;()[\]\\]/)
      }),
      { seed: 47, numRuns: 3_000 },
    )
  })

  it('is taken as people have them, in any case', () => {
    fc.assert(
      fc.property(fc.emailAddress(), (address) => {
        const [plain, shouted] = [parseAddress(address), parseAddress(address.toUpperCase())]
        expect(plain).toEqual(shouted)
        if (plain.ok) expect(plain.address).toBe(address.toLowerCase())
      }),
      { seed: 47, numRuns: 2_000 },
    )
  })

  it('never makes the parser throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        expect(['boolean']).toContain(typeof parseAddress(text).ok)
      }),
      { seed: 47, numRuns: 3_000 },
    )
  })
})

describe('an address on a page', () => {
  it.each([
    ['ann@example.test', 'a…@e….test'],
    ['a@b.test', 'a…@b….test'],
    ['ann@mail.example.co.uk', 'a…@m….uk'],
  ])('%s is shown as %s', (address, shown) => {
    expect(maskAddress(address)).toBe(shown)
  })

  it('is not shown where it cannot be masked', () => {
    expect(maskAddress('')).toBe('This address')
  })
})
