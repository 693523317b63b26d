import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { followAmong, type Shown } from '../../subscriber/follow-among.ts'
import { choicesOf, type Preferences } from '../../subscriber/preferences.ts'
import { loadComparisons } from '../../verdict/load.ts'
import { findStanding } from '../../verdict/public.ts'
import { type Holder, neverKept, tooMuch } from './personal-link.ts'
import { choicesProblem, type PreferencesDeps, withHolder } from './preferences.ts'
import { choicesForm } from './preferences-form.ts'
import { cadences, noticeTo, readNotice, standing } from './preferences-view.ts'

/**
 * `/preferences/TOKEN/follow/SLUG`, the link under each comparison in a mail: its tools and categories, which of them the
 * reader follows, and how often mail comes. GET changes nothing; POST saves what is ticked of these and nothing else.
 */
export function followMailRoutes(deps: PreferencesDeps): Hono {
  const { pages } = deps
  return new Hono()
    .use('/preferences/:token/follow/:slug', neverKept)
    .use(
      '/preferences/:token/follow/:slug',
      bodyLimit({ maxSize: 4096, onError: (c) => c.html(pages('message', tooMuch), 413) }),
    )
    .get('/preferences/:token/follow/:slug', (c) =>
      withPair(deps, c, (holder, pair) => show(deps, c, holder, pair)),
    )
    .post('/preferences/:token/follow/:slug', (c) =>
      withPair(deps, c, async (holder, pair) => {
        const wish = choicesForm(await c.req.text())
        if (!wish) return show(deps, c, holder, pair, { problem: 'Choose how often.' })
        const saved = holder.isTest
          ? 'no change'
          : await followAmong(deps, holder.public_id, pair.shown, wish)
        const problem = choicesProblem[saved]
        return problem
          ? show(deps, c, holder, pair, { problem, wish })
          : c.redirect(`${linkTo(c)}/follow/${pair.slug}?done=choices`, 303)
      }),
    )
}

/** What can be followed from one comparison. */
type Pair = {
  readonly slug: string
  readonly title: string
  readonly tools: readonly { readonly slug: string; readonly name: string }[]
  readonly shown: Shown
}

/** For a reader on the list, and a comparison that visitors see; anybody else is told which of the two is wanting. */
function withPair(
  deps: PreferencesDeps,
  c: Context,
  answer: (holder: Holder, pair: Pair) => Promise<Response>,
): Promise<Response> {
  return withHolder(deps, c, async (holder) => {
    const link = { url: linkTo(c), label: 'Your subscription' }
    if (holder.status !== 'confirmed' && holder.status !== 'paused')
      return c.html(deps.pages('confirm', { ...notOnTheList, link }), 409)
    const pair = await pairOf(deps, c.req.param('slug') ?? '')
    return pair ? answer(holder, pair) : c.html(deps.pages('confirm', { ...notShown, link }), 404)
  })
}

async function pairOf({ db, clock }: PreferencesDeps, slug: string): Promise<Pair | undefined> {
  const at = /^[a-z0-9-]{1,120}$/.test(slug) ? await findStanding(db, slug, clock()) : undefined
  const [comparison] = at?.kind === 'shown' ? await loadComparisons(db, [at.id]) : []
  if (!comparison) return undefined
  const { title, tools } = comparison
  const categories = [...new Set(tools.map(({ category }) => category))]
  return { slug, title, tools, shown: { categories, tools: tools.map((tool) => tool.slug) } }
}

async function show(
  deps: PreferencesDeps,
  c: Context,
  holder: Holder,
  { slug, title, tools, shown }: Pair,
  refused?: { readonly problem: string; readonly wish?: Preferences },
): Promise<Response> {
  const { zone } = deps.calendar
  const now = refused?.wish ?? (await choicesOf(deps.db, holder))
  const view = {
    ...{ slug, comparison: title, link: linkTo(c), problem: refused?.problem ?? '', isTest: holder.isTest },
    notice: noticeTo(holder, readNotice(c.req.query('done')), zone),
    standing: standing(holder, zone),
    tools: tools.map((tool) => ({
      slug: tool.slug,
      name: tool.name,
      checked: now.tools.includes(tool.slug),
    })),
    categories: shown.categories.map((name) => ({ name, checked: now.categories.includes(name) })),
    cadences: cadences(now.cadence),
  }
  return c.html(deps.pages('follow', view), refused ? 422 : 200)
}

function linkTo(c: Context): string {
  return `/preferences/${c.req.param('token')}`
}

const nothing = { kicker: 'Nothing was changed', action: '', button: '', note: '' }

const notOnTheList = {
  ...nothing,
  title: 'You are not on the list',
  lede: 'So no mail comes that could be about what you follow. Your own page says since when, and what you can do.',
}

const notShown = {
  ...nothing,
  title: 'That comparison is not shown any more',
  lede: 'It was retracted, or the link was cut short on its way. What you follow is as it was; your own page has all of it.',
}
