import { randomUUID } from 'node:crypto'
import type { Hono } from 'hono'
import { Webhook } from 'standardwebhooks'
import { friday } from './delivery.ts'

/** A secret that signs webhooks, and one that came after it in a rotation. */
export const secrets = {
  old: `whsec_${Buffer.alloc(24, 1).toString('base64')}`,
  fresh: `whsec_${Buffer.alloc(24, 2).toString('base64')}`,
}

export const webhookEnvironment = { RESEND_WEBHOOK_SECRET: `${secrets.fresh} ${secrets.old}` }

/** An event as Resend sends it, with the id under which it sends it again and again. */
export type SentEvent = { readonly svixId: string; readonly document: Document }

type Document = {
  readonly type: string
  readonly created_at: string
  readonly data: Record<string, unknown>
}

/** A mail of ours as the provider knows it. */
export type KnownMail = {
  readonly emailId: string
  readonly to: string
  readonly tags?: Readonly<Record<string, string>>
}

/** An `email.…` event on a mail; `at` is when the provider saw it. */
export function mailEvent(
  type: string,
  mail: KnownMail,
  { at = friday, ...more }: { at?: string; [name: string]: unknown } = {},
): SentEvent {
  const data = {
    ...{ email_id: mail.emailId, created_at: at, from: 'Weekly <verdicts@example.com>', to: [mail.to] },
    ...{
      subject: 'Week 47',
      message_id: `<${mail.emailId}@example.com>`,
      ...(mail.tags && { tags: mail.tags }),
    },
    headers: [{ name: 'List-Unsubscribe', value: '<https://news.example.com/unsubscribe/secret-token>' }],
    ...more,
  }
  return { svixId: `msg_${randomUUID()}`, document: { type: `email.${type}`, created_at: at, data } }
}

export const bounces = {
  hard: {
    bounce: {
      type: 'Permanent',
      subType: 'NoEmail',
      message: 'no such mailbox',
      diagnosticCode: ['550 5.1.1'],
    },
  },
  soft: { bounce: { type: 'Transient', subType: 'MailboxFull', message: 'full' } },
  unclear: { bounce: { type: 'Undetermined', subType: 'Undetermined', message: 'who knows' } },
}

/** The signed headers of a delivery of these bytes, now unless said otherwise: the verifier has its own clock. */
export function signedHeaders(
  body: string,
  {
    svixId = `msg_${randomUUID()}`,
    secret = secrets.old,
    secondsAgo = 0,
  }: { svixId?: string; secret?: string; secondsAgo?: number } = {},
): Record<string, string> {
  const at = new Date(Date.now() - secondsAgo * 1000)
  return {
    'content-type': 'application/json',
    'svix-id': svixId,
    'svix-timestamp': String(Math.floor(at.getTime() / 1000)),
    'svix-signature': new Webhook(secret).sign(svixId, at, body),
  }
}

/** Delivers an event to the web side as Resend does. */
export async function deliverEvent(app: Hono, { svixId, document }: SentEvent): Promise<Response> {
  const body = JSON.stringify(document)
  return app.request('/webhooks/resend', { method: 'POST', body, headers: signedHeaders(body, { svixId }) })
}
