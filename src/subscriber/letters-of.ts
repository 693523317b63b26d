import { type Kysely, type Selectable, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'

/** A letter to a reader, with what became of it. */
export type LetterLine = Omit<
  Selectable<Database['letter']>,
  'subscriber_id' | 'key_id' | 'follow_tool' | 'follow_category' | 'follow_cadence'
>

/** The letters to a reader, newest first; those before a letter or the newest. */
export function lettersOf(
  db: Kysely<Database>,
  subscriberId: number,
  { before, most }: { before?: string | undefined; most: number },
): Promise<readonly LetterLine[]> {
  return db
    .selectFrom('letter as l')
    .select(['l.id', 'l.kind', 'l.to_address', 'l.created_at', 'l.not_before', 'l.expires_at', 'l.attempts'])
    .select(['l.sent_at', 'l.given_up_at', 'l.reason', 'l.feedback', 'l.feedback_at', 'l.soft_at'])
    .select('l.follow_name')
    .where('l.subscriber_id', '=', subscriberId)
    .$if(before !== undefined, (query) =>
      query.where(
        sql<boolean>`(l.created_at, l.id) < (select created_at, id from letter where id = ${before}::uuid)`,
      ),
    )
    .orderBy('l.created_at', 'desc')
    .orderBy('l.id', 'desc')
    .limit(most)
    .execute()
}
