import { Hono } from 'hono'
import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import type { Clock } from '../../clock.ts'
import type { WireFacts } from '../../mail/wire.ts'
import type { SigningKey } from '../../subscriber/token.ts'
import type { Pages } from '../../template.ts'
import type { Challenge } from '../challenge.ts'
import { signUpForm } from '../reader/sign-up-form.ts'
import { archiveRoutes } from './archive.ts'
import { answerKept, cachePages, type Look, publicly } from './cached.ts'
import { feedRoutes } from './feeds.ts'
import { sentIssues } from './issues.ts'
import { lastVote, seeLibrary } from './library.ts'
import { sitemapRoutes } from './sitemap.ts'
import { specimenOf } from './specimen.ts'

type Deps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly keys: readonly SigningKey[]
  readonly challenge: Pick<Challenge, 'kind'>
  readonly pages: Pages
  readonly fewestVotes: number
  readonly hasOutbox: boolean
  readonly wire: WireFacts
}

/** What anybody may read: the front page, and the issues that were sent. No token anywhere. */
export function publicRoutes(deps: Deps): Hono {
  const home = cachePages(deps, { look: () => lookAtHome(deps), mostBytes: 2 ** 20 })
  return new Hono()
    .get('/', async (c) => {
      const page = await home('/')
      if (!page) return c.notFound()
      return answerKept(c, page, { cacheControl: publicly, shownAt: signUpForm(deps, '/').stamp })
    })
    .route('/', archiveRoutes(deps))
    .route('/', feedRoutes(deps))
    .route('/', sitemapRoutes(deps))
}

async function lookAtHome(deps: Deps): Promise<Look> {
  const { db, clock, pages, hasOutbox, fewestVotes } = deps
  const { stamp } = await seeLibrary(db, clock())
  return {
    stamp: `${stamp} ${await lastVote(db)}`,
    make: async () => {
      const [issue] = await sentIssues(db, 1)
      const specimen = issue && (await specimenOf(db, issue.week, fewestVotes))
      const latest = specimen ? [{ ...issue, ...specimen }] : []
      const form = signUpForm(deps, '/')
      const data = { form, latest, hasOutbox, publicUrl: deps.wire.publicUrl }
      return { body: pages('home', data), type: 'text/html; charset=UTF-8', shownAt: form.stamp }
    },
  }
}
