import type { Context, Hono } from 'hono'
import { z } from 'zod'
import { secondOf } from '../../clock.ts'
import { foreseeRetraction } from '../../issue/foresee-retraction.ts'
import { findListed } from '../../issue/list-comparisons.ts'
import { reviseComparison, takeIntoDraft, type Wanted } from '../../issue/revise-comparison.ts'
import { whereUsed } from '../../issue/where-used.ts'
import { findRevision, type Revision } from '../../verdict/revisions.ts'
import { remainsWords, retractionWords, standingOf } from './comparison-words.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { readFields } from './fields.ts'
import { redirectSaying } from './flash.ts'
import { noSuchComparison } from './one-comparison.ts'
import { deskPage } from './page.ts'
import { savedWords } from './saved-words.ts'

const seen = z.object({
  revision: z.coerce.number().int().positive().max(2_000_000_000),
  sure: z.literal('yes').optional().catch(undefined),
})

/** What is done to a comparison as a whole: retract and restore, publish now, take into the draft. */
export function comparisonActionRoutes(deps: DeskDeps): Hono<DeskEnv> {
  return desk()
    .get('/desk/content/:slug/retract', (c) => askToRetract(c, deps, c.req.param('slug')))
    .post('/desk/content/:slug/retract', async (c) => {
      const { slug } = c.req.param()
      const form = seen.safeParse(await readFields(c))
      if (form.data?.sure !== 'yes') return c.redirect(`/desk/content/${slug}/retract`, 303)
      const change = { what: 'retract', done: 'It is retracted' } as const
      return revise(c, deps, slug, { ...change, to: (now) => ({ ...now.document, retracted: true }) })
    })
    .post('/desk/content/:slug/restore', (c) =>
      revise(c, deps, c.req.param('slug'), {
        ...{ what: 'restore', done: 'It is back' },
        to: ({ document: { retracted, ...document } }) => document,
      }),
    )
    .post('/desk/content/:slug/publish-now', (c) =>
      revise(c, deps, c.req.param('slug'), {
        ...{ what: 'publish', done: 'It is published' },
        to: (now) => ({ ...now.document, publishedAt: secondOf(deps.clock()).toString() }),
      }),
    )
    .post('/desk/content/:slug/take-in', async (c) => {
      const { slug } = c.req.param()
      const issue = await takeIntoDraft(deps, slug, c.get('session').editor)
      return redirectSaying(
        c,
        `/desk/content/${slug}`,
        issue
          ? { kind: 'done', text: `${issue.week} was drafted again.` }
          : { kind: 'problem', text: 'It is in no draft any more, so nothing was drafted.' },
      )
    })
}

type Change = {
  readonly what: Wanted['what']
  readonly done: string
  readonly to: (now: Revision) => Wanted['document']
}

/** Carries a change out against the revision that the form names. */
async function revise(
  c: Context<DeskEnv>,
  deps: DeskDeps,
  slug: string,
  { what, done, to }: Change,
): Promise<Response> {
  const form = seen.safeParse(await readFields(c))
  const now = await findRevision(deps.db, slug)
  if (!now || !form.success) return noSuchComparison(c, deps)
  const revised = await reviseComparison(deps, {
    ...{ document: to(now), seen: form.data.revision, by: c.get('session').editor, what },
  })
  return redirectSaying(c, `/desk/content/${slug}`, savedWords(revised, done))
}

/** What a retraction would change, before it is done. */
async function askToRetract(c: Context<DeskEnv>, deps: DeskDeps, slug: string): Promise<Response> {
  const one = await findListed(deps.db, deps.clock(), slug)
  if (!one) return noSuchComparison(c, deps)
  const path = `/desk/content/${slug}`
  if (one.state === 'retracted')
    return redirectSaying(c, path, { kind: 'done', text: 'It is retracted already.' })
  const foreseen = await foreseeRetraction(deps, slug)
  return deskPage(c, deps, 'desk-retract', {
    ...{ section: 'content', title: 'Retract this comparison?' },
    data: {
      ...{ path, name: one.title, revision: one.revision },
      standing: standingOf(one, deps.clock(), deps.calendar.zone),
      week: foreseen?.week ?? '',
      changes: foreseen ? retractionWords(foreseen, one.title) : [],
      before: foreseen?.before.titles ?? [],
      after: foreseen?.after.titles ?? [],
      remains: remainsWords(await whereUsed(deps.db, slug)),
      isPublic: one.state !== 'scheduled',
    },
  })
}
