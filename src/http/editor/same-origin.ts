import { timingSafeEqual } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'
import type { DeskEnv } from './desk.ts'

const safe = ['GET', 'HEAD']

/** Why a request that would change something is not believed; shown to whoever made it. */
export type Refuse = (c: Context<DeskEnv>, why: 'origin' | 'token') => Response | Promise<Response>

/**
 * Lets through what changes something only when a page of ours asked for it: `Origin` is on every such request of a
 * browser, so an absent or opaque one is refused like a foreign one (RELIABILITY S4). `origins` are our own.
 */
export function sameOrigin(
  origins: (c: Context) => readonly string[],
  refuse: Refuse,
): MiddlewareHandler<DeskEnv> {
  return async (c, next) => {
    const origin = c.req.header('origin')
    if (safe.includes(c.req.method) || (origin && origins(c).includes(origin))) return next()
    return refuse(c, 'origin')
  }
}

/** Besides, the session's own token: the field `token` of a form, or the header `X-Desk-Token` with anything else. */
export function sessionToken(refuse: Refuse): MiddlewareHandler<DeskEnv> {
  return async (c, next) => {
    if (safe.includes(c.req.method)) return next()
    const given = c.req.header('x-desk-token') ?? (await tokenOfForm(c))
    if (typeof given === 'string' && isSame(given, c.get('session').token)) return next()
    return refuse(c, 'token')
  }
}

async function tokenOfForm(c: Context): Promise<unknown> {
  const type = c.req.header('content-type') ?? ''
  if (!/^(?:application\/x-www-form-urlencoded|multipart\/form-data)\b/i.test(type)) return undefined
  return (await c.req.parseBody()).token
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
