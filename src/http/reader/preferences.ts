import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import type { Calendar, Clock } from '../../clock.ts'
import { parseAddress } from '../../subscriber/address.ts'
import { type AddressWish, requestAddressChange } from '../../subscriber/change-address.ts'
import { eraseReader } from '../../subscriber/erase.ts'
import { exportReader } from '../../subscriber/export.ts'
import { pauseEnd, pauseReader, resumeReader } from '../../subscriber/pause.ts'
import { type Saved, savePreferences } from '../../subscriber/preferences.ts'
import type { SigningKey } from '../../subscriber/token.ts'
import type { Pages } from '../../template.ts'
import { type Holder, holderOf, inYourMail, neverKept, tooMuch, unknownLink } from './personal-link.ts'
import { addressForm, choicesForm, eraseForm, pauseForm } from './preferences-form.ts'
import { type Fault, type Notice, preferencesView, readNotice } from './preferences-view.ts'

export type PreferencesDeps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly keys: readonly SigningKey[]
  readonly calendar: Calendar
  readonly pages: Pages
}

/**
 * What a reader may choose, behind the link in their mail. The token in the URL is all that says who it is: there is no
 * cookie that another site could make a browser send, so there is nothing for a CSRF token to guard, and SameSite does not
 * come into it. Every change is a POST; it answers with a redirect to the page, which shows what is true, so that a
 * reload repeats nothing.
 */
export function preferencesRoutes(deps: PreferencesDeps): Hono {
  const { pages } = deps
  const show = async (c: Context, holder: Holder, extra: { notice?: Notice | undefined; fault?: Fault }) => {
    const view = await preferencesView(deps, holder, c.req.param('token') ?? '', extra)
    return c.html(pages('preferences', view), extra.fault ? 422 : 200)
  }
  const done = (c: Context, notice: Notice) =>
    c.redirect(`/preferences/${c.req.param('token')}?done=${notice}`, 303)

  return new Hono()
    .use('/preferences/*', neverKept)
    .use(
      '/preferences/*',
      bodyLimit({ maxSize: 32_768, onError: (c) => c.html(pages('message', tooMuch), 413) }),
    )
    .get('/preferences', (c) => c.html(pages('message', inYourMail)))
    .get('/preferences/:token', (c) =>
      withHolder(deps, c, (holder) => show(c, holder, { notice: readNotice(c.req.query('done')) })),
    )
    .post('/preferences/:token', (c) =>
      withHolder(deps, c, async (holder) => {
        const choices = choicesForm(await c.req.text())
        if (!choices) return show(c, holder, { fault: { at: 'choices', problem: 'Choose how often.' } })
        const saved = holder.isTest ? 'no change' : await savePreferences(deps, holder.public_id, choices)
        const problem = choicesProblem[saved]
        return problem ? show(c, holder, { fault: { at: 'choices', problem, choices } }) : done(c, 'choices')
      }),
    )
    .post('/preferences/:token/pause', (c) =>
      withHolder(deps, c, async (holder) => {
        const wish = pauseForm(await c.req.text())
        const end = wish && pauseEnd(wish, deps.clock(), deps.calendar.zone)
        if (!end) return show(c, holder, { fault: { at: 'pause', problem: outOfRange } })
        if (!holder.isTest) await pauseReader(deps, holder.public_id, end)
        return done(c, 'paused')
      }),
    )
    .post('/preferences/:token/resume', (c) =>
      withHolder(deps, c, async (holder) => {
        if (!holder.isTest) await resumeReader(deps, holder.public_id)
        return done(c, 'resumed')
      }),
    )
    .post('/preferences/:token/address', (c) =>
      withHolder(deps, c, async (holder) => {
        const given = addressForm(await c.req.text())
        const parsed = parseAddress(given)
        const wish =
          parsed.ok && !holder.isTest && (await requestAddressChange(deps, holder.public_id, parsed.address))
        const problem = parsed.ok ? wish && addressProblem[wish] : `That is no address: ${parsed.problem}.`
        return problem ? show(c, holder, { fault: { at: 'address', problem, given } }) : done(c, 'address')
      }),
    )
    .post('/preferences/:token/export', (c) =>
      withHolder(deps, c, async (holder) => {
        const held = holder.isTest ? nothingHeld : await exportReader(deps.db, holder.public_id)
        c.header('Content-Disposition', 'attachment; filename="weekly-ai-tool-verdicts.json"')
        return c.body(`${JSON.stringify(held, null, 2)}\n`, 200, { 'Content-Type': 'application/json' })
      }),
    )
    .get('/preferences/:token/erase', (c) =>
      withHolder(deps, c, (holder) => Promise.resolve(c.html(pages('erase', eraseView(c, holder, ''))))),
    )
    .post('/preferences/:token/erase', (c) =>
      withHolder(deps, c, async (holder) => {
        if (!eraseForm(await c.req.text()))
          return c.html(pages('erase', eraseView(c, holder, notTicked)), 422)
        if (!holder.isTest) await eraseReader(deps, holder.public_id, 'page')
        return c.html(pages('message', holder.isTest ? notErased : erased))
      }),
    )
    .get('/preferences/:token/:step', (c) =>
      withHolder(deps, c, () => Promise.resolve(c.redirect(`/preferences/${c.req.param('token')}`, 303))),
    )
}

/** Answers 404 for a link that is not ours, and 410 once its reader was erased. */
export async function withHolder(
  deps: Pick<PreferencesDeps, 'db' | 'keys' | 'pages'>,
  c: Context,
  answer: (holder: Holder) => Promise<Response>,
): Promise<Response> {
  const holder = await holderOf(deps, 'preferences', c.req.param('token') ?? '')
  if (!holder) return c.html(deps.pages('message', unknownLink), 404)
  return holder.status === 'erased' ? c.html(deps.pages('message', forgotten), 410) : answer(holder)
}

function eraseView(c: Context, { isTest }: Holder, error: string) {
  return { token: c.req.param('token'), isTest, error }
}

const outOfRange = 'Choose a length, or a day from two weeks to one year ahead.'

const notTicked = 'Tick the box first: what is erased cannot be brought back.'

const notOnTheList = 'You are not on the list any more, so there is nothing to change.'

/** What stands in the way of saving choices; empty where nothing does. */
export const choicesProblem: Readonly<Record<Saved, string>> = {
  saved: '',
  'no change': '',
  empty:
    'You follow nothing yet, so no issue would ever come. Tick a category or a tool, or choose another rhythm.',
  'not on the list': notOnTheList,
}

const addressProblem: Readonly<Record<AddressWish, string>> = {
  asked: '',
  same: 'That is the address your issues go to already.',
  'too often':
    'Three letters a day is all we send to new addresses. Look through the mailboxes, or come back tomorrow.',
  'not on the list': notOnTheList,
}

const nothingHeld = { note: 'This link is from a test mail. It belongs to nobody, and nothing is held.' }

const erased = {
  kicker: 'Done',
  title: 'You have been erased',
  lede: 'Your address is gone from every table. A keyed hash of it stays, so that no list can bring you back without you.',
  button: '',
  note: 'The links in mails you already have do nothing from now on. You may sign up again at any time.',
}

const notErased = {
  ...erased,
  title: 'Nobody was erased',
  lede: 'This link is from a test mail. A reader’s address would be gone from every table now.',
  note: '',
}

const forgotten = {
  kicker: 'Erased',
  title: 'We no longer know who this was',
  lede: 'The reader with this link was erased at their own wish. Nothing is held about them, and nothing can be shown.',
  button: '',
  note: '',
}
