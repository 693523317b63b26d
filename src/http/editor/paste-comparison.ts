import type { Context, Hono } from 'hono'
import { whereUsed } from '../../issue/where-used.ts'
import { readDocuments } from '../../verdict/read-documents.ts'
import { findRevision } from '../../verdict/revisions.ts'
import { fieldsOf } from './comparison-fields.ts'
import { formPage } from './comparison-form-page.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { readFields } from './fields.ts'
import { deskPage } from './page.ts'

type Problem = { readonly where: string; readonly problem: string }

/** A document that somebody has as JSON: it is read as `verdict import` reads it, and put into the form to be looked at. */
export function pasteRoutes(deps: DeskDeps): Hono<DeskEnv> {
  return desk()
    .get('/desk/content/new/paste', (c) => pastePage(c, deps, '', []))
    .post('/desk/content/new/paste', async (c) => {
      const source = String((await readFields(c)).document ?? '')
      const [read, another] = readDocuments(source)
      if (another)
        return pastePage(c, deps, source, [
          { where: '', problem: 'Paste one document at a time; for many there is verdict import.' },
        ])
      if (!read?.ok) return pastePage(c, deps, source, (read?.faults ?? []).map(inWords))
      const known = await findRevision(deps.db, read.document.slug)
      return formPage(c, deps, {
        fields: fieldsOf(read.document, deps.calendar.zone),
        seen: known?.revision ?? null,
        uses: known ? await whereUsed(deps.db, read.document.slug) : [],
        pasted: { document: read.document, known: known?.document },
      })
    })
}

function pastePage(
  c: Context<DeskEnv>,
  deps: DeskDeps,
  source: string,
  problems: readonly Problem[],
): Promise<Response> {
  return deskPage(c, deps, 'desk-paste', {
    ...{ section: 'content', title: 'Paste a document', data: { source, problems } },
    status: problems.length > 0 ? 422 : 200,
  })
}

function inWords({ line, field, problem }: { line: number; field: string; problem: string }): Problem {
  const text = `${problem.charAt(0).toUpperCase()}${problem.slice(1)}.`
  return { where: `Line ${line}${field ? `, ${field}` : ''}`, problem: text }
}
