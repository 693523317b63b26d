import { type CreateBatchEmailOptions, Resend } from 'resend'
import type { Mail, SendOutcome, Transport } from './email.ts'
import { inFlight } from './in-flight.ts'
import { reason } from './reason.ts'
import { classifyAnswer } from './resend-answer.ts'

type Options = { readonly apiKey: string; readonly baseUrl?: string; readonly timeoutMs?: number }

/**
 * Batches through Resend's own client. The host is always passed, so `RESEND_BASE_URL` in the environment cannot redirect
 * mail, and the client's debug output stays off, because it prints addresses. Two calls a second is the lowest limit that
 * Resend has documented (RELIABILITY 1.4).
 */
export function resendTransport({
  apiKey,
  baseUrl = 'https://api.resend.com',
  timeoutMs = 30_000,
}: Options): Transport {
  const client = new Resend(apiKey, { baseUrl: baseUrl.replace(/\/+$/, ''), userAgent: 'weekly-verdict' })
  Object.assign(client, { debug: false })
  const calls = inFlight()
  return {
    name: 'resend',
    most: { mails: 100, bytes: 4_000_000 },
    perSecond: 2,
    concurrency: 2,
    repeatable: true,
    send: (mails, idempotencyKey) => calls.run(sendBatch(client, mails, idempotencyKey, timeoutMs)),
    close: () => calls.settled(),
  }
}

async function sendBatch(
  client: Resend,
  mails: readonly Mail[],
  idempotencyKey: string,
  timeoutMs: number,
): Promise<SendOutcome> {
  const fault = whatCannotBeSent(mails, idempotencyKey)
  if (fault) return { kind: 'rejected', reason: fault }

  try {
    const answer = await client.batch.send(mails.map(toResend), {
      idempotencyKey,
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'error',
    })
    return classifyAnswer(answer, mails.length)
  } catch (error) {
    return { kind: 'unknown', reason: reason(`the client failed: ${String(error)}`) }
  }
}

/**
 * Everything the client would throw over, or Resend refuse, that can be seen before a byte leaves. The client throws a
 * TypeError on a key that is no header value, and quietly sends without one that is empty.
 */
function whatCannotBeSent(mails: readonly Mail[], idempotencyKey: string): string | undefined {
  if (!/^[\x21-\x7e]{1,256}$/.test(idempotencyKey))
    return 'the idempotency key is not 1 to 256 printable characters'
  for (const mail of mails) {
    const part = Object.entries(headerParts(mail)).find(
      ([name, value]) => control.test(name) || control.test(value),
    )
    if (part) return `control characters in the header ${part[0].replace(control, '')}`
    if (!Object.entries(mail.tags).flat().every(isTagPart))
      return 'a tag that is not 1 to 256 of A-Z a-z 0-9 _ -'
  }
}

const control = /\p{Cc}/u

function headerParts({ from, replyTo = '', to, subject, headers }: Mail): Record<string, string> {
  return { ...headers, From: from, 'Reply-To': replyTo, To: to, Subject: subject }
}

function isTagPart(part: string): boolean {
  return /^[A-Za-z0-9_-]{1,256}$/.test(part)
}

function toResend({ from, replyTo, to, subject, html, text, headers, tags }: Mail): CreateBatchEmailOptions {
  return {
    from,
    to,
    subject,
    html,
    text,
    headers: { ...headers },
    tags: Object.entries(tags).map(([name, value]) => ({ name, value })),
    ...(replyTo === undefined ? {} : { replyTo }),
  }
}
