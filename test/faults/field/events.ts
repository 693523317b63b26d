import { createHmac, randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Witnessed } from '../../setup/provider/witness.ts'
import type { Field } from './field.ts'
import type { Web } from './leave.ts'

const secret = Buffer.alloc(24, 5)

/** What the web side needs to believe our events. */
export const webhookEnvironment = { RESEND_WEBHOOK_SECRET: `whsec_${secret.toString('base64')}` }

/**
 * While the issue is on its way, the provider tells of every tenth mail that it took: twice, and of the delivery before the
 * sending. Returns how many different events were taken in.
 */
export async function tellOfMails(
  web: Web | undefined,
  { provider }: Field,
  isOver: () => boolean,
): Promise<number> {
  let told = 0
  let taken = 0
  while (web && !isOver()) {
    const mails = provider.witnessed()
    for (const mail of mails.slice(told).filter((_, n) => n % 10 === 0))
      for (const type of ['email.delivered', 'email.sent']) {
        const id = `msg_${randomUUID()}`
        const statuses = [await post(web, id, eventOf(type, mail)), await post(web, id, eventOf(type, mail))]
        if (statuses.some((status) => status !== 200))
          throw new Error(`A webhook was answered with ${statuses}`)
        taken += 1
      }
    told = mails.length
    await wait(100)
  }
  return taken
}

function eventOf(type: string, { id, to, from, subject, at, tags }: Witnessed): string {
  const data = { email_id: id, created_at: at, from, to: [to], subject, tags }
  return JSON.stringify({ type, created_at: at, data })
}

/** Signed as Svix does it: HMAC-SHA-256 over id, time and body. */
async function post(web: Web, id: string, body: string): Promise<number> {
  const timestamp = String(Math.floor(Date.now() / 1000))
  const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')
  const answer = await fetch(`${web.url}/webhooks/resend`, {
    method: 'POST',
    headers: { 'svix-id': id, 'svix-timestamp': timestamp, 'svix-signature': `v1,${signature}` },
    body,
  })
  await answer.arrayBuffer()
  return answer.status
}
