import { type Kysely, sql } from 'kysely'

/** What readers decide: sign-up and its proofs, cadence and what they follow, pauses, a change of address, erasure. */
export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    alter table subscriber
      add column cadence text not null default 'weekly' check (cadence in ('weekly', 'monthly', 'followed')),
      alter column address drop not null,
      drop constraint subscriber_status_check,
      add constraint subscriber_status_check
        check (status in ('pending', 'confirmed', 'paused', 'unsubscribed', 'erased')),
      add check ((status = 'erased') = (address is null))`.execute(db)

  await sql`
    create table followed_category (
      subscriber_id bigint not null references subscriber on delete cascade,
      category      text not null check (category <> ''),
      primary key (subscriber_id, category)
    )`.execute(db)
  await sql`
    create table followed_tool (
      subscriber_id bigint not null references subscriber on delete cascade,
      tool_id       int not null references tool on delete cascade,
      primary key (subscriber_id, tool_id)
    )`.execute(db)

  // What a form sent, as it came in; a job takes it from there, so that the answer is the same for every address.
  await sql`
    create table sign_up (
      id       bigint generated always as identity primary key,
      address  text not null,
      at       timestamptz not null,
      network  text not null,
      form_url text not null,
      wording  text not null,
      method   text not null check (method in ('form', 'embedded form', 'json')),
      signals  text[] not null default '{}'
    )`.execute(db)

  // One mail to one reader outside the issues. The proof in it is derived from its id and a signing key, never stored.
  await sql`
    create table letter (
      id            uuid primary key default gen_random_uuid(),
      subscriber_id bigint not null references subscriber,
      kind          text not null check (kind in
                      ('confirm', 'welcome', 'confirm new address', 'address changed', 'resumed')),
      to_address    text,
      key_id        text not null,
      created_at    timestamptz not null,
      not_before    timestamptz not null,
      expires_at    timestamptz,
      attempts      int not null default 0,
      sent_at       timestamptz,
      given_up_at   timestamptz,
      reason        text,
      check (sent_at is null or given_up_at is null)
    )`.execute(db)
  await sql`create index letter_to_send on letter (not_before) where sent_at is null and given_up_at is null`.execute(
    db,
  )
  await sql`create index letter_of on letter (subscriber_id)`.execute(db)

  await sql`
    create table proof (
      token_hash    text primary key,
      letter_id     uuid not null references letter on delete cascade,
      subscriber_id bigint not null references subscriber,
      purpose       text not null check (purpose in ('confirm', 'change address')),
      new_address   text,
      expires_at    timestamptz not null,
      used_at       timestamptz,
      check ((purpose = 'change address') or new_address is null)
    )`.execute(db)
  await sql`create index proof_of on proof (subscriber_id)`.execute(db)

  await sql`
    alter table consent_event
      add column wording text,
      add column form_url text,
      add column network text,
      drop constraint consent_event_kind_check,
      add constraint consent_event_kind_check check (kind in
        ('signed up', 'confirmed', 'imported', 'paused', 'resumed', 'unsubscribed', 'resubscribed',
         'preferences changed', 'address changed', 'erased'))`.execute(db)

  // The layout that rate-limiter-flexible reads and writes.
  await sql`
    create table rate_limit (
      key    varchar(255) primary key,
      points integer not null default 0,
      expire bigint
    )`.execute(db)
}
