import { createHash, randomUUID } from 'node:crypto'
import { z } from 'zod'

/** A mail that was accepted: what the witness log holds, one line of JSON each. */
export type Witnessed = {
  at: string
  key: string | null
  id: string
  to: string
  from: string
  subject: string
  htmlSha256: string
  textSha256: string
  /** SHA-256 over subject, html and text with every reader's own links struck out: the same for all mails of one edition. */
  bareSha256: string
  headers: Record<string, string>
  tags: Record<string, string>
  unsubscribe: string | null
}

/** A request as the provider saw it, whatever it answered: one line of JSON each in the log of requests. */
export type Requested = {
  at: string
  key: string | null
  sha256: string
  bytes: number
  mails: number
  fault: string | null
  /** The answer before the fault had its way with it; null where there was none. */
  status: number | null
  name: string | null
}

export type Batch = z.infer<typeof batch>

const address = z.string().regex(/^[^\s@]+@[^\s@]+$|<[^\s@]+@[^\s@]+>$/)
const tag = z.object({
  name: z.string().regex(/^[A-Za-z0-9_-]{1,256}$/),
  value: z.string().regex(/^[A-Za-z0-9_-]{1,256}$/),
})
const batch = z
  .array(
    z.strictObject({
      from: address,
      to: address,
      reply_to: address.optional(),
      subject: z.string().min(1),
      html: z.string().min(1),
      text: z.string().min(1),
      headers: z.record(z.string(), z.string()).default({}),
      tags: z.array(tag).default([]),
    }),
  )
  .min(1)
  .max(100)

/** The mails of a request, or undefined where it is not a batch as Resend describes it. */
export function parseBatch(body: Buffer): Batch | undefined {
  try {
    return batch.safeParse(JSON.parse(body.toString())).data
  } catch {
    return undefined
  }
}

/** What the witness keeps of a mail. */
export function witness(mail: Batch[number], key: string | null): Witnessed {
  return {
    at: Temporal.Now.instant().toString(),
    key,
    id: randomUUID(),
    to: mail.to,
    from: mail.from,
    subject: mail.subject,
    htmlSha256: sha256(mail.html),
    textSha256: sha256(mail.text),
    bareSha256: bareSum(mail),
    headers: mail.headers,
    tags: Object.fromEntries(mail.tags.map(({ name, value }) => [name, value])),
    unsubscribe: mail.headers['List-Unsubscribe'] ?? null,
  }
}

/** The sum of a mail, or of a stored edition, without what is personal: a reader's own part of each link and the hole for it. */
export function bareSum({ subject, html, text }: { subject: string; html: string; text: string }): string {
  return sha256([subject, bare(html), bare(text)].join('\u001e'))
}

export function sha256(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex')
}

function bare(part: string): string {
  return part
    .replaceAll(/\u0001(\w+)\u0002/g, '<<link>>')
    .replaceAll(
      /https?:\/\/[^\s"'<>]*\/(?:unsubscribe|preferences|vote)\/[\w-]+\.[\w-]+\.[\w-]+/g,
      '<<link>>',
    )
    .replaceAll(/https?:\/\/[^\s"'<>]*\/issues\/[^\s"'<>)]+/g, '<<link>>')
}
