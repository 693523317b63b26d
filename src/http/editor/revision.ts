import type { Context, Hono } from 'hono'
import { z } from 'zod'
import { reviseComparison } from '../../issue/revise-comparison.ts'
import { findRevision, listRevisions } from '../../verdict/revisions.ts'
import { changesView } from './changes-view.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { readFields } from './fields.ts'
import { redirectSaying } from './flash.ts'
import { noSuchComparison } from './one-comparison.ts'
import { deskNotFound, deskPage } from './page.ts'
import { savedWords } from './saved-words.ts'
import { shortTime } from './when.ts'

const number = z.coerce.number().int().positive().max(2_000_000_000)
const wanted = z.object({ to: number, revision: number })

/** One revision of a comparison: what it changed, and the way back to it. */
export function revisionRoutes(deps: DeskDeps): Hono<DeskEnv> {
  const { db, calendar } = deps
  return desk()
    .get('/desk/content/:slug/revisions/:revision', async (c) => {
      const { slug } = c.req.param()
      const asked = number.safeParse(c.req.param('revision'))
      const newest = await findRevision(db, slug)
      const [one, before] = asked.success ? await listRevisions(db, slug, { upTo: asked.data, most: 2 }) : []
      if (!newest || !one || one.revision !== asked.data)
        return deskNotFound(c, deps, 'There is no such revision of a comparison of that name.')
      const back = { ...one.document, ...whenAndWhether(newest.document) }
      return deskPage(c, deps, 'desk-revision', {
        ...{ section: 'content', title: `Revision ${one.revision}` },
        data: {
          ...{ path: `/desk/content/${slug}`, name: newest.document.title },
          ...{ revision: one.revision, newest: newest.revision, by: one.by ?? '' },
          at: { machine: one.at.toString(), person: shortTime(one.at, calendar.zone) },
          isNewest: one.revision === newest.revision,
          before: before?.revision ?? 0,
          changes: before ? changesView(before.document, one.document) : [],
          back: changesView(newest.document, back),
        },
      })
    })
    .post('/desk/content/:slug/go-back', (c) => goBack(c, deps, c.req.param('slug')))
}

/** Makes what a revision said the newest again. Whether and when the comparison is published stays as it is. */
async function goBack(c: Context<DeskEnv>, deps: DeskDeps, slug: string): Promise<Response> {
  const form = wanted.safeParse(await readFields(c))
  const newest = await findRevision(deps.db, slug)
  const old = form.success ? await findRevision(deps.db, slug, form.data.to) : undefined
  if (!newest || !old || !form.success) return noSuchComparison(c, deps)
  const document = { ...old.document, ...whenAndWhether(newest.document) }
  const revised = await reviseComparison(deps, {
    ...{ document, seen: form.data.revision, by: c.get('session').editor, what: 'edit comparison' },
  })
  return redirectSaying(
    c,
    `/desk/content/${slug}`,
    savedWords(revised, `It says again what revision ${form.data.to} said`),
  )
}

function whenAndWhether({
  publishedAt,
  retracted,
}: {
  publishedAt: string
  retracted?: boolean | undefined
}) {
  return { publishedAt, retracted }
}
