import Handlebars from 'handlebars'
import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'

/** What was in an issue when it was sent and has been retracted since, in the issue's order. */
export async function retractedSince(db: Kysely<Database>, issueId: number): Promise<readonly string[]> {
  const rows = await retractedOf(db, issueId).select('c.title').orderBy('ic.position').execute()
  return rows.map(({ title }) => title)
}

/** When the last of them was; undefined while none is. */
export async function lastRetraction(
  db: Kysely<Database>,
  issueId: number,
): Promise<Temporal.Instant | undefined> {
  const row = await retractedOf(db, issueId)
    .select('c.retracted_at')
    .orderBy('c.retracted_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.retracted_at ?? undefined
}

/** The edition with a note above it that names what was retracted since; the edition itself stays as it was sent. */
export function withRetractions(html: string, titles: readonly string[]): string {
  const note = retractionNote(titles).replace(/^<p>/, `<p role="note" style="${look}">`)
  return html.replace(/<body\b[^>]*>/i, (body) => body + note)
}

/** The note as a plain paragraph; '' where nothing was retracted. */
export function retractionNote(titles: readonly string[]): string {
  if (titles.length === 0) return ''
  const named = titles.map((title) => `<bdi>${Handlebars.escapeExpression(title)}</bdi>`).join('; ')
  return `<p><strong>Retracted since this issue was sent:</strong> ${named}. We no longer stand by it. The issue is shown as it was sent.</p>`
}

function retractedOf(db: Kysely<Database>, issueId: number) {
  return db
    .selectFrom('issue_comparison as ic')
    .innerJoin('comparison as c', 'c.id', 'ic.comparison_id')
    .where('ic.issue_id', '=', issueId)
    .where('c.retracted_at', 'is not', null)
}

const look =
  'max-width:38rem;margin:16px auto;padding:12px 16px;border:2px solid currentColor;font:16px/1.5 system-ui,sans-serif;color:CanvasText;background:Canvas'
