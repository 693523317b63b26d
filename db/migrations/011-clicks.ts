import { type Kysely, sql } from 'kysely'

/** The links of an issue's mail that lead through us, each time one was followed, and what the metrics look up. */
export async function up(db: Kysely<any>): Promise<void> {
  // Never deleted: a link in a mail that was sent leads to its target for ever.
  await sql`
    create table link (
      id            text primary key check (id ~ '^[a-z0-9]{12}$'),
      issue_id      int not null references issue,
      kind          text not null check (kind in ('comparison', 'trap')),
      comparison_id int references comparison,
      position      smallint check (position > 0),
      target        text not null check (target ~ '^https?://[\\x21-\\x7e]+$'),
      check ((kind = 'comparison') = (comparison_id is not null)),
      check (kind = 'comparison' or position is null)
    )`.execute(db)
  await sql`create index link_of on link (issue_id)`.execute(db)

  // No address, no reader, no user agent: two keyed hashes, whose key is thrown away after its day.
  await sql`
    create table click (
      link_id text not null references link,
      at      timestamptz not null,
      network bigint not null,
      visitor bigint not null,
      agent   text not null check (agent in ('browser', 'program', 'prefetch', 'none')),
      head    boolean not null
    )`.execute(db)
  await sql`create index click_on on click (link_id)`.execute(db)

  await sql`
    create table click_key (
      day date primary key,
      key text not null check (length(key) >= 43)
    )`.execute(db)

  await sql`create index batch_of_issue on batch (issue_id, state) include (size)`.execute(db)
}
