import { createHmac, timingSafeEqual } from 'node:crypto'
import type { SigningKey } from '../subscriber/token.ts'

/** When a form was shown, so that one sent back at once can be noticed: `<seconds>.<mac>`. */
export function stampForm(key: SigningKey, at: Temporal.Instant): string {
  const seconds = String(Math.floor(at.epochMilliseconds / 1000))
  return `${seconds}.${mac(key, seconds).toString('base64url')}`
}

/** Seconds since a form was shown; undefined when the stamp is not one of ours. */
export function ageOfForm(
  keys: readonly SigningKey[],
  stamp: string | undefined,
  now: Temporal.Instant,
): number | undefined {
  const [, seconds, signature] = /^(\d{9,12})\.([\w-]{22})$/.exec(stamp ?? '') ?? []
  if (!seconds || !signature) return undefined
  const given = Buffer.from(signature, 'base64url')
  const isOurs = keys.some((key) => timingSafeEqual(mac(key, seconds), given))
  return isOurs ? now.epochMilliseconds / 1000 - Number(seconds) : undefined
}

function mac(key: SigningKey, seconds: string): Buffer {
  return createHmac('sha256', key.secret).update(`form\n${seconds}`).digest().subarray(0, 16)
}
