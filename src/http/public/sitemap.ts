import { Readable } from 'node:stream'
import { type Context, Hono } from 'hono'
import type { Kysely } from 'kysely'
import { SitemapIndexStream, SitemapStream, streamToPromise } from 'sitemap'
import type { Database } from '../../../db/schema.ts'
import type { Clock } from '../../clock.ts'
import type { WireFacts } from '../../mail/wire.ts'
import { categoryPath, publicCategories } from '../../verdict/category.ts'
import { answerKept, cachePages, type Look, publicly } from './cached.ts'
import { sentIssues } from './issues.ts'
import { seeLibrary } from './library.ts'

type Deps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly wire: Pick<WireFacts, 'publicUrl'>
}

type Address = { readonly url: string; readonly lastmod?: string }

/** As many as one file may have (sitemaps.org, protocol). */
const most = 50_000

/** `GET /robots.txt` and `/sitemap.xml`: an index of `/sitemap-1.xml` … where one file cannot hold all addresses. */
export function sitemapRoutes(deps: Deps, mostInOne: number = most): Hono {
  const files = cachePages(deps, {
    look: (name) => lookAtFile(deps, name, mostInOne),
    mostBytes: 64 * 2 ** 20,
  })
  const answer = async (c: Context) => {
    const file = await files(c.req.path)
    return file ? answerKept(c, file, { cacheControl: publicly }) : c.notFound()
  }
  return new Hono()
    .get('/robots.txt', answer)
    .get('/sitemap.xml', answer)
    .get('/:file{sitemap-[1-9][0-9]{0,3}\\.xml}', answer)
}

async function lookAtFile(deps: Deps, path: string, mostInOne: number): Promise<Look | undefined> {
  const { publicUrl } = deps.wire
  if (path === '/robots.txt')
    return { stamp: '', make: async () => ({ body: robots(publicUrl), type: plain }) }
  const { stamp } = await seeLibrary(deps.db, deps.clock())
  if (path === '/sitemap.xml') return { stamp, make: async () => xml(await whole(deps, mostInOne)) }
  const at = Number(/\d+/.exec(path)?.[0]) - 1
  const total = await countAddresses(deps)
  if (total <= mostInOne || at * mostInOne >= total) return undefined
  return {
    stamp,
    make: async () => {
      const all = await addresses(deps)
      return xml(await urlSet(publicUrl, all.slice(at * mostInOne, (at + 1) * mostInOne)))
    },
  }
}

const plain = 'text/plain; charset=UTF-8'

function xml(body: string) {
  return { body, type: 'application/xml; charset=UTF-8' }
}

async function whole(deps: Deps, mostInOne: number): Promise<string> {
  const all = await addresses(deps)
  const { publicUrl } = deps.wire
  if (all.length <= mostInOne) return urlSet(publicUrl, all)
  const files = Array.from({ length: Math.ceil(all.length / mostInOne) }, (_, at) => ({
    url: `${publicUrl}/sitemap-${at + 1}.xml`,
  }))
  return written(Readable.from(files).pipe(new SitemapIndexStream()))
}

function urlSet(publicUrl: string, listed: readonly Address[]): Promise<string> {
  const xmlns = { news: false, xhtml: false, image: false, video: false }
  return written(Readable.from(listed).pipe(new SitemapStream({ hostname: publicUrl, xmlns })))
}

async function written(stream: Readable): Promise<string> {
  return (await streamToPromise(stream)).toString()
}

/** Every page that is for everybody, each once. Retracted comparisons are gone from it. */
async function addresses({ db, clock, wire: { publicUrl } }: Deps): Promise<readonly Address[]> {
  const issues = await sentIssues(db, most)
  const comparisons = await publicComparisons(db, clock())
    .select(['slug', 'revised_at', 'published_at'])
    .orderBy('id')
    .execute()
  const tools = await publicTools(db, clock()).orderBy('tool.slug').execute()
  const categories = await publicCategories(db, clock())
  return [
    ...['/', '/subscribe', '/issues'].map((path) => ({ url: publicUrl + path })),
    ...issues.map(({ week, sentAt }) => ({ url: `${publicUrl}/issues/${week}`, lastmod: sentAt.toString() })),
    ...comparisons.map(({ slug, revised_at, published_at }) => ({
      url: `${publicUrl}/compare/${slug}`,
      lastmod: (Temporal.Instant.compare(revised_at, published_at) < 0
        ? published_at
        : revised_at
      ).toString(),
    })),
    ...tools.map(({ slug }) => ({ url: `${publicUrl}/tools/${slug}` })),
    ...categories.map(({ name }) => ({ url: publicUrl + categoryPath(name) })),
  ]
}

async function countAddresses({ db, clock }: Deps): Promise<number> {
  const { many } = await publicComparisons(db, clock())
    .select((eb) => eb.fn.countAll<number>().as('many'))
    .executeTakeFirstOrThrow()
  const { weeks } = await seeLibrary(db, clock())
  const tools = await publicTools(db, clock()).execute()
  const categories = await publicCategories(db, clock())
  return 3 + weeks.length + Number(many) + tools.length + categories.length
}

function publicComparisons(db: Kysely<Database>, now: Temporal.Instant) {
  return db.selectFrom('comparison').where('retracted_at', 'is', null).where('published_at', '<=', now)
}

function publicTools(db: Kysely<Database>, now: Temporal.Instant) {
  return db
    .selectFrom('tool')
    .select('tool.slug')
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('comparison_tool as t')
          .innerJoin('comparison as c', 'c.id', 't.comparison_id')
          .select('c.id')
          .whereRef('t.tool_id', '=', 'tool.id')
          .where('c.retracted_at', 'is', null)
          .where('c.published_at', '<=', now),
      ),
    )
}

/** What is one reader's, the editors', or for programs. */
const closed = [
  ...['/desk', '/outbox', '/preferences', '/unsubscribe', '/address', '/vote', '/confirm', '/follow', '/go'],
  ...['/embed', '/api', '/webhooks', '/challenge', '/metrics', '/healthz', '/readyz'],
]

function robots(publicUrl: string): string {
  const lines = closed.map((path) => `Disallow: ${path}`)
  return ['User-agent: *', ...lines, '', `Sitemap: ${publicUrl}/sitemap.xml`, ''].join('\n')
}
