import { type Kysely, sql } from 'kysely'

/** Tools, comparisons, the panel's reviews, and what each comparison said before it was revised. */
export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    create table tool (
      id   int generated always as identity primary key,
      slug text not null unique check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$')
    )`.execute(db)

  await sql`
    create table comparison (
      id           int generated always as identity primary key,
      slug         text not null unique check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
      title        text not null check (title <> ''),
      published_at timestamptz not null,
      retracted_at timestamptz,
      revision     int not null default 1 check (revision > 0),
      created_at   timestamptz not null default now(),
      revised_at   timestamptz not null default now()
    )`.execute(db)
  await sql`create index comparison_published on comparison (published_at) where retracted_at is null`.execute(
    db,
  )

  await sql`
    create table comparison_tool (
      comparison_id  int not null references comparison on delete cascade,
      side           smallint not null check (side in (1, 2)),
      tool_id        int not null references tool,
      name           text not null check (name <> ''),
      category       text not null,
      tagline        text not null,
      description    text not null,
      entry_price    text not null check (entry_price in ('free', 'freemium', 'paid', 'trial', 'unknown')),
      price_note     text,
      url            text check (url ~ '^https?://'),
      community_ship int not null default 0 check (community_ship >= 0),
      community_skip int not null default 0 check (community_skip >= 0),
      primary key (comparison_id, side),
      unique (comparison_id, tool_id)
    )`.execute(db)

  await sql`
    create table review (
      comparison_id int not null,
      side          smallint not null,
      position      smallint not null check (position > 0),
      reviewer      text not null check (reviewer ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
      verdict       text not null check (verdict in ('ship', 'skip')),
      quote         text not null check (quote <> ''),
      primary key (comparison_id, side, reviewer),
      foreign key (comparison_id, side) references comparison_tool on delete cascade
    )`.execute(db)

  await sql`
    create table comparison_revision (
      comparison_id int not null references comparison on delete cascade,
      revision      int not null check (revision > 0),
      revised_at    timestamptz not null,
      document      jsonb not null,
      primary key (comparison_id, revision)
    )`.execute(db)

  await sql`
    create function require_two_tools() returns trigger language plpgsql as $$
    declare
      changed jsonb := case tg_op when 'DELETE' then to_jsonb(old) else to_jsonb(new) end;
      subject int := changed ->> tg_argv[0];
    begin
      if exists (select from comparison c where c.id = subject)
         and (select count(*) from comparison_tool t where t.comparison_id = subject) <> 2 then
        raise exception 'comparison % must have exactly two tools', subject using errcode = 'check_violation';
      end if;
      return null;
    end $$`.execute(db)
  for (const [table, events, key] of [
    ['comparison', 'insert or update', 'id'],
    ['comparison_tool', 'insert or update or delete', 'comparison_id'],
  ] as const) {
    await sql`
      create constraint trigger has_two_tools after ${sql.raw(events)} on ${sql.table(table)}
      deferrable initially deferred for each row execute function require_two_tools(${sql.lit(key)})`.execute(
      db,
    )
  }
}
