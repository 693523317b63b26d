import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { addSubscriber } from '../../src/subscriber/subscriber.ts'

const joined = Temporal.Instant.from('2026-01-05T12:00:00Z')

/** A confirmed reader, `ann@example.test` for `ann`. Returns the row's ids. */
export async function reader(
  db: Kysely<Database>,
  name: string,
): Promise<{ id: number; publicId: string; address: string }> {
  const address = `${name}@example.test`
  await addSubscriber({ db, clock: () => joined }, address, { method: 'by hand', detail: 'a test' })
  const row = await db
    .selectFrom('subscriber')
    .select(['id', 'public_id'])
    .where('address', '=', address)
    .executeTakeFirstOrThrow()
  return { id: row.id, publicId: row.public_id, address }
}

export const people = {
  ann: (db: Kysely<Database>) => reader(db, 'ann'),
  bob: (db: Kysely<Database>) => reader(db, 'bob'),
  cleo: (db: Kysely<Database>) => reader(db, 'cleo'),

  /** Bob, who reported an issue as spam. */
  async bobWhoComplained(db: Kysely<Database>) {
    const bob = await reader(db, 'bob')
    await db
      .insertInto('suppression')
      .values({ address: bob.address, reason: 'complained', since: joined })
      .execute()
    return bob
  },

  /** As many readers as asked for, in one statement: `reader-000001@example.test` … */
  async crowd(db: Kysely<Database>, size: number): Promise<void> {
    const addresses = Array.from(
      { length: size },
      (_, n) => `reader-${String(n + 1).padStart(6, '0')}@example.test`,
    )
    for (let from = 0; from < size; from += 5000) {
      await db
        .insertInto('subscriber')
        .values(
          addresses.slice(from, from + 5000).map((address) => ({
            address,
            status: 'confirmed' as const,
            created_at: joined,
            confirmed_at: joined,
          })),
        )
        .execute()
    }
  },
}
