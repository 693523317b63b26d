import { type Context, Hono } from 'hono'
import { Webhook, WebhookVerificationError } from 'standardwebhooks'
import type { Clock } from '../../clock.ts'
import { type ProviderEvent, readEvent } from '../../delivery/event.ts'
import type { Log } from '../../log.ts'
import { bodyOfAtMost } from '../body-limit.ts'
import type { SecureHeaders } from '../secure.ts'

export type WebhookDeps = {
  readonly clock: Clock
  readonly log: Log
  /** Several during a rotation: any of them may have signed. */
  readonly secrets: readonly string[]
  readonly headers: SecureHeaders
  /** Writes an event down; resolves once it is committed. */
  readonly collect: (event: ProviderEvent) => Promise<void>
}

const mostBytes = 256 * 1024

/**
 * POST /webhooks/resend. The signature is over the bytes as they came, so it is checked before anything is parsed; the
 * answer is 2xx only when the event is committed, because Resend asks again for 27 hours after anything else
 * (RELIABILITY 1.6). Bodies are about people and are never logged.
 */
export function resendWebhook(deps: WebhookDeps): Hono {
  const verifiers = deps.secrets.map((secret) => new Webhook(secret))
  const answer = answerWith(deps.headers)
  const complain = atMostOncePerMinute(deps)
  const atMost = bodyOfAtMost(mostBytes, () => answer(413, 'the body is longer than 256 KB'))

  return new Hono().post('/webhooks/resend', atMost, async (c) => {
    if (verifiers.length === 0) {
      complain('a webhook came, but RESEND_WEBHOOK_SECRET is not set: its events are refused until it is')
      return answer(503, 'RESEND_WEBHOOK_SECRET is not set')
    }
    const body = await c.req.text()
    const svixId = c.req.header('svix-id') ?? ''
    if (!isSigned(verifiers, c, svixId, body)) {
      complain('a webhook was refused: its signature fits none of RESEND_WEBHOOK_SECRET')
      return answer(401, 'the signature does not fit')
    }
    const read = parse(body, svixId, deps.clock())
    if (!read.ok) {
      deps.log.warn({ svix: svixId.slice(0, 64), problem: read.problem }, 'a webhook cannot be read')
      return answer(400, read.problem)
    }
    await deps.collect(read.event)
    return answer(200)
  })
}

function isSigned(verifiers: readonly Webhook[], c: Context, id: string, body: string): boolean {
  const signed = {
    'webhook-id': id,
    'webhook-timestamp': c.req.header('svix-timestamp') ?? '',
    'webhook-signature': c.req.header('svix-signature') ?? '',
  }
  return verifiers.some((verifier) => {
    try {
      verifier.verify(body, signed, { jsonParse: false })
      return true
    } catch (error) {
      if (error instanceof WebhookVerificationError) return false
      throw error
    }
  })
}

function parse(body: string, svixId: string, receivedAt: Temporal.Instant) {
  if (svixId.length > 256) return { ok: false, problem: 'svix-id is longer than 256 characters' } as const
  try {
    return readEvent(JSON.parse(body), { svixId, receivedAt })
  } catch (error) {
    if (error instanceof SyntaxError) return { ok: false, problem: 'the body is not JSON' } as const
    throw error
  }
}

/** Short answers in JSON; the one that is given all the time is made once. */
function answerWith(headers: SecureHeaders) {
  const init = { headers: { ...headers, 'Content-Type': 'application/json', 'Cache-Control': 'no-store' } }
  const taken = JSON.stringify({ status: 'taken in' })
  return (status: 200 | 400 | 401 | 413 | 503, problem = ''): Response =>
    new Response(status === 200 ? taken : JSON.stringify({ error: problem }), { ...init, status })
}

/** Anybody can send here: their noise must not fill the log. */
function atMostOncePerMinute({ clock, log }: WebhookDeps): (line: string) => void {
  const last = new Map<string, Temporal.Instant>()
  return (line) => {
    const now = clock()
    const before = last.get(line)
    if (before && Temporal.Instant.compare(before.add({ minutes: 1 }), now) > 0) return
    last.set(line, now)
    log.error(line)
  }
}
