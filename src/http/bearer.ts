import { createHash, timingSafeEqual } from 'node:crypto'
import type { Context } from 'hono'

/** The bearer token that a request carries (RFC 6750, 2.1); undefined when it carries none. */
export function bearerOf(c: Pick<Context, 'req'>): string | undefined {
  return /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1]
}

/** Takes equally long whatever they have in common. */
export function isSameToken(given: string, ours: string): boolean {
  const sum = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(sum(given), sum(ours))
}
