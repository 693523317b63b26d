import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'

/**
 * Refuses a longer body. A length that is told is believed, because the server takes no more than that off the wire; only
 * then is the body left unopened, and opening it is the dearest part of a small request. Otherwise Hono counts.
 */
export function bodyOfAtMost(
  maxSize: number,
  refuse: (c: Context) => Response | Promise<Response>,
): MiddlewareHandler {
  const counted = bodyLimit({ maxSize, onError: refuse })
  return async (c, next) => {
    const length = c.req.header('content-length')
    if (length === undefined || c.req.header('transfer-encoding') !== undefined) return counted(c, next)
    return Number(length) > maxSize ? refuse(c) : next()
  }
}
