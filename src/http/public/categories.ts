import Handlebars from 'handlebars'
import { Hono } from 'hono'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import { type Category, publicCategories } from '../../verdict/category.ts'
import { loadComparisons } from '../../verdict/load.ts'
import { type FormPage, signUpForm } from '../reader/sign-up-form.ts'
import { answerKept, cachePages, type Look, type Made } from './cached.ts'
import { categoryPage } from './category-view.ts'
import { scriptText } from './json-ld.ts'
import { seeLibrary } from './library.ts'
import { categoryLinkedData } from './subject-json-ld.ts'
import type { SubjectDeps } from './tools.ts'

type Shelf = { readonly stamp: string; readonly categories: ReadonlyMap<string, Category> }

/** `GET /categories/:slug`: a category's tools by what the panel thinks of them now, its comparisons, and the form that follows it. */
export function categoryRoutes(deps: SubjectDeps): Hono {
  const shelf = shelfReader(deps)
  const pages = cachePages(deps, { look: lookAtCategory, mostBytes: 32 * 2 ** 20 })

  async function lookAtCategory(slug: string): Promise<Look | undefined> {
    const { stamp, categories } = await shelf()
    const category = categories.get(slug)
    return category && { stamp, make: () => makePage(deps, category) }
  }

  return new Hono().get('/categories/:slug', async (c) => {
    const page = await pages(c.req.param('slug'))
    if (!page) return c.notFound()
    return answerKept(c, page, {
      cacheControl: 'public, max-age=60',
      shownAt: signUpForm(deps, '/').stamp,
    })
  })
}

/** The categories by their slugs, read again when the library has changed. */
function shelfReader({ db, clock }: SubjectDeps): () => Promise<Shelf> {
  let seen: Shelf | undefined
  return async () => {
    const { stamp } = await seeLibrary(db, clock())
    if (seen?.stamp === stamp) return seen
    const categories = await publicCategories(db, clock())
    seen = { stamp, categories: new Map(categories.map((category) => [category.slug, category])) }
    return seen
  }
}

/** As many comparisons as a page can list. */
const most = 100

async function makePage(deps: SubjectDeps, { slug, name, spellings }: Category): Promise<Made> {
  const { calendar, pages, wire } = deps
  const { ids, all } = await comparisonsIn(deps.db, spellings, deps.clock())
  const comparisons = await loadComparisons(deps.db, ids)
  const view = categoryPage({ name, spellings }, { comparisons, all }, calendar.zone)
  const path: FormPage = `/categories/${encodeURIComponent(slug)}`
  const page = { url: wire.publicUrl + path, description: view.description }
  const linkedData = categoryLinkedData(view, { url: page.url, publicUrl: wire.publicUrl })
  const form = signUpForm(deps, path, undefined, { tool: null, category: name, name, cadence: 'weekly' })
  const data = { ...view, page, form, linkedData: new Handlebars.SafeString(scriptText(linkedData)) }
  return { body: pages('category', data), type: 'text/html; charset=UTF-8', shownAt: form.stamp }
}

/** The newest of a category by id, and how many there are. */
async function comparisonsIn(db: Kysely<Database>, spellings: readonly string[], now: Temporal.Instant) {
  const { rows } = await sql<{ id: number; all: number }>`
    select c.id, (count(*) over ())::int as all
      from comparison c
     where c.retracted_at is null and c.published_at <= ${now.toString()}::timestamptz
       and c.id in (select comparison_id from comparison_tool where category = any(${[...spellings]}::text[]))
     order by c.published_at desc, c.id desc limit ${most}`.execute(db)
  return { ids: rows.map(({ id }) => id), all: rows[0]?.all ?? 0 }
}
