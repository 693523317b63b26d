import { type Kysely, sql } from 'kysely'

/**
 * Why readers left, apart from the consent record because it can be erased. And indexes: whose pause is over, and which
 * letters went to an address other than their reader's, which an erasure asks.
 */
export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    create table departure (
      subscriber_id bigint primary key references subscriber on delete cascade,
      at            timestamptz not null,
      why           text check (why in ('too often', 'not for me', 'not trusted', 'never signed up', 'other')),
      words         text check (words <> '' and length(words) <= 500),
      check (num_nonnulls(why, words) > 0)
    )`.execute(db)

  await sql`
    create index subscriber_to_resume on subscriber (paused_until) where status = 'paused'`.execute(db)
  await sql`create index letter_to on letter (to_address) where to_address is not null`.execute(db)
  await sql`create index proof_of_new_address on proof (new_address) where new_address is not null`.execute(
    db,
  )
}
