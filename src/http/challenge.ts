import { createHash, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createChallenge, verifySolution } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2'
import { Hono, type MiddlewareHandler } from 'hono'
import type { Kysely } from 'kysely'
import { z } from 'zod'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { limiter, take } from '../subscriber/sign-up-limits.ts'
import type { SigningKey } from '../subscriber/token.ts'

/** Something that costs a bot more than it costs a reader, asked for at both doors before a sign-up is taken. */
export type Challenge = {
  readonly kind: 'none' | 'altcha'
  /** Whether the answer solves a challenge of ours that was not used before. */
  isMet(answer: string | undefined): Promise<boolean>
  /** Where a form's browser gets the challenge, and the script that solves it. */
  routes(): Hono
}

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock; readonly keys: readonly SigningKey[] }

/** The challenge that the operator chose (`CHALLENGE`). */
export function openChallenge(kind: Challenge['kind'], deps: Deps): Challenge {
  switch (kind) {
    case 'none':
      return { kind, isMet: async () => true, routes: () => new Hono() }
    case 'altcha':
      return { kind, isMet: altchaCheck(deps), routes: () => altchaRoutes(deps) }
  }
}

/**
 * What a page with the form may load and do; who may frame it is for the page to add. It may ask us for things even where no
 * script is there to ask: browsers' own tools (Lighthouse) read robots.txt as the page.
 */
export function pagePolicy({ kind }: Pick<Challenge, 'kind'>): string {
  const script = kind === 'none' ? '' : "script-src 'self'; worker-src 'self'; "
  return `default-src 'none'; style-src 'self'; img-src 'self' data:; ${script}connect-src 'self'; form-action 'self'; base-uri 'none'`
}

/** Lets a page with the form run the challenge's script. */
export function allowChallenge(challenge: Pick<Challenge, 'kind'>): MiddlewareHandler {
  return async (c, next) => {
    c.header('Content-Security-Policy', `${pagePolicy(challenge)}; frame-ancestors 'none'`)
    await next()
  }
}

/** Rounds of one guess; one in 256 is right. A second or so on a phone, two milliseconds for us to check. */
const cost = 5_000
const lifetime = Temporal.Duration.from({ hours: 1 })

/** ALTCHA's proof of work (altcha.org): a sum that the reader's browser does, with nobody else involved. */
function altchaCheck({ db, clock, keys }: Deps): Challenge['isMet'] {
  const used = limiter({ db, clock }, 'altcha', { points: 1, seconds: lifetime.total('seconds') })
  return async (answer) => {
    const parsed = payload.safeParse(answer)
    if (!parsed.success) return false
    for (const key of keys) {
      const { verified } = await verifySolution({
        ...parsed.data,
        deriveKey,
        hmacSignatureSecret: secretOf(key),
      })
      if (verified) return take(used, nameOf(parsed.data.challenge))
    }
    return false
  }
}

function altchaRoutes({ clock, keys: [key] }: Deps): Hono {
  if (!key) throw new Error('There is no signing key')
  const hmacSignatureSecret = secretOf(key)
  const [script, worker, style] = [
    widgetScript(),
    readPackage('workers/pbkdf2.js'),
    readPackage('external/altcha.css'),
  ]
  return new Hono()
    .get('/challenge', async (c) => {
      const expiresAt = Math.floor(clock().add(lifetime).epochMilliseconds / 1000)
      const rules = { algorithm: 'PBKDF2/SHA-256', cost, expiresAt, deriveKey, hmacSignatureSecret }
      return c.json(await createChallenge(rules), 200, { 'Cache-Control': 'no-store' })
    })
    .get('/altcha.js', (c) => c.body(script, 200, javascript))
    .get('/altcha-worker.js', (c) => c.body(worker, 200, javascript))
    .get('/altcha.css', (c) => c.body(style, 200, { ...anHour, 'Content-Type': 'text/css; charset=utf-8' }))
}

const anHour = { 'Cache-Control': 'public, max-age=3600' }
const javascript = { ...anHour, 'Content-Type': 'text/javascript; charset=utf-8' }

/** The build that writes no style of its own, and where its worker is: the other one needs a weaker policy. */
function widgetScript(): string {
  const register = `globalThis.$altcha.algorithms.set('PBKDF2/SHA-256', () => new Worker('/altcha-worker.js'))`
  return `${readPackage('external/altcha.min.js')}\n${register}\n`
}

/** A file of the widget's package, `dist` being where its stylesheet's folder is. */
function readPackage(file: string): string {
  const style = createRequire(import.meta.url).resolve('altcha/altcha.css')
  return readFileSync(join(dirname(style), '..', file), 'utf8')
}

/** What the widget puts into the form: base64 of JSON. */
const payload = z
  .string()
  .max(3_000)
  .transform((text, context): unknown => {
    try {
      return JSON.parse(Buffer.from(text, 'base64').toString())
    } catch {
      context.addIssue('expected base64 of JSON')
      return z.NEVER
    }
  })
  .pipe(
    z.object({
      challenge: z.object({
        parameters: z.looseObject({
          ...{ algorithm: z.literal('PBKDF2/SHA-256'), nonce: z.string(), salt: z.string() },
          ...{ cost: z.literal(cost), keyLength: z.number(), keyPrefix: z.string(), expiresAt: z.number() },
        }),
        signature: z.string(),
      }),
      solution: z.object({ counter: z.number(), derivedKey: z.string() }),
    }),
  )

/** A challenge by its signature, which is verified by then and has one spelling. */
function nameOf({ signature }: { signature: string }): string {
  return createHash('sha256').update(signature).digest('base64url')
}

function secretOf(key: SigningKey): string {
  return createHmac('sha256', key.secret).update('challenge').digest('hex')
}
