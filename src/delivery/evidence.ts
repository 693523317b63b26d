import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'

/** What the provider reported on one mail of a batch, which proves that it had accepted that mail. */
export type Evidence = {
  readonly subscriberId: number
  readonly emailId: string
  readonly type: string
  readonly at: Temporal.Instant
}

/** Every event that carries a batch's tag, by reader, oldest first: whoever is named here was accepted (RELIABILITY 3.4). */
export async function eventsAbout(db: Kysely<Database>, batchId: string): Promise<readonly Evidence[]> {
  return db
    .selectFrom('provider_event as e')
    .innerJoin('subscriber as s', 's.public_id', 'e.subscriber_public_id')
    .select(['s.id as subscriberId', 'e.email_id as emailId', 'e.type', 'e.occurred_at as at'])
    .where('e.batch_id', '=', batchId)
    .where('e.type', 'like', 'email.%')
    .where('e.email_id', 'is not', null)
    .$narrowType<{ emailId: string }>()
    .orderBy('s.id')
    .orderBy('e.occurred_at')
    .orderBy('e.svix_id')
    .execute()
}
