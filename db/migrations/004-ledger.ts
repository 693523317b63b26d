import { type Kysely, sql } from 'kysely'

/** The ledger: who was to get which issue, in which batch, what was tried, and what came back. */
export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    create table batch (
      id              uuid primary key,
      issue_id        int not null references issue,
      edition_hash    text not null,
      ordinal         int not null check (ordinal > 0),
      size            smallint not null check (size between 1 and 100),
      state           text not null check (state in
                        ('built', 'attempting', 'accepted', 'rejected', 'split', 'unknown', 'quarantined', 'empty')),
      reason          text,
      generation      int not null default 1 check (generation > 0),
      idempotency_key text not null unique check (length(idempotency_key) between 1 and 256),
      key_id          text not null,
      fence           int not null default 0,
      lease_owner     text,
      lease_until     timestamptz,
      not_before      timestamptz,
      first_used_at   timestamptz,
      accepted_at     timestamptz,
      provider_ids    text[],
      parent_id       uuid references batch,
      foreign key (issue_id, edition_hash) references edition (issue_id, hash),
      check ((state = 'attempting') = (lease_until is not null)),
      check ((state = 'accepted') = (provider_ids is not null)),
      check ((state = 'accepted') = (accepted_at is not null)),
      check (state not in ('rejected', 'quarantined', 'unknown') or reason is not null),
      check (state not in ('attempting', 'accepted', 'unknown') or first_used_at is not null)
    )`.execute(db)
  await sql`
    create index batch_to_claim on batch (issue_id, ordinal)
    where state in ('built', 'attempting', 'unknown')`.execute(db)

  await sql`
    create table delivery (
      issue_id      int not null references issue,
      subscriber_id bigint not null references subscriber,
      batch_id      uuid not null references batch,
      slot          smallint not null check (slot between 1 and 100),
      address       text,
      exception     text check (exception in ('excluded', 'rejected')),
      reason        text,
      primary key (issue_id, subscriber_id),
      unique (issue_id, address),
      unique (issue_id, batch_id, slot),
      check ((exception is null) = (reason is null))
    ) partition by list (issue_id)`.execute(db)

  await sql`
    create table attempt (
      id          bigint generated always as identity primary key,
      batch_id    uuid not null references batch,
      fence       int not null,
      fingerprint text not null,
      members     bigint[] not null,
      worker      text not null,
      started_at  timestamptz not null,
      finished_at timestamptz,
      outcome     text check (outcome in ('accepted', 'rejected', 'retry', 'halt', 'unknown')),
      reason      text,
      unique (batch_id, fence),
      check ((outcome is null) = (finished_at is null))
    )`.execute(db)

  await sql`
    create table provider_event (
      svix_id              text primary key,
      type                 text not null,
      email_id             text,
      batch_id             uuid,
      subscriber_public_id uuid,
      occurred_at          timestamptz not null,
      received_at          timestamptz not null,
      body                 jsonb not null
    )`.execute(db)
  await sql`create index provider_event_of_batch on provider_event (batch_id)`.execute(db)

  await sql`
    create view delivery_state as
    select d.issue_id, d.subscriber_id, d.address, d.batch_id, d.slot,
           coalesce(d.exception, case b.state
             when 'built' then 'planned'
             when 'split' then 'planned'
             when 'empty' then 'excluded'
             else b.state end) as state,
           coalesce(d.reason, b.reason) as reason,
           case when d.exception is null then b.provider_ids[d.slot] end as provider_id
      from delivery d join batch b on b.id = d.batch_id`.execute(db)
}
