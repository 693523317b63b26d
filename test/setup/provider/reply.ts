import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import type { Fault } from './fault.ts'

/** An answer before a fault has had its way with it. */
export type Reply = { status: number; body: unknown; headers?: Record<string, string> }

/** An error as Resend words it. */
export function refusal(statusCode: number, name: string, message = name.replaceAll('_', ' ')): Reply {
  return { status: statusCode, body: { statusCode, name, message } }
}

/** What a fault answers before the batch is looked at; nothing is accepted. `hang` never answers. */
export function replyBefore(fault: Fault | undefined): Reply | 'reset' | 'hang' | undefined {
  switch (fault?.kind) {
    case 'reset-early':
    case 'reset-before':
      return 'reset'
    case 'hang':
      return 'hang'
    case '500-before':
      return refusal(500, 'internal_server_error')
    case 'rate-limit':
      return tooManyRequests(fault.retryAfter)
    case 'quota':
      return refusal(429, 'daily_quota_exceeded')
    case 'concurrent':
      return refusal(409, 'concurrent_idempotent_requests')
    case 'redirect':
      return { status: 307, body: '', headers: { location: '/emails/batch' } }
    case '401':
      return refusal(401, 'restricted_api_key')
    case '403':
      return refusal(403, 'validation_error', 'The example.com domain is not verified.')
    case '404':
      return refusal(404, 'not_found')
    case '422':
      return refusal(422, 'invalid_parameter', 'A mail to ann@example.test is not valid.')
    case '451':
      return refusal(451, 'security_error')
  }
}

/** A 429 that asks for a pause of so many seconds. */
export function tooManyRequests(retryAfter: number): Reply {
  return { ...refusal(429, 'rate_limit_exceeded'), headers: { 'retry-after': String(retryAfter) } }
}

/** Puts an answer on the wire, as far as the fault lets it. */
export function answer(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  fault: Fault | undefined,
): void {
  switch (fault?.kind) {
    case 'accept-and-reset':
      request.socket.resetAndDestroy()
      return
    case 'accept-and-hang':
      return
    case '500-after':
      send(response, refusal(500, 'internal_server_error'))
      return
    case 'html':
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>One moment, please</h1>')
      return
    case 'truncated':
      response
        .writeHead(reply.status, { 'content-type': 'application/json' })
        .end(JSON.stringify(reply.body).slice(0, -9))
      return
    case 'fewer-ids':
      send(
        response,
        withIds(reply, (ids) => ids.slice(1)),
      )
      return
    case 'more-ids':
      send(
        response,
        withIds(reply, (ids) => [...ids, { id: 'one-too-many' }]),
      )
      return
    default:
      send(response, reply)
  }
}

const success = z.object({ data: z.array(z.unknown()) })

function withIds(reply: Reply, change: (ids: readonly unknown[]) => readonly unknown[]): Reply {
  const { data } = success.safeParse(reply.body)
  return data ? { ...reply, body: { data: change(data.data) } } : reply
}

function send(response: ServerResponse, { status, body, headers = {} }: Reply): void {
  response
    .writeHead(status, { 'content-type': 'application/json', ...headers })
    .end(typeof body === 'string' ? body : JSON.stringify(body))
}
