import { type Kysely, sql } from 'kysely'

/** What a job has seen of the votes, and the bursts and rings that it found, for an editor to decide about. */
export async function up(db: Kysely<any>): Promise<void> {
  // How often was voted, in ten minutes each, cast and changed alike; `newcomers`: by readers who had confirmed shortly before.
  await sql`
    create table vote_slice (
      slice     timestamptz not null,
      tool_id   int not null references tool,
      verdict   text not null check (verdict in ('ship', 'skip')),
      votes     int not null check (votes > 0),
      newcomers int not null check (newcomers between 0 and votes),
      primary key (slice, tool_id, verdict)
    )`.execute(db)
  await sql`
    create table vote_watch (
      single       boolean primary key default true check (single),
      looked_until timestamptz not null
    )`.execute(db)

  // All of a reader's votes as one hash: who votes exactly alike has the same.
  await sql`
    create table vote_ballot (
      subscriber_id bigint primary key,
      votes         int not null check (votes > 0),
      issues        int not null check (issues > 0),
      ballot        text not null
    )`.execute(db)
  await sql`create index vote_ballot_alike on vote_ballot (ballot) where issues >= 3 and votes >= 4`.execute(
    db,
  )

  // The same burst or ring found again is the same flag: a burst by its key, a ring by its readers.
  await sql`
    create table vote_flag (
      id         int generated always as identity primary key,
      rule       text not null check (rule in ('pace', 'network', 'newcomers', 'alike', 'origin')),
      key        text unique,
      state      text not null default 'open' check (state in ('open', 'left', 'set aside')),
      sets_aside boolean not null default false check (sets_aside or state <> 'set aside'),
      revision   int not null default 1 check (revision > 0),
      found_at   timestamptz not null,
      grown_at   timestamptz not null,
      decided_at timestamptz,
      evidence   jsonb not null,
      check ((key is null) = (rule in ('alike', 'origin')))
    )`.execute(db)
  await sql`create index vote_flag_open on vote_flag (id) where state = 'open'`.execute(db)
  await sql`
    create table vote_flag_vote (
      flag_id       int not null references vote_flag on delete cascade,
      subscriber_id bigint not null,
      tool_id       int not null,
      found_at      timestamptz not null,
      primary key (flag_id, subscriber_id, tool_id),
      foreign key (subscriber_id, tool_id) references vote on delete cascade
    )`.execute(db)
  await sql`create index vote_flag_on on vote_flag_vote (subscriber_id, tool_id)`.execute(db)

  await sql`create index vote_from on vote (network, tool_id)`.execute(db)
  await sql`
    create index consent_event_from on consent_event (network, at)
     where kind = 'signed up' and network is not null`.execute(db)

  for (const kind of ['leave votes', 'set votes aside', 'count votes again']) await allowDecision(db, kind)
}

/** The kinds that are allowed already stay so, whichever they are. */
async function allowDecision(db: Kysely<any>, kind: string): Promise<void> {
  const { rows } = await sql<{ def: string }>`
    select pg_get_constraintdef(oid) as def from pg_constraint
     where conname = 'decision_what_check' and conrelid = 'decision'::regclass`.execute(db)
  const known = [...(rows[0]?.def ?? '').matchAll(/'([^']+)'/g)].map(([, name]) => name ?? '')
  const kinds = [...new Set([...known, kind])].map((name) => sql.lit(name))
  await sql`
    alter table decision
      drop constraint decision_what_check,
      add constraint decision_what_check check (what in (${sql.join(kinds)}))`.execute(db)
}
