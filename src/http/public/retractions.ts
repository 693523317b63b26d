import Handlebars from 'handlebars'
import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'

/** What was in an issue when it was sent and has been retracted since, in the issue's order. */
export async function retractedSince(db: Kysely<Database>, issueId: number): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('issue_comparison as ic')
    .innerJoin('comparison as c', 'c.id', 'ic.comparison_id')
    .select('c.title')
    .where('ic.issue_id', '=', issueId)
    .where('c.retracted_at', 'is not', null)
    .orderBy('ic.position')
    .execute()
  return rows.map(({ title }) => title)
}

/** The edition with a note above it that names what was retracted since; the edition itself stays as it was sent. */
export function withRetractions(html: string, titles: readonly string[]): string {
  if (titles.length === 0) return html
  const named = titles.map((title) => `<bdi>${Handlebars.escapeExpression(title)}</bdi>`).join('; ')
  const note = `<p role="note" style="${look}"><strong>Retracted since this issue was sent:</strong> ${named}. We no longer stand by it. The issue is shown as it was sent.</p>`
  return html.replace(/<body\b[^>]*>/i, (body) => body + note)
}

const look =
  'max-width:38rem;margin:16px auto;padding:12px 16px;border:2px solid currentColor;font:16px/1.5 system-ui,sans-serif;color:CanvasText;background:Canvas'
