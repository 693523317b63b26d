import type { Context, Hono } from 'hono'
import { type SSEStreamingApi, streamSSE } from 'hono/streaming'
import { type Earlier, lookAgain } from '../../delivery/progress.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { issueNamed } from './issue-named.ts'
import { deskNotFound } from './page.ts'
import { type ProgressView, progressView } from './progress-words.ts'
import { type SharedLook, shareLooks } from './shared-look.ts'

/** Who watches at once in this process; beyond it a page stays as it is until it is loaded again. */
const mostWatchers = 50
const [second, quiet] = [1_000, 15_000]

/**
 * `GET /desk/issues/:week/progress`: server-sent events with the words of the sending panel, one at once and then each time
 * they change, until the issue is settled, the session is over or the browser has gone. One look a second serves all.
 */
export function progressRoutes(deps: DeskDeps): Hono<DeskEnv> {
  const { db, clock, log } = deps
  const looks = shareLooks(
    async (id, last: Seen | undefined): Promise<Seen> => {
      const issue = await db.selectFrom('issue').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
      const now = clock()
      const progress = await lookAgain(db, issue, now, last?.earlier)
      return { view: progressView(issue, progress, now), earlier: progress.earlier }
    },
    second,
    (error) => log.warn({ err: error }, 'progress'),
  )
  return desk().get('/desk/issues/:week/progress', async (c) => {
    const issue = await issueNamed(deps, c.req.param('week'))
    if (!issue?.planned_at) return deskNotFound(c, deps, 'There is no issue on its way for that week.')
    if (looks.watchers() >= mostWatchers)
      return c.text('Too many watch already. Load the page again to see how far it is.', 503, {
        'Retry-After': '60',
      })
    // Proxies hold an answer back until it is long, unless they are told not to.
    c.header('X-Accel-Buffering', 'no')
    const answer = streamSSE(c, (stream) =>
      tell(deps, c, stream, looks, issue.id).catch((error: unknown) => log.warn({ err: error }, 'progress')),
    )
    answer.headers.set('Cache-Control', 'no-store')
    return answer
  })
}

type Seen = { readonly view: ProgressView; readonly earlier: Earlier }

async function tell(
  { door }: DeskDeps,
  c: Context<DeskEnv>,
  stream: SSEStreamingApi,
  looks: SharedLook<Seen>,
  issueId: number,
): Promise<void> {
  const headers = c.req.raw.headers
  let latest: ProgressView | undefined
  let wake = () => {}
  const leave = looks.watch(issueId, ({ view }) => {
    latest = view
    wake()
  })
  stream.onAbort(() => {
    leave()
    wake()
  })
  let said = ''
  let saidAt = performance.now()
  try {
    while (!stream.aborted) {
      const view: ProgressView | undefined = latest
      if (view && !(await door.stillIn(headers))) return
      const words = view ? JSON.stringify(view) : ''
      if (words !== said) {
        await stream.writeSSE({ event: 'progress', data: words, retry: 3_000 })
        ;[said, saidAt] = [words, performance.now()]
      } else if (performance.now() - saidAt >= quiet) {
        await stream.write(': still here\n\n')
        saidAt = performance.now()
      }
      if (stream.aborted || (view && !view.isLive)) return
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  } finally {
    leave()
  }
}
