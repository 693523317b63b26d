import { createHash, createHmac, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseSigningKeys, readToken, signToken } from '../../src/subscriber/token.ts'

const key = { id: 'k1', secret: Buffer.alloc(32, 7) }
const newer = { id: 'k2', secret: Buffer.alloc(32, 8) }
const ann = '3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f'
const bob = '3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e50'

describe('a token', () => {
  it('names its reader, and fits into an address as it is', () => {
    const token = signToken(key, 'unsubscribe', ann)

    expect(readToken([key], 'unsubscribe', token)).toBe(ann)
    expect(token).toMatch(/^k1\.[\w-]{22}\.[\w-]{22}$/)
    expect(encodeURIComponent(token)).toBe(token)
  })

  it('is signed with the HMAC that anybody can compute who has the key', () => {
    const longKey = { id: 'long', secret: Buffer.alloc(100, 9) }
    const signatures = [key, longKey].map((one) => signToken(one, 'preferences', ann).split('.')[2])

    const expected = [key, longKey].map((one) =>
      createHmac('sha256', one.secret)
        .update(`preferences\n${one.id}\n${ann}`)
        .digest()
        .subarray(0, 16)
        .toString('base64url'),
    )

    expect(signatures).toEqual(expected)
  })

  it('is the same for ever', () => {
    expect(signToken(key, 'unsubscribe', ann)).toBe(signToken(key, 'unsubscribe', ann))
  })

  it('is worth nothing for another purpose', () => {
    expect(readToken([key], 'preferences', signToken(key, 'unsubscribe', ann))).toBeUndefined()
    expect(readToken([key], 'unsubscribe', signToken(key, 'preferences', ann))).toBeUndefined()
  })

  it('is worth nothing with the name of another reader', () => {
    const [anns, bobs] = [signToken(key, 'unsubscribe', ann), signToken(key, 'unsubscribe', bob)].map(
      (token) => token.split('.'),
    )

    const mixed = [anns?.[0], bobs?.[1], anns?.[2]].join('.')

    expect(readToken([key], 'unsubscribe', mixed)).toBeUndefined()
  })

  it('is refused with any bit of it turned, ten thousand times out of ten thousand', () => {
    const accepted = Array.from({ length: 10_000 }, (_, n) => {
      const token = signToken(key, 'unsubscribe', uuidOf(n))
      const at = n % token.length
      const turned = String.fromCharCode(token.charCodeAt(at) ^ (1 << (n % 7)))
      return readToken([key], 'unsubscribe', token.slice(0, at) + turned + token.slice(at + 1))
    }).filter((reader) => reader !== undefined)

    expect(accepted).toEqual([])
  })

  it('is refused with every single bit of it turned', () => {
    const token = signToken(key, 'unsubscribe', ann)
    const turned = [...token].flatMap((_, at) =>
      [1, 2, 4, 8, 16, 32, 64].map(
        (bit) => token.slice(0, at) + String.fromCharCode(token.charCodeAt(at) ^ bit) + token.slice(at + 1),
      ),
    )

    expect(turned.filter((one) => readToken([key], 'unsubscribe', one) !== undefined)).toEqual([])
  })

  it('has one form: no other spelling of the same bytes is taken', () => {
    const [id, reader = '', mac = ''] = signToken(key, 'unsubscribe', ann).split('.')
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const same = (part: string) =>
      [...alphabet]
        .map((last) => part.slice(0, -1) + last)
        .filter((other) => Buffer.from(other, 'base64url').equals(Buffer.from(part, 'base64url')))

    const spellings = same(reader).flatMap((r) => same(mac).map((m) => `${id}.${r}.${m}`))

    expect(spellings.length).toBeGreaterThan(1)
    expect(spellings.filter((one) => readToken([key], 'unsubscribe', one) !== undefined)).toHaveLength(1)
  })

  it('is refused with something before it, behind it, or cut off', () => {
    const token = signToken(key, 'unsubscribe', ann)

    for (const other of [`${token}=`, `${token}\n`, ` ${token}`, `${token}.`, token.slice(0, -1), '', '..'])
      expect(readToken([key], 'unsubscribe', other)).toBeUndefined()
  })

  it('is none that anybody could guess', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (guess) => {
        expect(readToken([key], 'unsubscribe', guess)).toBeUndefined()
      }),
      { seed: 47, numRuns: 2_000 },
    )
  })
})

describe('a change of keys', () => {
  it('leaves the links of old mails working while the old key is listed', () => {
    const old = signToken(key, 'unsubscribe', ann)

    expect(readToken([newer, key], 'unsubscribe', old)).toBe(ann)
    expect(readToken([newer, key], 'unsubscribe', signToken(newer, 'unsubscribe', ann))).toBe(ann)
  })

  it('ends them once the old key is gone, also where its name is given to a new one', () => {
    const old = signToken(key, 'unsubscribe', ann)

    expect(readToken([newer], 'unsubscribe', old)).toBeUndefined()
    expect(readToken([{ id: 'k1', secret: Buffer.alloc(32, 9) }], 'unsubscribe', old)).toBeUndefined()
  })
})

describe('a copy of the database', () => {
  it('is not enough to make a link: the id that it holds is not the secret', () => {
    const bytes = Buffer.from(ann.replaceAll('-', ''), 'hex')
    const guesses = ['', ann, 'unsubscribe', 'k1', key.id + ann, randomBytes(32)].flatMap((secret) => [
      createHmac('sha256', secret).update(`unsubscribe\nk1\n${ann}`).digest(),
      createHash('sha256').update(secret).update(ann).digest(),
    ])

    const forged = guesses.map(
      (mac) => `k1.${bytes.toString('base64url')}.${mac.subarray(0, 16).toString('base64url')}`,
    )

    expect(forged.map((token) => readToken([key], 'unsubscribe', token))).toEqual(
      Array(forged.length).fill(undefined),
    )
  })
})

describe('signing keys', () => {
  const secret = Buffer.alloc(32, 7).toString('base64')

  it('are read in order: the first signs', () => {
    const keys = parseSigningKeys(`k2:${secret}, k1:${Buffer.alloc(48, 1).toString('base64url')}`)

    expect(keys).toEqual([
      { id: 'k2', secret: Buffer.alloc(32, 7) },
      { id: 'k1', secret: Buffer.alloc(48, 1) },
    ])
  })

  it.each([
    ['nothing', ''],
    ['no id', secret],
    ['an empty id', `:${secret}`],
    ['a secret of 31 bytes', `k1:${Buffer.alloc(31, 7).toString('base64')}`],
    ['a secret that is no base64', 'k1:not base64 at all, at all, at all, at all'],
    ['a point in the id, which is what parts a token', `k.1:${secret}`],
    ['one id twice', `k1:${secret},k1:${Buffer.alloc(32, 9).toString('base64')}`],
    ['a comma at the end', `k1:${secret},`],
  ])('are refused with %s', (_, value) => {
    expect(parseSigningKeys(value)).toBeUndefined()
  })
})

function uuidOf(n: number): string {
  return createHash('md5')
    .update(String(n))
    .digest('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
