import { Hono } from 'hono'
import { isbot } from 'isbot'
import type { AgentClass } from '../../../db/schema.ts'
import type { Clock } from '../../clock.ts'
import type { ClickCollector } from '../../issue/collect-clicks.ts'
import type { Connected, networkReader } from '../client-address.ts'

type Deps = {
  readonly clock: Clock
  readonly targetOf: (id: string) => Promise<string | undefined>
  readonly clicks: Pick<ClickCollector, 'count'>
  readonly networkOf: ReturnType<typeof networkReader>
}

/**
 * `GET /go/:id`: counts, and leads to the target that is stored under the id and nowhere else. Whatever else the request
 * says is not read. The same for every reader, without a cookie; the count does not hold the answer up.
 */
export function goRoutes({ clock, targetOf, clicks, networkOf }: Deps): Hono<Connected> {
  return new Hono<Connected>().get('/go/:id', async (c) => {
    const link = c.req.param('id')
    const target = /^[a-z0-9]{12}$/.test(link) ? await targetOf(link) : undefined
    if (target === undefined) return c.notFound()
    const userAgent = c.req.header('user-agent') ?? ''
    const looksAhead = /prefetch|prerender|preview/i.test(
      `${c.req.header('sec-purpose')} ${c.req.header('purpose')} ${c.req.header('x-moz')}`,
    )
    clicks.count({
      ...{ link, at: clock(), network: networkOf(c), userAgent, head: c.req.method === 'HEAD' },
      agent: looksAhead ? 'prefetch' : agentClass(userAgent),
    })
    c.header('Cache-Control', 'no-store')
    c.header('X-Robots-Tag', 'noindex, nofollow')
    return c.redirect(target, 302)
  })
}

function agentClass(userAgent: string): AgentClass {
  if (userAgent.trim() === '') return 'none'
  return isbot(userAgent) ? 'program' : 'browser'
}
