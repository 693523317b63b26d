import { type Kysely, sql } from 'kysely'

/** Readers, their consent as an append-only record, and the addresses that are never mailed again. */
export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    create table subscriber (
      id              bigint generated always as identity primary key,
      public_id       uuid not null unique default gen_random_uuid(),
      address         text not null unique check (address = lower(address) and address ~ '^[^@\\s]+@[^@\\s]+$'),
      status          text not null check (status in ('pending', 'confirmed', 'paused', 'unsubscribed')),
      created_at      timestamptz not null,
      confirmed_at    timestamptz,
      paused_until    timestamptz,
      unsubscribed_at timestamptz,
      check (status not in ('confirmed', 'paused') or confirmed_at is not null),
      check ((status = 'paused') = (paused_until is not null)),
      check ((status = 'unsubscribed') = (unsubscribed_at is not null))
    )`.execute(db)

  await sql`
    create table consent_event (
      id            bigint generated always as identity primary key,
      subscriber_id bigint not null references subscriber,
      kind          text not null check (kind in
                      ('signed up', 'confirmed', 'imported', 'paused', 'resumed', 'unsubscribed', 'erased')),
      at            timestamptz not null,
      method        text not null,
      detail        text
    )`.execute(db)
  await sql`create index consent_event_of on consent_event (subscriber_id, id)`.execute(db)
  await sql`
    create function refuse_change() returns trigger language plpgsql as $$
    begin
      raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
    end $$`.execute(db)
  await sql`
    create trigger consent_event_is_append_only before update or delete on consent_event
    for each row execute function refuse_change()`.execute(db)

  await sql`
    create table suppression (
      id           int generated always as identity primary key,
      address      text unique,
      address_hash text unique,
      key_id       text,
      reason       text not null check (reason in ('bounced', 'complained', 'erased', 'by hand')),
      since        timestamptz not null,
      check (num_nonnulls(address, address_hash) = 1),
      check ((address_hash is null) = (key_id is null))
    )`.execute(db)
}
