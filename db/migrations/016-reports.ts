import { type Kysely, sql } from 'kysely'

/** What the desk's reports read instead of counting: counts of clicks, arrivals and departures by hour, issue and day, kept by a job. */
export async function up(db: Kysely<any>): Promise<void> {
  // Who got nothing of an issue from the start, with why; written with the plan, and never changed.
  await sql`
    create table planned_exclusion (
      issue_id int not null references issue,
      reason   text not null,
      readers  int not null check (readers > 0),
      primary key (issue_id, reason)
    )`.execute(db)
  await sql`
    insert into planned_exclusion (issue_id, reason, readers)
    select issue_id, reason, count(*) from delivery where batch_id is null group by issue_id, reason`.execute(
    db,
  )

  // A batch stands for its members, so that an account reads these few and the batches, but no other delivery.
  await sql`
    create index delivery_left_out on delivery (batch_id) where exception is not null and batch_id is not null`.execute(
    db,
  )
  await sql`drop index batch_of_issue`.execute(db)
  await sql`
    create index batch_of_issue on batch (issue_id, state, accepted_at) include (id, size)`.execute(db)
  await sql`
    create index batch_child on batch (issue_id, parent_id) include (size) where parent_id is not null`.execute(
    db,
  )

  // What was counted of an issue, and up to when. Null: not yet.
  await sql`
    create table issue_tally (
      issue_id           int primary key references issue,
      clicks_raw         int not null default 0,
      clicks             int not null default 0,
      clicks_until       timestamptz,
      unsubscribed       int not null default 0,
      unsubscribed_until timestamptz,
      reported           int,
      reported_at        timestamptz
    )`.execute(db)

  // The hour is the one after the plan: 0 is the first.
  await sql`
    create table click_hour (
      issue_id int not null references issue,
      hour     int not null check (hour >= 0),
      link_id  text not null references link,
      raw      int not null,
      filtered int not null,
      agent    int not null,
      trap     int not null,
      burst    int not null,
      primary key (issue_id, hour, link_id)
    )`.execute(db)
  await sql`
    create table delivered_hour (
      issue_id  int not null references issue,
      hour      smallint not null check (hour between 0 and 47),
      delivered int not null,
      primary key (issue_id, hour)
    )`.execute(db)

  // How the list grew and shrank, by day of the newsletter's zone; and up to when that was counted.
  await sql`
    create table list_day (
      day     date not null,
      what    text not null check (what in
                ('confirmed', 'imported', 'resubscribed', 'resumed',
                 'unsubscribed', 'bounced', 'complained', 'paused', 'erased', 'by hand')),
      readers int not null,
      primary key (day, what)
    )`.execute(db)
  await sql`
    create table list_mark (
      single        boolean primary key default true check (single),
      settled       date not null,
      counted_until timestamptz not null
    )`.execute(db)

  await sql`drop index click_on`.execute(db)
  await sql`create index click_on on click (link_id, at)`.execute(db)
  await sql`create index departure_since on departure (at) include (why)`.execute(db)
  await sql`create index issue_planned on issue (planned_at) where planned_at is not null`.execute(db)
}
