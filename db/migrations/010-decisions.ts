import { type Kysely, sql } from 'kysely'

/** What people (and evidence) decided about issues and batches, for good; and where this database lived when it last sent. */
export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    create table decision (
      id       bigint generated always as identity primary key,
      at       timestamptz not null,
      by       text not null check (by <> ''),
      what     text not null check (what in
                 ('approve', 'hold', 'release', 'cancel', 'retry failed',
                  'confirm', 'resend', 'drop', 'quarantine', 'adopt database')),
      issue_id int references issue,
      batch_id uuid references batch,
      evidence jsonb not null default '{}'
    )`.execute(db)
  await sql`create index decision_on_issue on decision (issue_id, id)`.execute(db)
  await sql`create index decision_on_batch on decision (batch_id) where batch_id is not null`.execute(db)
  await sql`
    create trigger decision_is_append_only before update or delete on decision
    for each row execute function refuse_change()`.execute(db)

  await sql`create index batch_in_doubt on batch (issue_id) where state in ('unknown', 'quarantined')`.execute(
    db,
  )

  // A copy of the database has the same row; what it says of its place is then no longer true.
  await sql`
    create table installation (
      single    boolean primary key default true check (single),
      id        uuid not null default gen_random_uuid(),
      ancestors uuid[] not null default '{}',
      place     text
    )`.execute(db)
}
