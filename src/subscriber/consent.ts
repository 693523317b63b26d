import type { Transaction } from 'kysely'
import type { ConsentKind, Database } from '../../db/schema.ts'

/** How something a reader decided came to us. */
export type ConsentMethod =
  | 'form'
  | 'embedded form'
  | 'json'
  | 'link'
  | 'page'
  | 'one-click'
  | 'by hand'
  | 'editor'
  | 'import'
  | 'schedule'
  | 'complaint'

/** One line of the proof that we may, or may no longer, mail somebody (GDPR art. 7). `network` is truncated before it comes here. */
export type Consent = {
  readonly subscriberId: number
  readonly kind: ConsentKind
  readonly at: Temporal.Instant
  readonly method: ConsentMethod
  readonly detail?: string
  /** Which version of the words was shown, and on which page. */
  readonly wording?: string
  readonly formUrl?: string
  readonly network?: string
}

/**
 * Appends to the consent record; it is never changed, so addresses in `detail` are struck out. In the transaction of what
 * it proves.
 */
export async function recordConsent(trx: Transaction<Database>, consent: Consent): Promise<void> {
  await trx
    .insertInto('consent_event')
    .values({
      ...{ subscriber_id: consent.subscriberId, kind: consent.kind, at: consent.at, method: consent.method },
      ...{ detail: withoutAddresses(consent.detail ?? null), wording: consent.wording ?? null },
      ...{ form_url: consent.formUrl ?? null, network: consent.network ?? null },
    })
    .execute()
}

/** Words that may stay for ever: an address in them could not be erased with its reader. */
export function withoutAddresses<Words extends string | null>(words: Words): Words | string {
  if (words === null || !/@|%40/.test(words)) return words
  return words.replace(
    /[^\s"'<>(),;:@]{1,64}(?:@|%40)[^\s"'<>(),;:@]{1,253}\.[^\s"'<>(),;:@]{2,63}/gu,
    '[address]',
  )
}
