import { createHash } from 'node:crypto'
import type { Context } from 'hono'
import type { Clock } from '../../clock.ts'

/** A page as it is kept, whole. */
export type Made = {
  readonly body: string | Uint8Array<ArrayBuffer>
  /** Its media type, with the charset. */
  readonly type: string
  readonly status?: 200 | 410
  /** The one piece of the body that is set anew for each answer: when its form was shown. */
  readonly shownAt?: string
}

/**
 * What a page would show, asked for as cheaply as can be: `stamp` differs whenever the page would, and `make` sets the page.
 * The stamp is asked for before the page is made, so a change in between is noticed at the next look.
 */
export type Look = { readonly stamp: string; readonly make: () => Promise<Made> }

export type Kept = {
  readonly stamp: string
  readonly etag: string
  readonly status: 200 | 410
  readonly type: string
  /** Before and behind what is set anew; one piece where nothing is. */
  readonly pieces: readonly (string | Uint8Array<ArrayBuffer>)[]
  readonly bytes: number
}

/** A page by its key: as it was kept, or made; undefined when there is none. Rejects with what looking or making threw. */
export type PageCache = (key: string) => Promise<Kept | undefined>

type Options = {
  /** One small query, at best. Undefined when there is no such page: nothing is kept of those. */
  readonly look: (key: string) => Promise<Look | undefined>
  readonly mostBytes: number
}

/** How long others may keep what is public: a minute, and ten while they ask whether it changed. */
export const publicly = 'public, max-age=60, stale-while-revalidate=600'

/** For this long a page is taken to be as it was seen; what changes meanwhile, in any process, shows that much later. */
const freshFor = 1_000

/**
 * Keeps pages in memory, the least asked for leaving first. Processes need not know of each other: each looks at a page's
 * stamp at most once a second, however many ask, and makes the page again only when the stamp has changed.
 */
export function cachePages({ clock }: { readonly clock: Clock }, { look, mostBytes }: Options): PageCache {
  const pages = new Map<string, { readonly page: Kept; readonly seenAt: number }>()
  const underWay = new Map<string, Promise<Kept | undefined>>()
  let bytes = 0

  function forget(key: string): void {
    bytes -= pages.get(key)?.page.bytes ?? 0
    pages.delete(key)
  }

  /** As the one asked for last. */
  function keep(key: string, page: Kept, seenAt: number): Kept {
    forget(key)
    pages.set(key, { page, seenAt })
    bytes += page.bytes
    for (const oldest of pages.keys()) {
      if (bytes <= mostBytes) break
      forget(oldest)
    }
    return page
  }

  async function lookAgain(key: string): Promise<Kept | undefined> {
    const seenAt = clock().epochMilliseconds
    const found = await look(key)
    const known = pages.get(key)?.page
    if (found) return keep(key, known?.stamp === found.stamp ? known : await toKept(found), seenAt)
    forget(key)
    return undefined
  }

  return async (key) => {
    const known = pages.get(key)
    const age = known ? clock().epochMilliseconds - known.seenAt : Infinity
    if (known && age >= 0 && age < freshFor) return keep(key, known.page, known.seenAt)
    const asked = underWay.get(key) ?? lookAgain(key).finally(() => underWay.delete(key))
    underWay.set(key, asked)
    return asked
  }
}

/**
 * Answers with a kept page, or with 304 where the visitor has it already. `shownAt` is what the page's form is given this
 * time; the ETag does not depend on it, and is weak for that reason.
 */
export function answerKept(
  c: Context,
  page: Kept,
  { cacheControl, shownAt = '' }: { readonly cacheControl: string; readonly shownAt?: string },
): Response {
  c.header('ETag', page.etag)
  c.header('Cache-Control', cacheControl)
  if (page.status === 200 && isKnown(c.req.header('If-None-Match'), page.etag)) return c.body(null, 304)
  const [first = '', last] = page.pieces
  const body = last === undefined ? first : `${first}${shownAt}${last}`
  return c.body(body, page.status, { 'Content-Type': page.type })
}

async function toKept({ stamp, make }: Look): Promise<Kept> {
  const { body, type, status = 200, shownAt } = await make()
  const pieces = typeof body === 'string' && shownAt ? body.split(shownAt) : [body]
  if (shownAt && pieces.length !== 2) throw new Error('A page shows its form once')
  const hash = createHash('sha256').update(type)
  for (const piece of pieces) hash.update(piece)
  const tag = `"${hash.digest('base64url').slice(0, 22)}"`
  const bytes = pieces.reduce((sum, piece) => sum + 2 * piece.length, stamp.length)
  return { stamp, etag: shownAt ? `W/${tag}` : tag, status, type, pieces, bytes }
}

/** RFC 9110, 13.1.2: any of the list, compared weakly. */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (!ifNoneMatch) return false
  const known = ifNoneMatch.split(',').map((one) => one.trim().replace(/^W\//, ''))
  return known.includes('*') || known.includes(etag.replace(/^W\//, ''))
}
