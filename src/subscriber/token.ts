import { createHmac, timingSafeEqual } from 'node:crypto'

/** A secret that signs personal links. The first of a list signs; all of them verify, so that keys can be rotated. */
export type SigningKey = { readonly id: string; readonly secret: Buffer }

/** What a token is for. One made for one purpose is worth nothing for another. */
export type TokenPurpose = 'unsubscribe' | 'preferences'

/** `id:base64[,id:base64…]`; undefined when any part is not that, or a key is shorter than 32 bytes. */
export function parseSigningKeys(value: string): readonly SigningKey[] | undefined {
  const keys = value.split(',').map((pair) => {
    const [, id, encoded] = /^\s*([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/_-]+=*)\s*$/.exec(pair) ?? []
    return { id: id ?? '', secret: Buffer.from(encoded ?? '', 'base64') }
  })
  const isUnique = new Set(keys.map((key) => key.id)).size === keys.length
  return isUnique && keys.every((key) => key.id !== '' && key.secret.length >= 32) ? keys : undefined
}

/**
 * The token for one reader and one purpose: `<key id>.<public id>.<mac>`, all URL-safe. It holds for ever, tells
 * nothing about the address, and cannot be made from a copy of the database (RELIABILITY S10).
 */
export function signToken(key: SigningKey, purpose: TokenPurpose, publicId: string): string {
  const reader = Buffer.from(publicId.replaceAll('-', ''), 'hex').toString('base64url')
  return `${key.id}.${reader}.${mac(key, purpose, publicId).toString('base64url')}`
}

/** Whose token it is: the reader's public id, or undefined when it was not made by us for this purpose. */
export function readToken(
  keys: readonly SigningKey[],
  purpose: TokenPurpose,
  token: string,
): string | undefined {
  const [, keyId, reader, signature] = /^([\w-]{1,32})\.([\w-]{22})\.([\w-]{22})$/.exec(token) ?? []
  const key = keys.find((known) => known.id === keyId)
  if (!key || !reader || !signature) return undefined

  const publicId = toUuid(Buffer.from(reader, 'base64url'))
  const isOurs = timingSafeEqual(mac(key, purpose, publicId), Buffer.from(signature, 'base64url'))
  return isOurs && signToken(key, purpose, publicId) === token ? publicId : undefined
}

/** HMAC-SHA-256 over purpose and reader, cut to 128 bits (RFC 2104, section 5). */
function mac(key: SigningKey, purpose: TokenPurpose, publicId: string): Buffer {
  return createHmac('sha256', key.secret)
    .update(`${purpose}\n${key.id}\n${publicId}`)
    .digest()
    .subarray(0, 16)
}

function toUuid(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
