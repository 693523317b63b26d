import { type Kysely, sql } from 'kysely'

/** What readers vote on tools, the counts that pages read, and both as an issue was set with them. */
export async function up(db: Kysely<any>): Promise<void> {
  // One vote to a reader and tool, by its key. `turn` counts how often it was cast or changed.
  await sql`
    create table vote (
      subscriber_id bigint not null references subscriber,
      tool_id       int not null references tool,
      verdict       text not null check (verdict in ('ship', 'skip')),
      comparison_id int not null references comparison,
      issue_id      int not null references issue,
      cast_at       timestamptz not null,
      changed_at    timestamptz not null check (changed_at >= cast_at),
      turn          int not null check (turn > 0),
      network       text not null,
      set_aside     boolean not null default false,
      primary key (subscriber_id, tool_id)
    )`.execute(db)
  await sql`create index vote_on_tool on vote (tool_id, changed_at)`.execute(db)
  await sql`create index vote_by_time on vote (changed_at)`.execute(db)

  // Kept in the transaction of each vote; what an editor set aside is in neither count.
  await sql`
    create table vote_tally (
      tool_id    int primary key references tool,
      ship       int not null check (ship >= 0),
      skip       int not null check (skip >= 0),
      set_aside  int not null default 0 check (set_aside >= 0),
      changed_at timestamptz not null
    )`.execute(db)

  // As a draft was set: the votes on its tools and on those it looks back on, and how many it took for a result.
  await sql`
    create table issue_vote (
      issue_id int not null references issue on delete cascade,
      tool_id  int not null references tool,
      ship     int not null check (ship >= 0),
      skip     int not null check (skip >= 0),
      primary key (issue_id, tool_id)
    )`.execute(db)
  await sql`alter table issue add column fewest_votes int not null default 5 check (fewest_votes > 0)`.execute(
    db,
  )
  await sql`
    create table issue_outcome (
      issue_id      int not null references issue on delete cascade,
      comparison_id int not null references comparison,
      position      int not null check (position > 0),
      revision      int not null,
      primary key (issue_id, comparison_id),
      foreign key (comparison_id, revision) references comparison_revision (comparison_id, revision)
    )`.execute(db)
}
