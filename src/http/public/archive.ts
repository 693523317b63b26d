import { type Context, Hono } from 'hono'
import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import type { Clock } from '../../clock.ts'
import { webVersion } from '../../delivery/web-version.ts'
import { composeComparison } from '../../issue/compose.ts'
import { correctedSince } from '../../issue/corrected-since.ts'
import type { WireFacts } from '../../mail/wire.ts'
import type { Pages } from '../../template.ts'
import type { StoredComparison } from '../../verdict/comparison.ts'
import { searchComparisons } from '../../verdict/search-comparisons.ts'
import { answerKept, cachePages, type Look, publicly } from './cached.ts'
import { withCorrections } from './corrections.ts'
import { markHits, snippetOf } from './highlight.ts'
import { framed } from './issue-frame.ts'
import { issuesWith, type SentIssue, sentIssue, sentIssues } from './issues.ts'
import { type Library, seeLibrary } from './library.ts'
import { retractedSince, withRetractions } from './retractions.ts'

type Deps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly pages: Pages
  readonly wire: Pick<WireFacts, 'publicUrl'>
}

const megabyte = 2 ** 20
const html = 'text/html; charset=UTF-8'

/** The issues that were sent: their list, what is found in it and in the comparisons, and each as it was mailed. */
export function archiveRoutes(deps: Deps): Hono {
  const lists = cachePages(deps, { look: (words) => lookAtList(deps, words), mostBytes: 8 * megabyte })
  const issues = cachePages(deps, { look: (week) => lookAtIssue(deps, week), mostBytes: 64 * megabyte })
  return new Hono()
    .get('/issues', async (c) => {
      const page = await lists(typedIn(c))
      return page ? answerKept(c, page, { cacheControl: publicly }) : c.notFound()
    })
    .get('/issues/:week', async (c) => {
      const week = c.req.param('week')
      if (!isWeek(week)) return c.notFound()
      const page = await issues(week)
      if (!page) return c.html(deps.pages('message', notOut), 404)
      c.header('Content-Security-Policy', editionPolicy)
      return answerKept(c, page, { cacheControl: publicly })
    })
}

/** One line at most, as long as anybody types; whatever else comes is taken for no search. */
function typedIn(c: Context): string {
  return (c.req.query('q') ?? '')
    .slice(0, 200)
    .toWellFormed()
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
}

async function lookAtList(deps: Deps, words: string): Promise<Look> {
  const { stamp } = await seeLibrary(deps.db, deps.clock())
  return {
    stamp,
    make: async () => {
      const issues = await sentIssues(deps.db, mostIssues)
      const view = words === '' ? listed(issues) : await found(deps, words, issues)
      const data = { ...view, q: words, publicUrl: deps.wire.publicUrl }
      return { body: deps.pages('issues', data), type: html }
    },
  }
}

/** Ten years of them. */
const mostIssues = 520

const nothingSought = { results: false, comparisons: [], found: [], isCut: false }

function listed(issues: readonly SentIssue[]) {
  const years = Map.groupBy(issues.map(issueView), ({ year }) => year)
  return {
    ...nothingSought,
    years: [...years].map(([year, ofYear]) => ({ year, issues: ofYear })),
    isLong: years.size > 1,
  }
}

async function found({ db, clock }: Deps, words: string, issues: readonly SentIssue[]) {
  const { comparisons, isCut } = await searchComparisons(db, clock(), { words, most: 20 })
  const inIssues = issuesWith(words, issues).slice(0, 20)
  return {
    ...{ years: [], isLong: false, isCut },
    results: comparisons.length + inIssues.length > 0,
    comparisons: comparisons.map((comparison) => resultView(comparison, words)),
    found: inIssues.map((issue) => ({
      ...issueView(issue),
      headline: markHits(issue.subject, words),
      under: markHits(issue.preheader, words),
    })),
  }
}

function issueView({ week, subject, preheader, date, year, size }: SentIssue) {
  return { week, subject, preheader, date, year, size: size === 1 ? '1 comparison' : `${size} comparisons` }
}

function resultView(comparison: StoredComparison, words: string) {
  const { sentence, category } = composeComparison(comparison)
  const said = comparison.tools.flatMap(({ name, tagline, description, reviews }) => [
    ...[`${name}: ${tagline}`, description],
    ...reviews.map(({ quote }) => quote),
  ])
  return {
    ...{ slug: comparison.slug, category, sentence },
    title: markHits(comparison.title, words),
    snippet: snippetOf(said, words),
  }
}

async function lookAtIssue(deps: Deps, week: string): Promise<Look | undefined> {
  const library = await seeLibrary(deps.db, deps.clock())
  if (!library.weeks.includes(week)) return undefined
  return {
    stamp: library.stamp,
    make: async () => ({ body: await issuePage(deps, week, library), type: html }),
  }
}

async function issuePage(deps: Deps, week: string, { weeks }: Library): Promise<string> {
  const issue = await sentIssue(deps.db, week)
  if (!issue) throw new Error(`Issue ${week} went away while its page was made`)
  const { publicUrl } = deps.wire
  const corrected = await correctedSince(deps.db, issue, deps.clock())
  const told = withCorrections(await webVersion(deps, issue), corrected, publicUrl)
  const edition = withRetractions(told, await retractedSince(deps.db, issue.id))
  const at = weeks.indexOf(week)
  return framed(edition, deps.pages, {
    ...{ week, date: issue.date, subject: issue.subject, preheader: issue.preheader, publicUrl },
    ...{ older: weeks[at - 1] ?? '', newer: weeks[at + 1] ?? '' },
  })
}

function isWeek(name: string): boolean {
  return /^\d{4}-W\d{2}$/.test(name)
}

/** The link to the web version is in every mail, and so in a test that was sent before the issue. */
const notOut = {
  ...{ title: 'No issue of that week has gone out', kicker: '', button: '' },
  lede: 'The web version of an issue is here from the moment it begins to go out.',
  note: 'If you came from a test mail: the link is right, and leads to the issue once it is sent.',
}

/** An edition carries its styles within it, as mail must. */
const editionPolicy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
