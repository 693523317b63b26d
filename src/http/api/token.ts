import { createHmac } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import type { Clock } from '../../clock.ts'
import { limiter, take } from '../../subscriber/sign-up-limits.ts'
import type { SigningKey } from '../../subscriber/token.ts'
import { bearerOf, isSameToken } from '../bearer.ts'
import type { Connected, networkReader } from '../client-address.ts'
import type { Answer } from './problem.ts'

export type TokenDeps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly keys: readonly SigningKey[]
  readonly config: { readonly apiToken: string | undefined }
  readonly networkOf: ReturnType<typeof networkReader>
}

const quarter = 900

/**
 * Lets the bearer of `API_TOKEN` pass. Ten different wrong tokens from one network shut it out for a quarter of an hour,
 * with the right token too: else guessing could go on. The same wrong one, from a program that was set up wrongly, counts once.
 */
export function requireToken(deps: TokenDeps, answer: Answer): MiddlewareHandler<Connected> {
  const { apiToken } = deps.config
  const guesses = openGuesses(deps)
  return async (c, next) => {
    if (apiToken === undefined)
      return answer(c, 'Closed', 'Set API_TOKEN (at least 16 characters) and start again.')
    const token = bearerOf(c)
    if (token === undefined) {
      c.header('WWW-Authenticate', 'Bearer realm="comparisons"')
      return answer(c, 'NoToken', 'Send API_TOKEN as a bearer token: "Authorization: Bearer …".')
    }
    const network = deps.networkOf(c)
    const isRight = isSameToken(token, apiToken)
    if ((await guesses.areUsedUp(network)) || !(isRight || (await guesses.count(network, token)))) {
      c.header('Retry-After', String(quarter))
      return answer(c, 'TooManyTries', 'Your network is shut out for a quarter of an hour.')
    }
    if (isRight) return next()
    c.header('WWW-Authenticate', 'Bearer realm="comparisons", error="invalid_token"')
    return answer(c, 'NoToken', 'The token is not the API_TOKEN that this newsletter was started with.')
  }
}

function openGuesses({ db, clock, keys: [key] }: TokenDeps) {
  if (!key) throw new Error('There is no signing key')
  const same = limiter({ db, clock }, 'api/token', { points: 1, seconds: quarter })
  const all = limiter({ db, clock }, 'api/network', { points: 10, seconds: quarter })
  const named = (...parts: string[]) =>
    createHmac('sha256', key.secret)
      .update(`api limit\n${parts.join('\n')}`)
      .digest('base64url')

  return {
    async areUsedUp(network: string): Promise<boolean> {
      return ((await all.get(named(network)))?.consumedPoints ?? 0) >= all.points
    },
    /** Counts a wrong token; false when it was one too many. */
    async count(network: string, token: string): Promise<boolean> {
      const isNew = await take(same, named(network, token))
      return !isNew || take(all, named(network))
    },
  }
}
