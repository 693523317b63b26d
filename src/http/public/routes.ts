import { Hono } from 'hono'
import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import type { Clock } from '../../clock.ts'
import { loadEdition } from '../../delivery/send.ts'
import { type ComposedComparison, composeComparison } from '../../issue/compose.ts'
import { cutEdition, fillEdition } from '../../issue/edition.ts'
import { linkTargets, withDirectLinks } from '../../issue/links.ts'
import type { WireFacts } from '../../mail/wire.ts'
import type { SigningKey } from '../../subscriber/token.ts'
import type { Pages } from '../../template.ts'
import type { StoredComparison } from '../../verdict/comparison.ts'
import { loadComparisons } from '../../verdict/load.ts'
import { lensName } from '../../verdict/review.ts'
import type { Challenge } from '../challenge.ts'
import { signUpForm } from '../reader/sign-up-form.ts'
import { sentIssue, sentIssues } from './issues.ts'
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

/** What anybody may read: the front page, the issues that were sent, and every comparison. No token anywhere. */
export function publicRoutes(deps: Deps): Hono {
  const { db, pages, hasOutbox, wire } = deps
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
      if (!issue) return c.notFound()
      const links = {
        unsubscribe: `${wire.publicUrl}/unsubscribe`,
        preferences: `${wire.publicUrl}/preferences`,
      }
      const webVersion = `${wire.publicUrl}/issues/${issue.week}`
      const { html } = fillEdition(cutEdition(await loadEdition(db, issue.editionHash)), {
        ...links,
        webVersion,
      })
      const direct = withDirectLinks(html, wire.publicUrl, await linkTargets(db, issue.id))
      return c.html(direct, 200, { 'Content-Security-Policy': editionPolicy })
    })
    .get('/compare/:slug', async (c) => {
      const comparison = await findComparison(db, c.req.param('slug'))
      return comparison ? c.html(pages('compare', facing(comparison))) : c.notFound()
    })
}

/** An edition carries its styles within it, as mail must. */
const editionPolicy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

async function findComparison(db: Kysely<Database>, slug: string): Promise<StoredComparison | undefined> {
  const row = await db
    .selectFrom('comparison')
    .select('id')
    .where('slug', '=', slug)
    .where('retracted_at', 'is', null)
    .executeTakeFirst()
  if (!row) return undefined
  const [comparison] = await loadComparisons(db, [row.id])
  return comparison
}

function facing(comparison: StoredComparison): Record<string, unknown> {
  const composed = composeComparison(comparison)
  return {
    title: comparison.title,
    category: composed.category,
    sentence: composed.sentence,
    communityLine: composed.communityLine,
    tools: composed.tools.map((tool, side) => ({
      ...tool,
      stamp: tool.stamp,
      description: comparison.tools[side]?.description ?? '',
      url: comparison.tools[side]?.url ?? '',
    })),
    scorecard: scorecard(comparison, composed),
  }
}

/** The reviewers' full quotes, lens by lens, the two tools side by side. */
function scorecard({ tools }: StoredComparison, { split }: ComposedComparison) {
  return split.flatMap(({ lens }) => {
    const said = tools.map((tool) => {
      const review = tool.reviews.find(({ reviewer }) => lensName(reviewer) === lens)
      return { tool: tool.name, verdict: review?.verdict ?? '', quote: review?.quote ?? '' }
    })
    return said.some(({ quote }) => quote !== '') ? [{ lens, said }] : []
  })
}
