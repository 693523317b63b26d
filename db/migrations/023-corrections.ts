import { type Kysely, sql } from 'kysely'

/** What each edition told its readers, by revision; and which of it an issue corrects. */
export async function up(db: Kysely<any>): Promise<void> {
  // Written with the plan. `corrects` names the correction that told it; null where the comparison itself is in the edition.
  await sql`
    create table edition_tells (
      edition_hash  text not null references edition on delete cascade,
      comparison_id int not null references comparison,
      revision      int not null,
      corrects      int,
      primary key (edition_hash, comparison_id)
    )`.execute(db)
  await sql`create index edition_that_tells on edition_tells (comparison_id, edition_hash)`.execute(db)

  // Who was told any of the revisions that say the same as `from_revision` gets the same words.
  await sql`
    create table issue_correction (
      issue_id      int not null references issue,
      comparison_id int not null references comparison,
      told_revision int not null,
      from_revision int not null check (from_revision <= told_revision),
      revision      int not null check (revision <> told_revision),
      place         smallint not null check (place > 0),
      is_primary    boolean not null,
      told_on       date,
      since         date,
      primary key (issue_id, comparison_id, told_revision)
    )`.execute(db)

  await sql`
    insert into edition_tells (edition_hash, comparison_id, revision)
    select i.approved_hash, ic.comparison_id, ic.revision
      from issue i join issue_comparison ic on ic.issue_id = i.id
     where i.planned_at is not null and i.approved_hash is not null`.execute(db)
  // A variant has a counted link to each comparison that it sets in full, as that was mailed: so roll-ups were made.
  await sql`
    insert into edition_tells (edition_hash, comparison_id, revision)
    select e.hash, l.comparison_id, ic.revision
      from edition e
      join issue i on i.id = e.issue_id and i.planned_at is not null
      join link l on l.issue_id = e.issue_id and l.comparison_id is not null
       and position('/go/' || l.id in e.html) > 0
      join issue_comparison ic on ic.comparison_id = l.comparison_id and ic.counts
     where e.variant_of is not null
    on conflict do nothing`.execute(db)
}
