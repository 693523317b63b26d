import { Feed } from 'feed'
import Handlebars from 'handlebars'
import { Hono } from 'hono'
import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import type { Clock } from '../../clock.ts'
import { webVersion } from '../../delivery/web-version.ts'
import { correctedSince } from '../../issue/corrected-since.ts'
import type { WireFacts } from '../../mail/wire.ts'
import { answerKept, cachePages, type Look, type Made, publicly } from './cached.ts'
import { feedContent } from './feed-content.ts'
import { type SentIssue, sentIssues } from './issues.ts'
import { seeLibrary } from './library.ts'
import { lastRetraction, retractedSince } from './retractions.ts'

type Deps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly wire: Pick<WireFacts, 'publicUrl'>
}

type Entry = {
  readonly url: string
  readonly title: string
  readonly summary: string
  readonly content: string
  readonly published: Temporal.Instant
  readonly updated: Temporal.Instant
}

const kinds = { '/feed.xml': atom, '/feed.json': jsonFeed } as const
const newest = 20

/** `GET /feed.xml` (Atom, RFC 4287) and `/feed.json` (JSON Feed 1.1): the newest issues in full, the same for everybody. */
export function feedRoutes(deps: Deps): Hono {
  const feeds = cachePages(deps, { look: (path) => lookAtFeed(deps, path), mostBytes: 16 * 2 ** 20 })
  const routes = new Hono()
  for (const path of ['/feed.xml', '/feed.json'] as const) {
    routes.get(path, async (c) => {
      const feed = await feeds(path)
      // Readers on other sites may fetch it: it is nobody's in particular.
      c.header('Access-Control-Allow-Origin', '*')
      c.header('Cross-Origin-Resource-Policy', 'cross-origin')
      return feed ? answerKept(c, feed, { cacheControl: publicly }) : c.notFound()
    })
  }
  return routes
}

async function lookAtFeed(deps: Deps, path: string): Promise<Look> {
  const { stamp } = await seeLibrary(deps.db, deps.clock())
  const set = path === '/feed.json' ? kinds['/feed.json'] : kinds['/feed.xml']
  return { stamp, make: async () => set(await entries(deps), deps.wire.publicUrl) }
}

async function entries(deps: Deps): Promise<readonly Entry[]> {
  const issues = await sentIssues(deps.db, newest)
  return Promise.all(issues.map((issue) => entryOf(deps, issue)))
}

/** Its id is its address, for good; it is updated when something in it was retracted or corrected, and else never. */
async function entryOf(deps: Deps, issue: SentIssue): Promise<Entry> {
  const { publicUrl } = deps.wire
  const edition = await webVersion(deps, issue)
  const retracted = await retractedSince(deps.db, issue.id)
  const retractedAt = await lastRetraction(deps.db, issue.id)
  const corrected = await correctedSince(deps.db, issue, deps.clock())
  const updates = [...(retractedAt ? [retractedAt] : []), ...corrected.map(({ at }) => at)]
  return {
    ...{ url: `${publicUrl}/issues/${issue.week}`, title: issue.subject, summary: issue.preheader },
    content: feedContent(edition, { publicUrl, retracted, corrected }),
    published: issue.sentAt,
    updated: updates.length > 0 ? newestOf(updates) : issue.sentAt,
  }
}

const about = {
  title: 'Weekly AI Tool Verdicts',
  description: 'Two AI tools side by side, what the panel ships and what it skips. Once a week.',
}

/** An empty feed needs a date too. */
const before = Temporal.Instant.from('2026-01-01T00:00:00Z')

/** The library sets titles and summaries as HTML. */
function atom(issues: readonly Entry[], publicUrl: string): Made {
  const feed = new Feed({
    ...{ ...about, id: `${publicUrl}/`, link: `${publicUrl}/`, feed: `${publicUrl}/feed.xml` },
    ...{ author: { name: about.title }, generator: false, language: 'en' },
    updated: toDate(newestOf(issues.map(({ updated }) => updated))),
  })
  for (const { url, title, summary, content, published, updated } of issues) {
    feed.addItem({
      ...{ id: url, link: url, title: escaped(title), description: escaped(summary), content },
      ...{ published: toDate(published), date: toDate(updated) },
    })
  }
  return { body: feed.atom1(), type: 'application/atom+xml; charset=UTF-8' }
}

function jsonFeed(issues: readonly Entry[], publicUrl: string): Made {
  const feed = {
    version: 'https://jsonfeed.org/version/1.1',
    ...about,
    ...{ home_page_url: `${publicUrl}/`, feed_url: `${publicUrl}/feed.json`, language: 'en' },
    authors: [{ name: about.title, url: `${publicUrl}/` }],
    items: issues.map(({ url, title, summary, content, published, updated }) => ({
      ...{ id: url, url, title, summary, content_html: content },
      ...{ date_published: published.toString(), date_modified: updated.toString() },
    })),
  }
  return { body: JSON.stringify(feed), type: 'application/feed+json; charset=UTF-8' }
}

function newestOf(instants: readonly Temporal.Instant[]): Temporal.Instant {
  return instants.toSorted(Temporal.Instant.compare).at(-1) ?? before
}

function toDate({ epochMilliseconds }: Temporal.Instant): Date {
  return new Date(epochMilliseconds)
}

function escaped(text: string): string {
  return Handlebars.escapeExpression(text)
}
