import type { Context, MiddlewareHandler } from 'hono'

/*
 * Hono's own `secureHeaders` writes after the handler and would take the stricter policies of single pages away, so
 * these are set before it: a route that says otherwise wins.
 */
const everywhere = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
} as const

export type SecureHeaders = Readonly<Record<string, string>>

/** The headers of every answer (S18). HSTS only where the site is https to begin with. */
export function secureHeaders({ https }: { https: boolean }): SecureHeaders {
  return { ...everywhere, ...(https && { 'Strict-Transport-Security': 'max-age=31536000' }) }
}

/** Puts them on whatever answer a context comes to. */
export function setHeaders(c: Context, headers: SecureHeaders): void {
  for (const [name, value] of Object.entries(headers)) c.header(name, value)
}

/** Secure headers on every route and every error. */
export function secure(headers: SecureHeaders): MiddlewareHandler {
  return async (c, next) => {
    setHeaders(c, headers)
    await next()
  }
}
