import type { CreateBatchEmailOptions, Resend } from 'resend'
import type { Mail, Merge, SendMerged, SendOutcome, Transport } from './email.ts'
import { inFlight } from './in-flight.ts'
import { openPoster, type Poster } from './post.ts'
import { reason } from './reason.ts'
import { classifyAnswer, classifyPosted } from './resend-answer.ts'
import { isPlain, jsonOfMail, mergedBody } from './resend-body.ts'
import { hostOf, openResendClient, userAgent } from './resend-client.ts'
import { cutStencil } from './stencil.ts'

type Options = { readonly apiKey: string; readonly baseUrl?: string; readonly timeoutMs?: number }

/**
 * One mail to few goes through Resend's own client; one mail to many is posted by us, as the bytes that the client would
 * send. Two calls a second is the lowest limit that Resend has documented
 * (RELIABILITY 1.4).
 */
export function resendTransport({
  apiKey,
  baseUrl = 'https://api.resend.com',
  timeoutMs = 30_000,
}: Options): Transport {
  const client = openResendClient(apiKey, baseUrl)
  const concurrency = 10
  const poster = openPoster(`${hostOf(baseUrl)}/emails/batch`, { timeoutMs, connections: concurrency })
  const calls = inFlight()
  return {
    name: 'resend',
    most: { mails: 100, bytes: 5_000_000 },
    perSecond: 2,
    concurrency,
    repeatable: true,
    send: (mails, idempotencyKey) => calls.run(sendBatch(client, mails, idempotencyKey, timeoutMs)),
    merge: (merge) => {
      const send = sendMerged(poster, apiKey, merge)
      return (values, idempotencyKey) => calls.run(send(values, idempotencyKey))
    },
    close: async () => {
      await calls.settled()
      poster.close()
    },
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

/** Everything that is the same for all readers is checked and escaped here, once. */
function sendMerged(poster: Poster, apiKey: string, { pattern, marks }: Merge): SendMerged {
  const fault = whatCannotBeSent([pattern], 'each-call-has-its-own')
  if (fault) throw new TypeError(`This mail cannot be sent: ${fault}`)
  const stencil = cutStencil(`,${jsonOfMail(pattern)}`, marks)

  return async (values, idempotencyKey) => {
    if (
      !isHeaderValue(idempotencyKey) ||
      values.some((reader) => !isPlain(reader) && reader.some(hasControl))
    )
      return { kind: 'rejected', reason: 'control characters in a value, or no idempotency key' }
    const headers = {
      accept: '*/*',
      authorization: `Bearer ${apiKey}`,
      'content-type': 'application/json',
      'idempotency-key': idempotencyKey,
      'user-agent': userAgent,
      'x-batch-validation': 'strict',
    }
    return classifyPosted(await poster.post(headers, mergedBody(stencil, values)), values.length)
  }
}

/**
 * Everything the client would throw over, or Resend refuse, that can be seen before a byte leaves. The client throws a
 * TypeError on a key that is no header value, and quietly sends without one that is empty.
 */
function whatCannotBeSent(mails: readonly Mail[], idempotencyKey: string): string | undefined {
  if (!isHeaderValue(idempotencyKey)) return 'the idempotency key is not 1 to 256 printable characters'
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

function hasControl(value: string): boolean {
  return control.test(value)
}

function isHeaderValue(key: string): boolean {
  return /^[\x21-\x7e]{1,256}$/.test(key)
}

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
