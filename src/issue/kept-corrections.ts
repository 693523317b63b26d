import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { loadAtRevision } from '../verdict/at-revision.ts'
import type { Correction } from './correction.ts'

/** Freezes what a draft corrects, in its order, in the place of what an earlier draft did. */
export async function keepCorrections(
  trx: Transaction<Database>,
  issueId: number,
  corrections: readonly Correction[],
): Promise<void> {
  await trx.deleteFrom('issue_correction').where('issue_id', '=', issueId).execute()
  const rows = corrections.flatMap((correction, index) =>
    correction.toldRevisions.map((told_revision) => ({
      ...{ issue_id: issueId, comparison_id: correction.comparisonId, told_revision, place: index + 1 },
      ...{ from_revision: correction.fromRevision, revision: correction.revision },
      is_primary: correction.isPrimary,
      told_on: correction.toldOn?.toString() ?? null,
      since: correction.since?.toString() ?? null,
    })),
  )
  if (rows.length > 0) await trx.insertInto('issue_correction').values(rows).execute()
}

/** What an issue's draft corrects, in its order. */
export async function loadCorrections(db: Kysely<Database>, issueId: number): Promise<readonly Correction[]> {
  const rows = await db
    .selectFrom('issue_correction')
    .select(['comparison_id', 'from_revision', 'revision', 'place', 'is_primary'])
    .select([
      sql<string | null>`told_on::text`.as('told_on'),
      sql<string | null>`since::text`.as('since'),
      sql<number[]>`array_agg(told_revision order by told_revision)`.as('told_revisions'),
    ])
    .where('issue_id', '=', issueId)
    .groupBy(['comparison_id', 'from_revision', 'revision', 'place', 'is_primary', 'told_on', 'since'])
    .orderBy('place')
    .execute()
  const at = (which: 'from_revision' | 'revision') =>
    loadAtRevision(
      db,
      rows.map(({ comparison_id, ...row }) => ({ comparison_id, revision: row[which] })),
    )
  const [told, now] = [await at('from_revision'), await at('revision')]
  return rows.map((row, index) => {
    const [was, is] = [told?.[index], now?.[index]]
    if (!was || !is) throw new Error(`A revision of comparison ${row.comparison_id} is not kept`)
    return {
      ...{ comparisonId: row.comparison_id, fromRevision: row.from_revision, revision: row.revision },
      ...{ toldRevisions: row.told_revisions, isPrimary: row.is_primary, told: was, now: is },
      toldOn: dayOrNull(row.told_on),
      since: dayOrNull(row.since),
    }
  })
}

function dayOrNull(day: string | null): Temporal.PlainDate | null {
  return day === null ? null : Temporal.PlainDate.from(day)
}
