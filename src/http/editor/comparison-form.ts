import type { Context, Hono } from 'hono'
import { type Revised, reviseComparison } from '../../issue/revise-comparison.ts'
import { whereUsed } from '../../issue/where-used.ts'
import type { ComparisonDocument } from '../../verdict/document.ts'
import { findRevision, type Revision } from '../../verdict/revisions.ts'
import {
  type ComparisonFields,
  documentOf,
  type FieldErrors,
  fieldsOf,
  noFields,
  parseWallTime,
  readFieldsOfComparison,
} from './comparison-fields.ts'
import { formPage } from './comparison-form-page.ts'
import { changedRows } from './comparison-rows.ts'
import { dstWords } from './comparison-words.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { readFields } from './fields.ts'
import { type Flash, redirectSaying } from './flash.ts'
import { noSuchComparison } from './one-comparison.ts'
import { pasteRoutes } from './paste-comparison.ts'
import { savedWords, sentWords } from './saved-words.ts'

/** Writing a comparison, and changing everything that one says. What was typed is kept, whatever is wrong with it. */
export function comparisonFormRoutes(deps: DeskDeps): Hono<DeskEnv> {
  const { db, calendar } = deps
  return desk()
    .get('/desk/content/new', (c) => formPage(c, deps, { fields: noFields, seen: null }))
    .post('/desk/content/new', (c) => take(c, deps, undefined))
    .route('/', pasteRoutes(deps))
    .get('/desk/content/:slug/edit', async (c) => {
      const newest = await findRevision(db, c.req.param('slug'))
      if (!newest) return noSuchComparison(c, deps)
      const fields = fieldsOf(newest.document, calendar.zone)
      const uses = await whereUsed(db, newest.document.slug)
      return formPage(c, deps, { fields, seen: newest.revision, uses })
    })
    .post('/desk/content/:slug/edit', async (c) => {
      const newest = await findRevision(db, c.req.param('slug'))
      return newest ? take(c, deps, newest) : noSuchComparison(c, deps)
    })
}

/** Takes a form that was sent: for another row of a review, or to be saved. `newest` is undefined for a new comparison. */
async function take(c: Context<DeskEnv>, deps: DeskDeps, newest: Revision | undefined): Promise<Response> {
  const sent = await readFields(c)
  const read = readFieldsOfComparison(sent)
  const typed = newest ? { ...read, slug: newest.document.slug } : read
  const seen = newest ? seenIn(sent, newest) : null
  const rows = changedRows(typed, sent.do)
  if (rows) return formPage(c, deps, { fields: rows.fields, seen, focus: rows.focus })

  const checked = documentOf(typed, {
    zone: deps.calendar.zone,
    ...(newest ? { retracted: newest.document.retracted } : { now: deps.clock() }),
  })
  if ('errors' in checked)
    return formPage(c, deps, { fields: typed, seen, errors: checked.errors, status: 422 })
  const { document } = checked
  const revised = await reviseComparison(deps, {
    ...{ document, seen, by: c.get('session').editor, what: newest ? 'edit comparison' : 'publish' },
  })
  const again = await refused(deps, { revised, document, typed, seen })
  if (again) return formPage(c, deps, again)
  return redirectSaying(c, `/desk/content/${document.slug}`, said(deps, revised, typed, document))
}

/** The revision that the form was opened with. Whoever leaves it out has seen none, so that nothing is overwritten. */
function seenIn(sent: Readonly<Record<string, unknown>>, newest: Revision): number {
  const seen = Number(sent.revision)
  return Number.isInteger(seen) && seen > 0 && seen <= newest.revision ? seen : 0
}

type Tried = {
  readonly revised: Revised
  readonly document: ComparisonDocument
  readonly typed: ComparisonFields
  readonly seen: number | null
}

/** The form once more when nothing was saved, with what to do about it; undefined when there is nothing to do. */
async function refused(deps: DeskDeps, { revised, document, typed, seen }: Tried) {
  if (revised.kind === 'sent')
    return error(typed, seen, 'publishedAt', `Choose a time that has come: ${sentWords(revised.week)}`)
  if (revised.kind !== 'stale') return undefined
  if (seen === null)
    return error(
      typed,
      seen,
      'slug',
      'There is a comparison of this name already. Choose another, or edit that one.',
    )
  const { now } = revised
  const opened = await findRevision(deps.db, document.slug, seen)
  // Whoever saves again has seen what the other one did.
  return {
    ...{ fields: typed, seen: now.revision, status: 409 as const },
    stale: { now, opened, document },
  }
}

function error(fields: ComparisonFields, seen: number | null, field: string, problem: string) {
  const errors: FieldErrors = new Map([[field, problem]])
  return { fields, seen, errors, status: 422 as const }
}

/** What was saved, and what a day on which the clocks are changed made of the time. */
function said(
  { clock, calendar: { zone } }: DeskDeps,
  revised: Revised,
  typed: ComparisonFields,
  { publishedAt }: ComparisonDocument,
): Flash {
  const instant = Temporal.Instant.from(publishedAt)
  const isToCome = Temporal.Instant.compare(instant, clock()) > 0
  const { kind, text } = savedWords(revised, isToCome ? 'Saved, and scheduled' : 'Saved')
  const wall = publishedAt === typed.publishedWas ? undefined : parseWallTime(typed.publishedAt.trim())
  const dst = wall ? dstWords(wall, zone, instant) : ''
  return { kind, text: [text, dst].filter(Boolean).join(' ') }
}
