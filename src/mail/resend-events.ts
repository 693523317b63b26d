import { z } from 'zod'
import { AccountUnreadable, pages, patiently, timely } from './resend-ask.ts'
import { openResendClient } from './resend-client.ts'

/** An event in Resend's record of what it sent, or tried to send, to a webhook. */
export type RecordedEvent = { readonly id: string; readonly at: Temporal.Instant }

/** What Resend remembers of its events; a key that may do everything reads it. */
export type EventRecord = {
  /** Ids of the account's webhooks that lead to this address. */
  webhooksAt(endpoint: string): Promise<readonly string[]>
  /** Events since an instant, the newest first, a page at a time. */
  since(webhookId: string, instant: Temporal.Instant): AsyncGenerator<readonly RecordedEvent[]>
  /** An event as the webhook would have brought it. */
  payload(webhookId: string, eventId: string): Promise<unknown>
}

const webhook = z.object({ id: z.string(), endpoint: z.string() })
const recorded = z.object({
  id: z.string(),
  created_at: z.string().transform((text) => Temporal.Instant.from(text)),
})
const whole = z.object({ payload: z.looseObject({}) })

/** Opens it. Throws `AccountUnreadable` where Resend does not answer as it should. */
export function openEventRecord(at: {
  readonly fullAccessKey: string
  readonly baseUrl: string
}): EventRecord {
  const client = openResendClient(at.fullAccessKey, at.baseUrl)
  return {
    async webhooksAt(endpoint) {
      const found: string[] = []
      for await (const page of pages(
        (cursor) => client.webhooks.list({ limit: 100, ...cursor }, timely()),
        webhook,
      ))
        found.push(...page.filter((one) => one.endpoint === endpoint).map(({ id }) => id))
      return found
    },
    async *since(webhookId, instant) {
      const list = (cursor: { after?: string }) =>
        client.webhooks.events.list({ webhookId, limit: 100, ...cursor }, timely())
      for await (const page of pages(list, recorded)) {
        const fresh = page.filter(({ created_at }) => Temporal.Instant.compare(created_at, instant) >= 0)
        yield fresh.map(({ id, created_at }) => ({ id, at: created_at }))
        if (fresh.length < page.length) return
      }
    },
    async payload(webhookId, eventId) {
      const answer = await patiently(() => client.webhooks.events.get({ webhookId, eventId }, timely()))
      const event = whole.safeParse(answer)
      if (!event.success) throw new AccountUnreadable('Resend answered with something that is not an event.')
      return event.data.payload
    },
  }
}
