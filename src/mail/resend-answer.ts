import { z } from 'zod'
import type { SendOutcome } from './email.ts'
import type { Posted } from './post.ts'
import { reason } from './reason.ts'

/** What the client hands back: the body of a 2xx as `data`, or the body of anything else as `error`. Neither has been checked. */
export type ResendAnswer = {
  readonly data: unknown
  readonly error: unknown
  readonly headers: Readonly<Record<string, string>> | null
}

type Refusal = z.infer<typeof refusal>

const accepted = z.object({ data: z.array(z.object({ id: z.string().min(1) })) })
const refusal = z.object({
  statusCode: z.number().nullable().catch(null),
  name: z.string().catch(''),
  message: z.string().catch(''),
})

/**
 * The answer to a batch of that many mails as an outcome (RELIABILITY 3.5). The status decides first, then the name; what
 * neither explains is `unknown`, because only a known answer proves that nothing was sent.
 * Names: https://resend.com/docs/api-reference/errors
 */
export function classifyAnswer(answer: ResendAnswer, mails: number): SendOutcome {
  const headers = answer.headers ?? {}
  return { ...outcomeOf(answer, headers, mails), ...callsAllowed(headers) }
}

/** The same for a request of our own. Only a connection that was never made proves that nobody has it. */
export function classifyPosted(posted: Posted, mails: number): SendOutcome {
  switch (posted.kind) {
    case 'answered':
      return classifyAnswer(answerOf(posted), mails)
    case 'lost':
      return { kind: 'unknown', reason: reason(posted.reason) }
    case 'unsent':
      return {
        kind: 'retry',
        after: Temporal.Duration.from({ seconds: 5 }),
        reason: reason(`Resend cannot be reached: ${posted.reason}`),
      }
  }
}

/** What the client makes of a response: a body that is no JSON is an `application_error` under the status it came with. */
function answerOf({ status, headers, body }: Extract<Posted, { kind: 'answered' }>): ResendAnswer {
  const isGood = status >= 200 && status < 300
  try {
    const parsed: unknown = JSON.parse(body)
    return isGood ? { data: parsed, error: null, headers } : { data: null, error: parsed, headers }
  } catch {
    const message = isGood ? 'a success that is no JSON' : 'an answer that is no JSON'
    const statusCode = isGood ? null : status
    return { data: null, error: { name: 'application_error', statusCode, message }, headers }
  }
}

function outcomeOf(
  answer: ResendAnswer,
  headers: Readonly<Record<string, string>>,
  mails: number,
): SendOutcome {
  if (!answer.error) return countedIds(answer.data, mails)

  const parsed = refusal.safeParse(answer.error)
  if (!parsed.success) return { kind: 'unknown', reason: 'an answer that is not an error of Resend' }
  return classifyRefusal(parsed.data, headers)
}

function countedIds(data: unknown, mails: number): SendOutcome {
  const { data: ids, success } = accepted.safeParse(data)
  if (!success) return { kind: 'unknown', reason: 'a success without ids' }
  if (ids.data.length !== mails) {
    return {
      kind: 'unknown',
      reason: `a success with ${ids.data.length} ids for ${mails} mails`,
      again: 'once',
    }
  }
  return { kind: 'accepted', providerIds: ids.data.map(({ id }) => id) }
}

function classifyRefusal(refused: Refusal, headers: Readonly<Record<string, string>>): SendOutcome {
  const said = spoken(refused)
  const mend = whatToMend(refused)
  if (mend) return { kind: 'halt', reason: `${mend} (${said})`, ...untilItPasses(refused) }

  switch (statusOf(refused)) {
    case 400:
    case 413:
    case 422:
      return { kind: 'rejected', reason: said }
    case 429:
      return { kind: 'retry', after: waitAsked(headers), reason: said }
    // `concurrent…`: the first call still runs. `invalid…`: the key was used with other bytes, and those may have been sent.
    case 409:
      return refused.name === 'concurrent_idempotent_requests'
        ? { kind: 'unknown', reason: `in progress: ${said}` }
        : { kind: 'unknown', reason: `conflict: ${said}`, again: 'never' }
    default:
      return { kind: 'unknown', reason: said }
  }
}

/** No mail at fault and none that could pass: the name where it says more than the status, else the status. */
function whatToMend(refused: Refusal): string | undefined {
  return mendsByName[refused.name] ?? mendsByStatus[statusOf(refused) ?? 0]
}

const mendsByName: Readonly<Record<string, string>> = {
  daily_quota_exceeded: 'The daily quota at Resend is used up: raise the plan, or wait for the next day',
  monthly_quota_exceeded: 'The monthly quota at Resend is used up: raise the plan',
  invalid_from_address: 'Resend refuses the sender: correct MAIL_FROM',
  invalid_idempotency_key: 'Resend refuses our idempotency key: this is a fault in the program',
}

const mendsByStatus: Readonly<Record<number, string>> = {
  401: 'Resend does not know the key: set RESEND_API_KEY',
  403: 'Resend does not let this key send from this domain: check RESEND_API_KEY, and verify the domain of MAIL_FROM',
  404: 'There is no such address at this host: check RESEND_BASE_URL',
  405: 'This host does not take mail at this address: check RESEND_BASE_URL',
  451: 'Resend has stopped this account for security: look in its dashboard',
}

/** A proxy in between may drop the number from the body; the name says it too, where it means one status only. */
function statusOf({ statusCode, name }: Refusal): number | null {
  return statusCode ?? statusByName[name] ?? null
}

const statusByName: Readonly<Record<string, number>> = {
  missing_api_key: 401,
  restricted_api_key: 401,
  invalid_api_key: 403,
  not_found: 404,
  method_not_allowed: 405,
  invalid_idempotent_request: 409,
  concurrent_idempotent_requests: 409,
  invalid_access: 422,
  invalid_parameter: 422,
  missing_required_field: 422,
  rate_limit_exceeded: 429,
  security_error: 451,
}

/** A day's quota is there again on the next; nothing else mends itself. */
function untilItPasses({ name }: Refusal): { until?: 'next day' } {
  return name === 'daily_quota_exceeded' ? { until: 'next day' } : {}
}

/**
 * Calls a second that the answer says are allowed: `ratelimit-policy: 5;w=1`, or `ratelimit-limit`, which is said of a
 * second (https://resend.com/docs/api-reference/rate-limit).
 */
function callsAllowed(headers: Readonly<Record<string, string>>): { perSecond?: number } {
  const [, calls, seconds] = /^(\d+);\s*w=(\d+)/.exec(headers['ratelimit-policy'] ?? '') ?? []
  const perSecond = calls ? Number(calls) / Number(seconds) : Number(headers['ratelimit-limit'])
  return Number.isFinite(perSecond) && perSecond > 0 ? { perSecond } : {}
}

/** The longer of the two waits the answer names, in seconds; one second when it names none. */
function waitAsked(headers: Readonly<Record<string, string>>): Temporal.Duration {
  const named = [headers['retry-after'], headers['ratelimit-reset']].map(Number).filter(Number.isFinite)
  return Temporal.Duration.from({ seconds: Math.max(1, ...named.map(Math.ceil)) })
}

function spoken({ statusCode, name, message }: Refusal): string {
  return reason(`${statusCode ?? 'no answer'} ${name}: ${message}`)
}
