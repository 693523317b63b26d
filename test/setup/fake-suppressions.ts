import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import { json } from 'node:stream/consumers'
import { z } from 'zod'

type Row = { readonly id: string; readonly [name: string]: unknown }

/** A Resend account on loopback, for the key `re_full` only: its suppression list, its webhooks, and what it sent them. */
export type FakeSuppressions = {
  readonly url: string
  /** Address to origin. */
  readonly list: Map<string, string>
  readonly webhooks: Row[]
  /** What was sent to any webhook, the newest first; `payload` is the event itself. */
  readonly events: Row[]
  /** Method and path of every request, in order. */
  readonly asked: readonly string[]
  close(): Promise<void>
}

type Answer = { readonly status: number; readonly body: object }

const emails = z.object({ emails: z.array(z.string()).min(1).max(100) })

/** Starts it. The first `refusals` requests are answered 429 with a wait of a moment. The caller closes it. */
export async function startFakeSuppressions({ refusals = 0 } = {}): Promise<FakeSuppressions> {
  const list = new Map<string, string>()
  const webhooks: Row[] = []
  const events: Row[] = []
  const asked: string[] = []
  let toRefuse = refusals

  async function answer(request: IncomingMessage, url: URL): Promise<Answer> {
    const key = request.headers.authorization
    if (key === 'Bearer re_sending') return refuse(401, 'restricted_api_key')
    if (key !== 'Bearer re_full') return refuse(403, 'invalid_api_key')
    if (toRefuse-- > 0) return refuse(429, 'rate_limit_exceeded')
    switch (`${request.method} ${url.pathname}`) {
      case 'GET /suppressions':
        return page(url, [...list].map(toSuppression))
      case 'POST /suppressions/batch/add': {
        const given = emails.safeParse(await json(request))
        if (!given.success) return refuse(422, 'invalid_parameter')
        for (const email of given.data.emails) if (!list.has(email)) list.set(email, 'manual')
        const data = given.data.emails.map((email) => ({ object: 'suppression', id: idOf(email) }))
        return { status: 201, body: { data } }
      }
      case 'GET /webhooks':
        return page(url, webhooks)
    }
    return about(request.method ?? '', url)
  }

  function about(method: string, url: URL): Answer {
    const [, folder, id = '', events_, eventId] = url.pathname.split('/').map(decodeURIComponent)
    if (method === 'DELETE' && folder === 'suppressions' && list.delete(id))
      return { status: 200, body: { object: 'suppression', id: idOf(id), deleted: true } }
    if (folder !== 'webhooks' || events_ !== 'events' || !webhooks.some((hook) => hook.id === id))
      return refuse(404, 'not_found')
    if (eventId === undefined)
      return page(
        url,
        events.map(({ payload: _payload, ...row }) => row),
      )
    const event = events.find((one) => one.id === eventId)
    return event ? { status: 200, body: { object: 'webhook_event', ...event } } : refuse(404, 'not_found')
  }

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    asked.push(`${request.method} ${url.pathname}`)
    const { status, body } = await answer(request, url)
    response
      .writeHead(status, {
        'content-type': 'application/json',
        ...(status === 429 && { 'retry-after': '0.01' }),
      })
      .end(JSON.stringify(body))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('The fake account is not on a port')
  return {
    ...{ url: `http://127.0.0.1:${bound.port}`, list, webhooks, events, asked },
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
}

/** A row of the record of events, of an event that was sent at that instant. */
export function recordedEvent(payload: object, at: string, id = `msg_${randomUUID()}`): Row {
  return { id, type: 'email.bounced', created_at: at, status: 'failed', next_attempt_at: null, payload }
}

function toSuppression([email, origin]: [string, string]): Row {
  return { id: idOf(email), email, origin, source_id: null, created_at: '2026-11-01T00:00:00.000Z' }
}

function idOf(email: string): string {
  return Buffer.from(email).toString('hex')
}

/** Twenty unless more is asked for, at most a hundred, after the cursor. */
function page(url: URL, rows: readonly object[]): Answer {
  const limit = Number(url.searchParams.get('limit') ?? 20)
  if (limit > 100) return refuse(422, 'invalid_parameter')
  const after = url.searchParams.get('after')
  const start = after === null ? 0 : 1 + rows.findIndex((row) => 'id' in row && row.id === after)
  const data = rows.slice(start, start + limit)
  return { status: 200, body: { object: 'list', has_more: start + limit < rows.length, data } }
}

function refuse(statusCode: number, name: string): Answer {
  return { status: statusCode, body: { statusCode, name, message: `said the fake: ${name}` } }
}
