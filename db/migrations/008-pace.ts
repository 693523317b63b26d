import { type Kysely, sql } from 'kysely'

/** What all workers share while they send (the rate of calls, the mails of a day), and a ledger that costs less per mail. */
export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    create table pace (
      transport  text primary key,
      per_second double precision not null check (per_second > 0),
      slack      double precision not null check (slack between 0 and 1),
      next_at    timestamptz not null,
      heard_at   timestamptz not null
    )`.execute(db)
  await sql`
    create table mails_of_day (
      day   date primary key,
      mails int not null check (mails >= 0)
    )`.execute(db)
  await sql`
    alter table issue add column resume_at timestamptz, add check (resume_at is null or state = 'paused')`.execute(
    db,
  )

  // A claim changes no indexed column, so that it needs no new index entry; only the end of a batch does.
  await sql`drop index batch_to_claim`.execute(db)
  await sql`create index batch_open on batch (issue_id, ordinal, id) where accepted_at is null`.execute(db)
  // A hundred ids stay in the row: taking them to another table and packing what cannot be packed costs more than the rest.
  await sql`alter table batch alter column provider_ids set storage external`.execute(db)
  await sql`alter table batch set (fillfactor = 50, toast_tuple_target = 8160)`.execute(db)
  await sql`alter table attempt set (fillfactor = 70)`.execute(db)

  // Each is written from the table it would point to, in the same statement, and nothing is ever deleted from that:
  // what the database would check a million times is proved once, by `verdict reconcile`.
  await sql`alter table delivery drop constraint delivery_batch_id_fkey`.execute(db)
  await sql`alter table delivery drop constraint delivery_subscriber_id_fkey`.execute(db)
  await sql`alter table delivery drop constraint delivery_issue_id_fkey`.execute(db)
  await sql`alter table attempt drop constraint attempt_batch_id_fkey`.execute(db)
}
