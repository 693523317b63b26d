import type { Kysely, Selectable } from 'kysely'
import type { Database } from '../../db/schema.ts'

/** A line of a reader's consent record. */
export type ConsentLine = Omit<Selectable<Database['consent_event']>, 'subscriber_id'>

/** A reader's consent record, newest first; those before an id or the newest. */
export function consentOf(
  db: Kysely<Database>,
  subscriberId: number,
  { before, most }: { before?: number | undefined; most: number },
): Promise<readonly ConsentLine[]> {
  return db
    .selectFrom('consent_event')
    .select(['id', 'kind', 'at', 'method', 'detail', 'wording', 'form_url', 'network'])
    .where('subscriber_id', '=', subscriberId)
    .$if(before !== undefined, (query) => query.where('id', '<', before ?? 0))
    .orderBy('id', 'desc')
    .limit(most)
    .execute()
}

/** The last line of each of these kinds that a reader's record has. */
export async function lastOfKind(
  db: Kysely<Database>,
  subscriberId: number,
  kinds: readonly ConsentLine['kind'][],
): Promise<ConsentLine | undefined> {
  return db
    .selectFrom('consent_event')
    .select(['id', 'kind', 'at', 'method', 'detail', 'wording', 'form_url', 'network'])
    .where('subscriber_id', '=', subscriberId)
    .where('kind', 'in', kinds)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
}
