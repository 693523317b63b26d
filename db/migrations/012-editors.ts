import { type Kysely, sql } from 'kysely'

/** Who may sign in at the desk, their sessions and codes; everything they do is a decision; and what the desk's pages look up. */
export async function up(db: Kysely<any>): Promise<void> {
  // In the layout that better-auth reads and writes. A code is kept as a keyed hash, the newest one only.
  await sql`
    create table editor (
      id             text primary key,
      address        text not null unique check (address = lower(address)),
      name           text not null default '',
      image          text,
      email_verified boolean not null,
      created_at     timestamptz not null,
      updated_at     timestamptz not null
    )`.execute(db)
  await sql`
    create table editor_session (
      id         text primary key,
      editor_id  text not null references editor on delete cascade,
      token      text not null unique,
      expires_at timestamptz not null,
      ip_address text,
      user_agent text,
      created_at timestamptz not null,
      updated_at timestamptz not null
    )`.execute(db)
  await sql`create index editor_session_of on editor_session (editor_id)`.execute(db)
  await sql`
    create table editor_code (
      id         text primary key,
      identifier text not null unique,
      value      text not null,
      expires_at timestamptz not null,
      created_at timestamptz not null,
      updated_at timestamptz not null
    )`.execute(db)

  await sql`
    alter table decision
      drop constraint decision_what_check,
      add constraint decision_what_check check (what in
        ('sign in', 'sign out', 'sign out everywhere', 'lock out',
         'draft', 'edit', 'approve', 'hold', 'release', 'cancel', 'send now', 'change time', 'test send', 'retry failed',
         'confirm', 'resend', 'drop', 'quarantine', 'adopt database',
         'resend confirmation', 'unsubscribe', 'suppress', 'lift suppression', 'erase',
         'publish', 'edit comparison', 'retract', 'restore'))`.execute(db)

  await sql`create index consent_event_since on consent_event (at, kind)`.execute(db)
  await sql`create index suppression_since on suppression (since)`.execute(db)
  await sql`create index issue_open on issue (due_at)
    where state in ('draft', 'approved', 'held', 'missed', 'sending', 'paused')`.execute(db)
}
