import type { Context, MiddlewareHandler } from 'hono'

/** The desk's own pages: scripts, styles and frames from here and nowhere else (RELIABILITY S18). */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

/** What is shown in the desk's preview frame: no script, no request, no form (RELIABILITY S17). */
const previewPolicy = (images: 'data:' | "'none'") =>
  `default-src 'none'; img-src ${images}; style-src 'unsafe-inline'; frame-ancestors 'self'; form-action 'none'; ` +
  "base-uri 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"

/**
 * Every page of the desk, the refusals included: its policy, and no cache keeps it. Under `no-referrer` browsers send
 * `Origin: null` with forms, so our own pages, and nobody else, are told where a form was.
 */
export function deskHeaders(): MiddlewareHandler {
  return async (c, next) => {
    c.header('Content-Security-Policy', pagePolicy)
    c.header('Cache-Control', 'no-store')
    c.header('Referrer-Policy', 'same-origin')
    await next()
  }
}

/** For an answer that is shown in a frame of the desk: `return asPreview(c).html(edition)`; with images, or as a mail program shows it that loads none. */
export function asPreview<C extends Context>(c: C, { images = true }: { images?: boolean } = {}): C {
  c.header('Content-Security-Policy', previewPolicy(images ? 'data:' : "'none'"))
  c.header('X-Frame-Options', 'SAMEORIGIN')
  return c
}
