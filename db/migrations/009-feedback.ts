import { type Kysely, sql } from 'kysely'

/** What came back: the state of each delivery and letter by the provider's events, and each issue's counts of them. */
export async function up(db: Kysely<any>): Promise<void> {
  // In this order a later value outweighs an earlier one, whatever came first. That a mail was sent is the ledger's to say.
  await sql`
    create type feedback_state as enum
      ('delayed', 'delivered', 'failed', 'suppressed', 'bounced soft', 'bounced hard', 'complained')`.execute(
    db,
  )

  // One row for each delivery that was reported on, written only from a join with that delivery: without foreign keys,
  // whose checks would cost as much as the rest.
  await sql`
    create table feedback (
      subscriber_id bigint not null,
      at            timestamptz not null,
      soft_at       timestamptz,
      issue_id      int not null,
      state         feedback_state not null,
      primary key (issue_id, subscriber_id)
    )`.execute(db)
  await sql`create index feedback_soft on feedback (subscriber_id) where soft_at is not null`.execute(db)

  await sql`
    create table issue_feedback (
      issue_id     int primary key references issue,
      delayed      int not null,
      delivered    int not null,
      failed       int not null,
      suppressed   int not null,
      bounced_soft int not null,
      bounced_hard int not null,
      complained   int not null
    )`.execute(db)

  await sql`
    alter table letter
      add column feedback feedback_state,
      add column feedback_at timestamptz,
      add column soft_at timestamptz,
      add check ((feedback is null) = (feedback_at is null))`.execute(db)

  // Events that were taken in and not applied yet: a row goes in the transaction of its effect.
  await sql`
    create table event_to_apply (
      id          bigint generated always as identity primary key,
      svix_id     text not null,
      email_id    text,
      batch_id    uuid,
      reader      uuid,
      letter_id   uuid,
      address     text,
      state       feedback_state,
      bars        text check (bars in ('bounced', 'complained', 'by hand')),
      at          timestamptz not null,
      received_at timestamptz not null,
      not_before  timestamptz not null
    )`.execute(db)
  await sql`
    create index event_to_apply_by_reader on event_to_apply (not_before, id) where reader is not null`.execute(
    db,
  )
  await sql`
    create index event_to_apply_apart on event_to_apply (not_before, id) where reader is null`.execute(db)

  await sql`
    create index provider_event_of_reader on provider_event (subscriber_public_id)
    where subscriber_public_id is not null`.execute(db)
}
