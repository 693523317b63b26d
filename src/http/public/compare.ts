import Handlebars from 'handlebars'
import { type Context, Hono } from 'hono'
import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import type { Calendar, Clock } from '../../clock.ts'
import { findAppearance } from '../../issue/find-appearance.ts'
import type { WireFacts } from '../../mail/wire.ts'
import type { SigningKey } from '../../subscriber/token.ts'
import type { Pages } from '../../template.ts'
import type { StoredComparison } from '../../verdict/comparison.ts'
import { loadWithVotes } from '../../verdict/count-votes.ts'
import { listChanges } from '../../verdict/list-changes.ts'
import { findStanding, type Standing } from '../../verdict/public.ts'
import type { Challenge } from '../challenge.ts'
import { comparisonView, describe } from '../comparison-view.ts'
import { signUpForm } from '../reader/sign-up-form.ts'
import { answerKept, cachePages, type Look, type Made } from './cached.ts'
import { type CardPress, cardOf, cardVersion, openCardPress, TooManyCards } from './card.ts'
import { comparisonLinkedData, scriptText } from './json-ld.ts'

type Deps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly calendar: Calendar
  readonly fewestVotes: number
  readonly keys: readonly SigningKey[]
  readonly challenge: Pick<Challenge, 'kind'>
  readonly pages: Pages
  readonly wire: WireFacts
}

const megabyte = 2 ** 20

/** `GET /compare/:slug`, and the picture that a link to it is shown with. */
export function compareRoutes(deps: Deps, press: CardPress = openCardPress()): Hono {
  const pages = cachePages(deps, { look: (slug) => lookAtPage(deps, slug), mostBytes: 64 * megabyte })
  const cards = cachePages(deps, {
    look: (slug) => lookAtCard(deps, slug, press),
    mostBytes: 32 * megabyte,
  })
  return new Hono()
    .get('/compare/:slug', async (c) => {
      const page = await pages(slugOf(c))
      if (!page) return c.notFound()
      if (page.status === 410) c.header('X-Robots-Tag', 'noindex')
      const { stamp: shownAt } = signUpForm(deps, '/')
      return answerKept(c, page, { cacheControl: 'public, max-age=60', shownAt })
    })
    .get('/compare/:slug/card.png', async (c) => {
      try {
        const card = await cards(slugOf(c))
        if (!card) return c.notFound()
        // Whoever shows the link may show the picture.
        c.header('Cross-Origin-Resource-Policy', 'cross-origin')
        return answerKept(c, card, { cacheControl: cardCaching(c, card.stamp) })
      } catch (error) {
        if (!(error instanceof TooManyCards)) throw error
        return c.text('Too many pictures are being drawn. Try again in some seconds.', 503, {
          'Retry-After': '10',
        })
      }
    })
}

function slugOf(c: Context): string {
  return c.req.param('slug') ?? ''
}

/** For a year under the version that pages link to, as the stylesheet is. */
function cardCaching(c: Context, version: string): string {
  return c.req.query('v') === version ? 'public, max-age=31536000, immutable' : 'public, max-age=300'
}

async function lookAtPage(deps: Deps, slug: string): Promise<Look | undefined> {
  const standing = await standingOf(deps, slug)
  if (standing?.kind !== 'shown') return standing && retractedPage(deps)
  const appearance = await findAppearance(deps.db, standing.id)
  return {
    stamp: [standing.id, standing.revision, standing.revisedAt, standing.votes, appearance?.week].join(' '),
    make: () => makePage(deps, slug, standing, appearance),
  }
}

async function lookAtCard(deps: Deps, slug: string, { draw }: CardPress): Promise<Look | undefined> {
  const standing = await standingOf(deps, slug)
  if (standing?.kind !== 'shown') return undefined
  return {
    stamp: cardVersion(slug, standing),
    make: async () => {
      const card = cardOf(await load(deps, standing))
      return { body: await draw(card), type: 'image/png' }
    },
  }
}

async function standingOf({ db, clock }: Deps, slug: string): Promise<Standing | undefined> {
  return /^[a-z0-9-]{1,120}$/.test(slug) ? findStanding(db, slug, clock()) : undefined
}

type Shown = Extract<Standing, { readonly kind: 'shown' }>

async function load({ db, fewestVotes }: Deps, { id }: Shown): Promise<StoredComparison> {
  const [comparison] = await loadWithVotes(db, [id], fewestVotes)
  if (!comparison) throw new Error(`Comparison ${id} went away while its page was made`)
  return comparison
}

async function makePage(
  deps: Deps,
  slug: string,
  standing: Shown,
  appearance: Awaited<ReturnType<typeof findAppearance>>,
): Promise<Made> {
  const comparison = await load(deps, standing)
  const changes = standing.revision === 1 ? [] : await listChanges(deps.db, standing.id, deps.clock())
  const { publicUrl } = deps.wire
  const view = comparisonView(comparison, { changes, appearance, zone: deps.calendar.zone, publicUrl })
  const page = {
    url: `${publicUrl}/compare/${slug}`,
    description: describe(comparison, view),
    image: `${publicUrl}/compare/${slug}/card.png?v=${cardVersion(slug, standing)}`,
    publishedAt: comparison.publishedAt.toString(),
    subscribeUrl: `${publicUrl}/subscribe`,
  }
  const facts = { ...page, publicUrl, revisedAt: standing.revisedAt }
  const linkedData = new Handlebars.SafeString(scriptText(comparisonLinkedData(comparison, facts)))
  const form = signUpForm(deps, `/compare/${slug}`)
  return {
    body: deps.pages('compare', { ...view, page, linkedData, form }),
    type: 'text/html; charset=UTF-8',
    shownAt: form.stamp,
  }
}

/** Links in mails that were sent lead here for good. Nothing of what it said is said. */
const retracted = {
  ...{ title: 'This comparison was retracted', kicker: '', button: '', note: '' },
  lede: 'We no longer stand by what it said, so it is not shown, and it will be in no later issue. Issues that were sent with it say so where they are kept.',
}

function retractedPage({ pages }: Deps): Look {
  const body = () => pages('message', retracted)
  return {
    stamp: 'retracted',
    make: async () => ({ body: body(), type: 'text/html; charset=UTF-8', status: 410 }),
  }
}
