import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { loadAtRevision } from '../verdict/at-revision.ts'
import { changesBetween } from '../verdict/changes.ts'
import type { Comparison } from '../verdict/comparison.ts'
import { factsIn } from '../verdict/facts.ts'
import type { Correction } from './correction.ts'

/** Longer than any pause. What was told before that, and to nobody since, is left to the archive. */
const reach = Temporal.Duration.from({ hours: 24 * 400 })

/**
 * What editions of earlier issues told otherwise than it is as of an issue's cut-off, those first that no issue has
 * corrected yet. Who was told so is not asked here: the plan knows. What is retracted is in no later issue, nor is this.
 */
export async function findCorrections(
  db: Kysely<Database>,
  issueId: number,
  cutoff: Temporal.Instant,
): Promise<readonly Correction[]> {
  const tellings = await tellingsOtherwise(db, issueId, cutoff)
  const corrections: Correction[] = []
  for (const [comparisonId, ofOne] of Map.groupBy(tellings, (telling) => telling.comparison_id)) {
    const told = await loadTold(db, comparisonId, ofOne)
    for (const alike of sameFacts(told)) {
      const correction = await correctionOf(db, comparisonId, alike)
      if (correction) corrections.push(correction)
    }
  }
  return corrections.toSorted((a, b) => Number(b.isPrimary) - Number(a.isPrimary))
}

type Telling = {
  readonly comparison_id: number
  readonly told: number
  readonly now: number
  /** The revision that was told last of all. */
  readonly last_told: number
  readonly issue_id: number
  readonly due_at: Temporal.Instant
  readonly timezone: string
}

/** Every issue that told a revision whose facts are not those of the newest. Looked for here, because most revisions count votes. */
async function tellingsOtherwise(db: Kysely<Database>, issueId: number, cutoff: Temporal.Instant) {
  const { rows } = await sql<Telling>`
    with told as (
      select distinct t.comparison_id, t.revision, i.id as issue_id, i.planned_at, i.due_at, i.timezone
        from edition_tells t join edition e on e.hash = t.edition_hash join issue i on i.id = e.issue_id
       where i.id <> ${issueId} and i.planned_at <= ${cutoff}::timestamptz
         and i.planned_at > ${cutoff.subtract(reach)}::timestamptz
    ), ranked as (
      select told.*, first_value(revision) over (
               partition by comparison_id order by planned_at desc, revision desc) as last_told
        from told
    )
    select r.comparison_id, r.revision as told, now.revision as now, r.last_told, r.issue_id, r.due_at, r.timezone
      from ranked r
      join comparison c on c.id = r.comparison_id and c.retracted_at is null
       and c.published_at <= ${cutoff}::timestamptz and c.revision <> r.revision
      join comparison_revision was on was.comparison_id = c.id and was.revision = r.revision
     cross join lateral (
       select v.revision, v.document from comparison_revision v
        where v.comparison_id = c.id and v.revised_at <= ${cutoff}::timestamptz
        order by v.revision desc limit 1) now
     where now.document -> 'retracted' is distinct from 'true'::jsonb
       and ${factsIn(sql`was.document`)} is distinct from ${factsIn(sql`now.document`)}
     order by r.comparison_id, r.revision, r.issue_id`.execute(db)
  return rows
}

/** A revision that was told, what it said, and what is so now. */
type Told = {
  readonly revision: number
  readonly said: Comparison
  readonly now: Comparison
  readonly tellings: readonly Telling[]
}

async function loadTold(
  db: Kysely<Database>,
  comparison_id: number,
  tellings: readonly Telling[],
): Promise<readonly Told[]> {
  const byRevision = [...Map.groupBy(tellings, ({ told }) => told)]
  const wanted = [...byRevision.map(([revision]) => revision), tellings[0]?.now ?? 0]
  const loaded = await loadAtRevision(
    db,
    wanted.map((revision) => ({ comparison_id, revision })),
  )
  const now = loaded?.at(-1)
  if (!now) throw new Error(`A revision of comparison ${comparison_id} is not kept`)
  return byRevision.flatMap(([revision, its], index) => {
    const said = loaded?.[index]
    return said && changesBetween(said, now).length > 0 ? [{ revision, said, now, tellings: its }] : []
  })
}

/** Those that say the same together, each from the first on. */
function sameFacts(told: readonly Told[]): readonly (readonly [Told, ...Told[]])[] {
  const classes: [Told, ...Told[]][] = []
  for (const one of told) {
    const alike = classes.find(([first]) => changesBetween(first.said, one.said).length === 0)
    if (alike) alike.push(one)
    else classes.push([one])
  }
  return classes
}

async function correctionOf(
  db: Kysely<Database>,
  comparisonId: number,
  alike: readonly [Told, ...Told[]],
): Promise<Correction | undefined> {
  const [first] = alike
  const [telling] = first.tellings
  if (!telling) return undefined
  const issues = new Set(alike.flatMap(({ tellings }) => tellings.map(({ issue_id }) => issue_id)))
  const toldRevisions = alike.map(({ revision }) => revision)
  return {
    ...{ comparisonId, fromRevision: first.revision, toldRevisions, revision: telling.now },
    isPrimary: toldRevisions.includes(telling.last_told),
    ...{ told: first.said, now: first.now },
    toldOn: issues.size === 1 ? dayIn(telling.due_at, telling.timezone) : null,
    since: await onlyTurn(db, comparisonId, first.revision, telling),
  }
}

/** The day on which the facts changed between two revisions; null where they did more than once. */
async function onlyTurn(
  db: Kysely<Database>,
  comparisonId: number,
  from: number,
  { now, timezone }: Telling,
): Promise<Temporal.PlainDate | null> {
  const { rows } = await sql<{ revised_at: Temporal.Instant }>`
    select revised_at
      from (select revision, revised_at, ${factsIn(sql`document`)} as said,
                   lag(${factsIn(sql`document`)}) over (order by revision) as before
              from comparison_revision
             where comparison_id = ${comparisonId} and revision between ${from} and ${now}) revisions
     where revision > ${from} and said is distinct from before
     limit 2`.execute(db)
  const [turn, another] = rows
  return turn && !another ? dayIn(turn.revised_at, timezone) : null
}

function dayIn(instant: Temporal.Instant, zone: string): Temporal.PlainDate {
  return instant.toZonedDateTimeISO(zone).toPlainDate()
}
