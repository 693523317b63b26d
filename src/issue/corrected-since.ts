import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { loadAtRevision } from '../verdict/at-revision.ts'
import { type Change, changesBetween } from '../verdict/changes.ts'
import { factsIn } from '../verdict/facts.ts'
import { type DatedChange, listChanges } from '../verdict/list-changes.ts'

/** A comparison of which an edition told otherwise than it is now: what changed, and the days on which it came to be as it is. */
export type Corrected = {
  readonly slug: string
  readonly title: string
  readonly changes: readonly { readonly change: Change; readonly on: Temporal.PlainDate }[]
  /** When the last of it changed. */
  readonly at: Temporal.Instant
}

type Told = {
  readonly comparison_id: number
  readonly told: number
  readonly revision: number
  readonly revised_at: Temporal.Instant
}

/** What an edition told otherwise than it is now, in the edition's order. What was retracted is not corrected. */
export async function correctedSince(
  db: Kysely<Database>,
  { id, editionHash }: { readonly id: number; readonly editionHash: string },
  now: Temporal.Instant,
): Promise<readonly Corrected[]> {
  const rows = await toldOtherwise(db, id, editionHash, now)
  const { timezone } = await db
    .selectFrom('issue')
    .select('timezone')
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  const at = (which: 'told' | 'revision') =>
    loadAtRevision(
      db,
      rows.map(({ comparison_id, ...row }) => ({ comparison_id, revision: row[which] })),
    )
  const [before, after] = [(await at('told')) ?? [], (await at('revision')) ?? []]
  const corrected: Corrected[] = []
  for (const [index, row] of rows.entries()) {
    const [was, is] = [before[index], after[index]]
    const changes = was && is ? changesBetween(was, is) : []
    if (!is || changes.length === 0) continue
    const dated = await listChanges(db, row.comparison_id, now)
    const instants = changes.map((change) => whenIt(change, dated) ?? row.revised_at)
    corrected.push({
      ...{ slug: is.slug, title: is.title },
      changes: changes.map((change, which) => ({
        change,
        on: (instants[which] ?? row.revised_at).toZonedDateTimeISO(timezone).toPlainDate(),
      })),
      at: instants.toSorted(Temporal.Instant.compare).at(-1) ?? row.revised_at,
    })
  }
  return corrected
}

async function toldOtherwise(
  db: Kysely<Database>,
  issueId: number,
  editionHash: string,
  now: Temporal.Instant,
): Promise<readonly Told[]> {
  const { rows } = await sql<Told>`
    select t.comparison_id, t.revision as told, c.revision, c.revised_at
      from edition_tells t
      join comparison c on c.id = t.comparison_id and c.revision <> t.revision
       and c.retracted_at is null and c.published_at <= ${now}::timestamptz
      join comparison_revision was on was.comparison_id = c.id and was.revision = t.revision
      join comparison_revision is_now on is_now.comparison_id = c.id and is_now.revision = c.revision
      left join issue_comparison ic on ic.issue_id = ${issueId} and ic.comparison_id = t.comparison_id
     where t.edition_hash = ${editionHash}
       and ${factsIn(sql`was.document`)} is distinct from ${factsIn(sql`is_now.document`)}
     order by ic.position nulls last, t.comparison_id`.execute(db)
  return rows
}

/** When the newest change of the same thing was; those of a comparison come newest first. */
function whenIt(change: Change, dated: readonly DatedChange[]): Temporal.Instant | undefined {
  return dated.find((one) => thingOf(one) === thingOf(change))?.at
}

function thingOf(change: Change): string {
  return change.kind === 'verdict' || change.kind === 'price' ? `${change.kind} ${change.tool}` : change.kind
}
