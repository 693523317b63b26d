import { Hono } from 'hono'
import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import type { Clock } from '../../clock.ts'
import { webVersion } from '../../delivery/web-version.ts'
import type { WireFacts } from '../../mail/wire.ts'
import type { SigningKey } from '../../subscriber/token.ts'
import type { Pages } from '../../template.ts'
import type { Challenge } from '../challenge.ts'
import { signUpForm } from '../reader/sign-up-form.ts'
import { sentIssue, sentIssues } from './issues.ts'
import { retractedSince, withRetractions } from './retractions.ts'
import { specimenOf } from './specimen.ts'

type Deps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly keys: readonly SigningKey[]
  readonly challenge: Pick<Challenge, 'kind'>
  readonly pages: Pages
  readonly hasOutbox: boolean
  readonly wire: WireFacts
}

/** What anybody may read: the front page, and the issues that were sent. No token anywhere. */
export function publicRoutes(deps: Deps): Hono {
  const { db, pages, hasOutbox } = deps
  return new Hono()
    .get('/', async (c) => {
      const [issue] = await sentIssues(db, 1)
      const specimen = issue && (await specimenOf(db, issue.week))
      const latest = specimen ? [{ ...issue, ...specimen }] : []
      return c.html(pages('home', { form: signUpForm(deps, '/'), latest, hasOutbox }))
    })
    .get('/issues', async (c) => c.html(pages('issues', { issues: await sentIssues(db, 500) })))
    .get('/issues/:week', async (c) => {
      const issue = await sentIssue(db, c.req.param('week'))
      if (!issue) return isWeek(c.req.param('week')) ? c.html(pages('message', notOut), 404) : c.notFound()
      const page = withRetractions(await webVersion(deps, issue), await retractedSince(db, issue.id))
      return c.html(page, 200, { 'Content-Security-Policy': editionPolicy })
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
