import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'

/** The issue in which a comparison went out. */
export type Appearance = {
  readonly week: string
  readonly subject: string
  readonly date: Temporal.PlainDate
}

/** Which issue brought a comparison to its readers; undefined while none has. */
export async function findAppearance(
  db: Kysely<Database>,
  comparisonId: number,
): Promise<Appearance | undefined> {
  const row = await db
    .selectFrom('issue_comparison as ic')
    .innerJoin('issue as i', 'i.id', 'ic.issue_id')
    .innerJoin('edition as e', 'e.hash', 'i.edition_hash')
    .select(['i.week', 'i.due_at', 'i.timezone', 'e.subject'])
    .where('ic.comparison_id', '=', comparisonId)
    .where('ic.counts', '=', true)
    .where('i.state', 'in', ['sending', 'paused', 'sent', 'partly sent'])
    .executeTakeFirst()
  if (!row) return undefined
  const { week, subject } = row
  return { week, subject, date: row.due_at.toZonedDateTimeISO(row.timezone).toPlainDate() }
}
