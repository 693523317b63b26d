import { type Kysely, sql } from 'kysely'

/** Issues by ISO week, what is in each, and the editions they were set in. */
export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    create table newsletter (
      single      boolean primary key default true check (single),
      baseline_at timestamptz not null
    )`.execute(db)

  await sql`
    create table issue (
      id            int generated always as identity primary key,
      week          text not null unique check (week ~ '^[0-9]{4}-W(0[1-9]|[1-4][0-9]|5[0-3])$'),
      state         text not null check (state in ('scheduled', 'draft', 'approved', 'held', 'quiet', 'missed',
                      'sending', 'paused', 'sent', 'partly sent', 'cancelled')),
      reason        text,
      timezone      text not null,
      draft_at      timestamptz not null,
      due_at        timestamptz not null check (due_at >= draft_at),
      cutoff_at     timestamptz,
      edition_hash  text,
      approved_hash text,
      approved_at   timestamptz,
      approved_by   text,
      planned_at    timestamptz,
      planned       int not null default 0 check (planned >= 0),
      finished_at   timestamptz,
      check (state not in ('draft', 'approved', 'held', 'sending', 'paused', 'sent', 'partly sent')
             or edition_hash is not null),
      check (state <> 'approved' or approved_hash is not distinct from edition_hash),
      check (state not in ('quiet', 'missed', 'held', 'paused') or reason is not null),
      check (state not in ('sending', 'paused', 'sent', 'partly sent') or planned_at is not null),
      check (state not in ('scheduled', 'draft', 'approved', 'held', 'quiet', 'missed') or planned_at is null),
      check ((approved_hash is null) = (approved_at is null))
    )`.execute(db)

  await sql`
    create table issue_comparison (
      issue_id      int not null references issue,
      comparison_id int not null references comparison,
      position      smallint not null check (position > 0),
      revision      int not null,
      counts        boolean not null default true,
      primary key (issue_id, comparison_id),
      unique (issue_id, position)
    )`.execute(db)
  await sql`
    create unique index comparison_in_one_live_issue on issue_comparison (comparison_id) where counts`.execute(
    db,
  )

  await sql`
    create table edition (
      hash      text primary key,
      issue_id  int not null references issue,
      subject   text not null check (subject <> '' and subject !~ '[[:cntrl:]]'),
      preheader text not null,
      html      text not null,
      text      text not null,
      frozen_at timestamptz not null,
      unique (issue_id, hash),
      check (hash = encode(sha256(convert_to(
        subject || E'\\x1e' || preheader || E'\\x1e' || html || E'\\x1e' || text, 'UTF8')), 'hex'))
    )`.execute(db)
  await sql`
    create trigger edition_is_frozen before update or delete on edition
    for each row execute function refuse_change()`.execute(db)
  await sql`
    alter table issue add foreign key (id, edition_hash) references edition (issue_id, hash)
    deferrable initially deferred`.execute(db)
}
