import { type Kysely, sql } from 'kysely'

/** What editors corrected in an issue, revision by revision; and superseded editions that nobody needs may go. */
export async function up(db: Kysely<any>): Promise<void> {
  // `restores` is the revision that has the same content: 0 is the issue as it was generated.
  await sql`
    create table issue_edits (
      issue_id         int not null references issue,
      revision         int not null check (revision > 0),
      at               timestamptz not null,
      by               text not null,
      how              text not null check (how in ('edit', 'undo', 'redo', 'back')),
      restores         int check (restores >= 0 and restores < revision),
      edits            jsonb not null,
      fields           text[] not null,
      edition_hash     text not null,
      took_approval_of text,
      primary key (issue_id, revision),
      check ((how = 'edit') = (restores is null))
    )`.execute(db)
  await sql`
    create trigger issue_edits_is_append_only before update or delete on issue_edits
    for each row execute function refuse_change()`.execute(db)

  // An edition is never changed. It may go once another took its place, while nothing was sent and nobody approved it.
  await sql`
    create function keep_edition() returns trigger language plpgsql as $$
    begin
      if tg_op = 'DELETE' and old.variant_of is null and not exists (
        select from issue i where i.id = old.issue_id
           and (i.planned_at is not null or old.hash in (i.edition_hash, i.approved_hash))
      ) then
        return old;
      end if;
      raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
    end $$`.execute(db)
  await sql`drop trigger edition_is_frozen on edition`.execute(db)
  await sql`
    create trigger edition_is_frozen before update or delete on edition
    for each row execute function keep_edition()`.execute(db)

  // What a deleted edition is looked up by; without it, every draft would read all batches there ever were.
  await sql`create index batch_of_edition on batch (issue_id, edition_hash)`.execute(db)
}
