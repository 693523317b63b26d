import type { Context, Hono } from 'hono'
import { z } from 'zod'
import {
  type ComparisonState,
  comparisonStates,
  countComparisons,
  type ListedComparison,
  listComparisons,
} from '../../issue/list-comparisons.ts'
import { comparisonActionRoutes } from './comparison-actions.ts'
import { comparisonFormRoutes } from './comparison-form.ts'
import { stateWords } from './comparison-words.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { oneComparisonRoutes } from './one-comparison.ts'
import { deskPage } from './page.ts'
import { revisionRoutes } from './revision.ts'
import { grouped, placeOf, shortTime } from './when.ts'

const pageSize = 25
const query = z.object({
  q: z.string().trim().max(200).catch('').default(''),
  state: z.enum(comparisonStates).optional().catch(undefined),
  /** The last comparison of the page before: its instant of publication and its id. */
  after: z
    .string()
    .regex(/^\d{4}-[0-9T:.-]{5,30}Z~\d{1,9}$/)
    .optional()
    .catch(undefined),
})
type Query = z.infer<typeof query>

/** Everything under `/desk/content`: the comparisons, each one's page, its form and its revisions. */
export function contentRoutes(deps: DeskDeps): Hono<DeskEnv> {
  return desk()
    .get('/desk/content', (c) => listPage(c, deps))
    .route('/', comparisonFormRoutes(deps))
    .route('/', oneComparisonRoutes(deps))
    .route('/', comparisonActionRoutes(deps))
    .route('/', revisionRoutes(deps))
}

/** Every comparison and where it stands, newest first; by state, and by what it is called. */
async function listPage(c: Context<DeskEnv>, deps: DeskDeps): Promise<Response> {
  const { db, clock, calendar } = deps
  const asked = query.parse(c.req.query())
  const now = clock()
  const rows = await listComparisons(db, now, {
    ...{ state: asked.state, words: asked.q, after: cursorOf(asked.after), most: pageSize + 1 },
  })
  const shown = rows.slice(0, pageSize)
  const last = shown.at(-1)
  return deskPage(c, deps, 'desk-comparisons', {
    ...{ section: 'content', title: 'Content' },
    data: {
      ...{ q: asked.q, state: asked.state ?? '' },
      tabs: tabsFor(asked, await countComparisons(db, now, asked.q)),
      comparisons: shown.map((one) => rowFor(one, now, calendar.zone)),
      caption: `Newest first; times in ${placeOf(calendar.zone)}`,
      nothing: nothingWords(asked),
      newest: asked.after === undefined ? '' : pathFor({ ...asked, after: undefined }),
      older: rows.length > pageSize && last ? pathFor({ ...asked, after: cursorFor(last) }) : '',
    },
  })
}

function rowFor(one: ListedComparison, now: Temporal.Instant, zone: string) {
  const { slug, title, publishedAt, revision, week } = one
  return {
    ...{ slug, title, week: week ?? '', state: stateWords(one), revision },
    when: shortTime(publishedAt, zone),
    isToCome: Temporal.Instant.compare(publishedAt, now) > 0,
  }
}

const labels: Record<ComparisonState, string> = {
  ...{ waiting: 'Waiting', scheduled: 'Scheduled', 'in an issue': 'In an issue' },
  ...{ archive: 'Archive', retracted: 'Retracted' },
}

function tabsFor({ q, state }: Query, counts: Readonly<Record<ComparisonState, number>>) {
  const all = comparisonStates.reduce((sum, one) => sum + counts[one], 0)
  return [
    { label: 'All', count: grouped(all), path: pathFor({ q }), isCurrent: state === undefined },
    ...comparisonStates.map((one) => ({
      ...{ label: labels[one], count: grouped(counts[one]), path: pathFor({ q, state: one }) },
      isCurrent: state === one,
    })),
  ]
}

/** Why a list is empty, and what to do about it. */
function nothingWords({ q, state, after }: Query): { readonly title: string; readonly words: string } {
  if (after !== undefined) return { title: 'No more', words: 'This was the last page.' }
  if (q !== '')
    return {
      title: `Nothing is called “${q}”`,
      words: 'Every word is looked for in titles, in the names of tools and in their categories.',
    }
  switch (state) {
    case undefined:
      return { title: 'No comparison yet', words: 'Write the first one, or take in documents with ' }
    case 'waiting':
      return { title: 'Nothing waits', words: 'Every comparison that is published is in an issue.' }
    case 'scheduled':
      return {
        title: 'Nothing is scheduled',
        words: 'Give a comparison a time to come, and it is nowhere to be seen until then.',
      }
    case 'in an issue':
      return { title: 'None is in an issue', words: 'The next draft takes what waits.' }
    case 'archive':
      return {
        title: 'The archive is empty',
        words: 'What was published before the first issue began would be here.',
      }
    case 'retracted':
      return { title: 'Nothing is retracted', words: 'A comparison is retracted on its own page.' }
  }
}

function pathFor({ q, state, after }: Partial<Query>): string {
  const parts = new URLSearchParams({ ...(q && { q }), ...(state && { state }), ...(after && { after }) })
  const search = parts.toString()
  return search === '' ? '/desk/content' : `/desk/content?${search}`
}

function cursorFor({ publishedAt, id }: ListedComparison): string {
  return `${publishedAt}~${id}`
}

function cursorOf(after: string | undefined) {
  const [instant = '', id] = after?.split('~') ?? []
  try {
    return after === undefined ? undefined : { publishedAt: Temporal.Instant.from(instant), id: Number(id) }
  } catch {
    return undefined
  }
}
