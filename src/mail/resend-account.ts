import { setTimeout as sleep } from 'node:timers/promises'
import { Resend } from 'resend'
import { z } from 'zod'
import { reason } from './reason.ts'
import { type AcceptedCall, readCall } from './resend-call.ts'

/** A mail as Resend lists it: without its tags, so it is known by its id, or by address, subject and time. */
export type ListedMail = {
  readonly id: string
  readonly to: string
  readonly subject: string
  readonly at: Temporal.Instant
}

export type Span = { readonly from: Temporal.Instant; readonly to: Temporal.Instant }

/** What Resend itself says of an account (RELIABILITY 1.8). It only reads; its key may do more, so only commands have it. */
export type ResendAccount = {
  /** Mails created at `since` or later, the newest first, a page at a time. */
  mails(since: Temporal.Instant): AsyncGenerator<readonly ListedMail[]>
  /** Batch calls answered 200 in any of the spans. `isComplete`: the log reaches back beyond them, and every such call can be read. */
  acceptedCalls(
    spans: readonly Span[],
  ): Promise<{ readonly calls: readonly AcceptedCall[]; readonly isComplete: boolean }>
}

/** Thrown when Resend does not tell: the message says what to do. */
export class AccountUnreadable extends Error {
  override readonly name = 'AccountUnreadable'
}

/** Reads an account with a full-access key. Keeps to the rate that the answers name. */
export function openResendAccount({
  fullAccessKey,
  baseUrl = 'https://api.resend.com',
}: {
  fullAccessKey: string
  baseUrl?: string | undefined
}): ResendAccount {
  const client = new Resend(fullAccessKey, {
    baseUrl: baseUrl.replace(/\/+$/, ''),
    userAgent: 'weekly-verdict',
  })
  Object.assign(client, { debug: false })
  return {
    async *mails(since) {
      for await (const page of pages(
        (at) => client.emails.list({ limit: 100, ...at }, timely()),
        listedMail,
      )) {
        yield page.flatMap((row) => toListed(row, since))
        if (page.some((row) => isBefore(row.created_at, since))) return
      }
    },
    async acceptedCalls(spans) {
      const [first] = spans.map(({ from }) => from).sort(Temporal.Instant.compare)
      if (!first) return { calls: [], isComplete: true }
      const calls: AcceptedCall[] = []
      let isReadable = true
      for await (const page of pages((at) => client.logs.list({ limit: 100, ...at }, timely()), listedLog)) {
        for (const row of page.filter((log) => isAcceptedBatch(log, spans))) {
          const call = readCall(await patiently(() => client.logs.get(row.id, timely())))
          if (call) calls.push(call)
          else isReadable = false
        }
        if (page.some((row) => isBefore(row.created_at, first))) return { calls, isComplete: isReadable }
      }
      return { calls, isComplete: false }
    },
  }
}

/** `2023-04-03 22:13:42.674981+00` */
const instant = z.string().transform((text, context) => {
  try {
    return Temporal.Instant.from(text)
  } catch {
    context.addIssue('no instant')
    return z.NEVER
  }
})
const listedMail = z.object({
  id: z.string(),
  to: z.array(z.string()),
  subject: z.string().catch(''),
  created_at: instant,
})
const listedLog = z.object({
  id: z.string(),
  created_at: instant,
  endpoint: z.string(),
  method: z.string(),
  response_status: z.number(),
})
const listPage = z.object({ has_more: z.boolean().catch(false), data: z.array(z.unknown()) })

export type Answer = {
  readonly data: unknown
  readonly error: unknown
  readonly headers: Record<string, string> | null
}

/** Follows the cursor from the newest to the oldest. */
export async function* pages<Row extends { id: string }>(
  list: (at: { after?: string }) => Promise<Answer>,
  row: z.ZodType<Row>,
): AsyncGenerator<readonly Row[]> {
  let after: string | undefined
  for (;;) {
    const answer = await patiently(() => list(after === undefined ? {} : { after }))
    const page = z.object({ ...listPage.shape, data: z.array(row) }).safeParse(answer)
    if (!page.success) throw new AccountUnreadable('Resend answered with something that is not its list.')
    yield page.data.data
    after = page.data.data.at(-1)?.id
    if (!page.data.has_more || after === undefined) return
  }
}

/** Calls again after the wait that a 429 asks for, and rests when the answer says that the second is used up. */
export async function patiently(call: () => Promise<Answer>): Promise<unknown> {
  for (let tries = 0; tries < 20; tries += 1) {
    const { data, error, headers } = await call()
    if (!error) {
      if (headers?.['ratelimit-remaining'] === '0') await sleep(seconds(headers['ratelimit-reset']))
      return data
    }
    const said = refusal.parse(error)
    if (said.statusCode !== 429 || said.name !== 'rate_limit_exceeded')
      throw new AccountUnreadable(mend(said))
    await sleep(seconds(headers?.['retry-after'] ?? headers?.['ratelimit-reset']))
  }
  throw new AccountUnreadable('Resend kept asking to wait. Try again later.')
}

const refusal = z.object({
  statusCode: z.number().nullable().catch(null),
  name: z.string().catch(''),
  message: z.string().catch(''),
})

function mend({ statusCode, name, message }: z.infer<typeof refusal>): string {
  if (name === 'restricted_api_key')
    return 'RESEND_FULL_ACCESS_KEY: this key may only send. Make one with full access at Resend.'
  if (statusCode === 401 || statusCode === 403)
    return 'RESEND_FULL_ACCESS_KEY: Resend does not know this key, or does not let it read.'
  return `Resend did not tell (${reason(`${statusCode ?? 'no answer'} ${name}: ${message}`)}). Try again later.`
}

function toListed(row: z.infer<typeof listedMail>, since: Temporal.Instant): readonly ListedMail[] {
  if (isBefore(row.created_at, since)) return []
  const to = (row.to[0] ?? '').toLowerCase()
  return [{ id: row.id, to, subject: row.subject, at: row.created_at }]
}

function isAcceptedBatch(log: z.infer<typeof listedLog>, spans: readonly Span[]): boolean {
  return (
    log.method === 'POST' &&
    log.response_status === 200 &&
    log.endpoint.endsWith('/emails/batch') &&
    spans.some(({ from, to }) => !isBefore(log.created_at, from) && !isBefore(to, log.created_at))
  )
}

function isBefore(a: Temporal.Instant, b: Temporal.Instant): boolean {
  return Temporal.Instant.compare(a, b) < 0
}

export function timely(): { signal: AbortSignal } {
  return { signal: AbortSignal.timeout(60_000) }
}

function seconds(named: string | undefined): number {
  const asked = Number(named)
  return 1000 * (Number.isFinite(asked) && asked > 0 ? asked : 1)
}
