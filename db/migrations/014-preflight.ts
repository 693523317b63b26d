import { type Kysely, sql } from 'kysely'

/** What the costly checks of an edition found, which blocks an editor let pass and why, and which the editors were told of. */
export async function up(db: Kysely<any>): Promise<void> {
  // By the edition's hash: another edition is another check. `version` is that of the rules; older ones count as not checked.
  await sql`
    create table edition_check (
      edition_hash text not null references edition on delete cascade,
      part         text not null check (part in ('edition', 'variants', 'axe')),
      version      text not null,
      findings     jsonb not null,
      at           timestamptz not null,
      primary key (edition_hash, part)
    )`.execute(db)

  // For this edition and no other; the decision itself is in the log.
  await sql`
    create table preflight_acknowledgement (
      issue_id     int not null references issue,
      line         text not null,
      edition_hash text not null,
      by           text not null check (by <> ''),
      reason       text not null check (length(reason) between 10 and 500),
      at           timestamptz not null,
      primary key (issue_id, line, edition_hash)
    )`.execute(db)

  // One mail to the editors for a set of lines, ahead of the time and when it stopped the issue; `told_at` once it left.
  await sql`
    create table preflight_notice (
      issue_id   int not null references issue,
      occasion   text not null check (occasion in ('ahead', 'stopped')),
      lines      text not null,
      claimed_at timestamptz not null,
      told_at    timestamptz,
      primary key (issue_id, occasion, lines)
    )`.execute(db)

  await allowDecision(db, 'let pass')
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
