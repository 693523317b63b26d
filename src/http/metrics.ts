import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import type { Kysely } from 'kysely'
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { bearerOf, isSameToken } from './bearer.ts'
import { type Connected, isOnThisMachine } from './client-address.ts'
import { pulseGauges } from './pulse-gauges.ts'

type Deps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly log: Log
  readonly config: { readonly production: boolean; readonly apiToken: string | undefined }
}

export type Metrics = {
  /** Times every request by its route, never by its address: that may hold a reader's token. */
  readonly measure: MiddlewareHandler
  routes(): Hono<Connected>
}

/**
 * `GET /metrics` for Prometheus. It tells how many readers there are, so it is for the bearer of `API_TOKEN`; outside
 * production also for whoever asks on this machine itself, and not through a proxy.
 */
export function openMetrics(deps: Deps): Metrics {
  const register = new Registry()
  const duration = new Histogram({
    name: 'verdict_http_request_duration_seconds',
    help: 'Time from a request to its answer, by route, method and status.',
    labelNames: ['route', 'method', 'status'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [register],
  })
  const pulse = pulseGauges(deps, register)
  let isCollecting = false

  return {
    async measure(c, next) {
      const started = performance.now()
      await next()
      const labels = { route: routeOf(c), method: methodOf(c), status: String(c.res.status) }
      duration.observe(labels, (performance.now() - started) / 1000)
    },
    routes: () =>
      new Hono<Connected>().get('/metrics', async (c) => {
        if (!mayRead(c, deps.config)) return refusal(c, deps.config)
        // From the first scrape on: they keep a timer and an observer of garbage collection, which nobody pays for unasked.
        if (!isCollecting) collectDefaultMetrics({ register })
        isCollecting = true
        await pulse()
        return c.body(await register.metrics(), 200, {
          ...{ 'Content-Type': register.contentType, 'Cache-Control': 'no-store' },
        })
      }),
  }
}

/** Middleware matches with a star; what has none is the page itself. */
function routeOf(c: Context): string {
  return matchedRoutes(c).findLast(({ path }) => !path.includes('*'))?.path ?? 'none'
}

function methodOf(c: Context): string {
  return ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'].includes(c.req.method) ? c.req.method : 'other'
}

function mayRead(c: Context<Connected>, { production, apiToken }: Deps['config']): boolean {
  const token = bearerOf(c)
  if (token !== undefined) return apiToken !== undefined && isSameToken(token, apiToken)
  return !production && isOnThisMachine(c)
}

function refusal(c: Context, { apiToken }: Deps['config']): Response {
  if (apiToken === undefined) return c.text('Metrics: set API_TOKEN and send it as a bearer token.\n', 403)
  c.header('WWW-Authenticate', 'Bearer')
  return c.text('Metrics: send API_TOKEN as a bearer token.\n', 401)
}
