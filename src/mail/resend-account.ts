import { z } from 'zod'
import { pages, patiently, timely } from './resend-ask.ts'
import { type AcceptedCall, readCall } from './resend-call.ts'
import { openResendClient } from './resend-client.ts'

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

/** Reads an account with a full-access key. Keeps to the rate that the answers name. */
export function openResendAccount({
  fullAccessKey,
  baseUrl = 'https://api.resend.com',
}: {
  fullAccessKey: string
  baseUrl?: string | undefined
}): ResendAccount {
  const client = openResendClient(fullAccessKey, baseUrl)
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
