import { z } from 'zod'
import { pages, patiently, timely } from './resend-ask.ts'
import { openResendClient } from './resend-client.ts'

/** An address that Resend mails no more, in its own words for why. */
export type TheirSuppression = { readonly email: string; readonly origin: string }

/** Resend's suppression list (RELIABILITY 1.7). Throws `AccountUnreadable` where Resend does not answer as it should. */
export type SuppressionList = {
  /** All of it, a page of a hundred at a time. */
  all(): AsyncGenerator<readonly TheirSuppression[]>
  /** Adds any number, a hundred in a call. */
  add(addresses: readonly string[]): Promise<void>
  /** False when it was not there. */
  remove(address: string): Promise<boolean>
}

const row = z.object({ id: z.string(), email: z.string(), origin: z.string() })

const resendHost = 'https://api.resend.com'

/** The list of the account that the configuration names; undefined without a key that may read and change it. */
export function theirSuppressions({
  resendFullAccessKey,
  mail,
}: {
  readonly resendFullAccessKey?: string | undefined
  readonly mail: { readonly resendBaseUrl?: string | undefined }
}): SuppressionList | undefined {
  if (!resendFullAccessKey) return undefined
  return openSuppressionList({
    fullAccessKey: resendFullAccessKey,
    baseUrl: mail.resendBaseUrl ?? resendHost,
  })
}

/** Opens it with a key that may do everything; one that only sends may not. */
export function openSuppressionList(at: {
  readonly fullAccessKey: string
  readonly baseUrl: string
}): SuppressionList {
  const client = openResendClient(at.fullAccessKey, at.baseUrl)
  return {
    all: () => pages((cursor) => client.suppressions.list({ limit: 100, ...cursor }, timely()), row),
    async add(addresses) {
      for (let from = 0; from < addresses.length; from += 100) {
        const emails = addresses.slice(from, from + 100)
        await patiently(() => client.suppressions.batch.add({ emails }, timely()))
      }
    },
    async remove(address) {
      let isThere = true
      await patiently(async () => {
        const answer = await client.suppressions.remove(address, timely())
        if (answer.error?.statusCode !== 404) return answer
        isThere = false
        return { ...answer, error: null }
      })
      return isThere
    },
  }
}
