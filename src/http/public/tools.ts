import Handlebars from 'handlebars'
import { Hono } from 'hono'
import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import type { Calendar, Clock } from '../../clock.ts'
import type { WireFacts } from '../../mail/wire.ts'
import type { SigningKey } from '../../subscriber/token.ts'
import type { Pages } from '../../template.ts'
import { loadWithVotes } from '../../verdict/count-votes.ts'
import { findTool, type PublicTool } from '../../verdict/public-tool.ts'
import type { Challenge } from '../challenge.ts'
import { type FormPage, signUpForm } from '../reader/sign-up-form.ts'
import { answerKept, cachePages, type Look, type Made } from './cached.ts'
import { scriptText } from './json-ld.ts'
import { toolLinkedData } from './subject-json-ld.ts'
import { toolPage } from './tool-view.ts'

export type SubjectDeps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly calendar: Calendar
  readonly fewestVotes: number
  readonly keys: readonly SigningKey[]
  readonly challenge: Pick<Challenge, 'kind'>
  readonly pages: Pages
  readonly wire: WireFacts
}

/** `GET /tools/:slug`: a tool by its newest comparison, every one that it was in, and the form that follows it. */
export function toolRoutes(deps: SubjectDeps): Hono {
  const pages = cachePages(deps, { look: (slug) => lookAtTool(deps, slug), mostBytes: 32 * 2 ** 20 })
  return new Hono().get('/tools/:slug', async (c) => {
    const page = await pages(c.req.param('slug'))
    if (!page) return c.notFound()
    return answerKept(c, page, {
      cacheControl: 'public, max-age=60',
      shownAt: signUpForm(deps, '/').stamp,
    })
  })
}

async function lookAtTool(deps: SubjectDeps, slug: string): Promise<Look | undefined> {
  if (!/^[a-z0-9-]{1,120}$/.test(slug)) return undefined
  const tool = await findTool(deps.db, slug, deps.clock())
  return tool && { stamp: tool.stamp, make: () => makePage(deps, slug, tool) }
}

async function makePage(deps: SubjectDeps, slug: string, { comparisonIds, name }: PublicTool): Promise<Made> {
  const { calendar, pages, wire } = deps
  const comparisons = await loadWithVotes(deps.db, comparisonIds, deps.fewestVotes)
  const view = toolPage(slug, comparisons, calendar.zone)
  const path: FormPage = `/tools/${slug}`
  const page = {
    url: wire.publicUrl + path,
    description: view.description,
    image: `${wire.publicUrl}/compare/${view.newest.slug}/card.png`,
  }
  const linkedData = toolLinkedData(view, { url: page.url, publicUrl: wire.publicUrl })
  const form = signUpForm(deps, path, undefined, { tool: slug, category: null, name, cadence: 'weekly' })
  const data = { ...view, page, form, linkedData: new Handlebars.SafeString(scriptText(linkedData)) }
  return { body: pages('tool', data), type: 'text/html; charset=UTF-8', shownAt: form.stamp }
}
