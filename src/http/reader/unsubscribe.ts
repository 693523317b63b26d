import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Kysely } from 'kysely'
import { z } from 'zod'
import type { Database } from '../../../db/schema.ts'
import type { Calendar, Clock } from '../../clock.ts'
import { maskAddress } from '../../subscriber/address.ts'
import { explainDeparture } from '../../subscriber/departure.ts'
import { pauseEnd, pauseLengths } from '../../subscriber/pause.ts'
import { mayReturn, resubscribe } from '../../subscriber/resubscribe.ts'
import type { SigningKey } from '../../subscriber/token.ts'
import { unsubscribe } from '../../subscriber/unsubscribe.ts'
import type { Pages } from '../../template.ts'
import {
  asTest,
  dayOf,
  type Holder,
  holderOf,
  inYourMail,
  neverKept,
  tooMuch,
  unknownLink,
} from './personal-link.ts'

type Deps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly keys: readonly SigningKey[]
  readonly calendar: Calendar
  readonly pages: Pages
}

/**
 * The way out. GET shows a button and changes nothing, however often a scanner opens it; POST unsubscribes whatever the
 * body (it is not read), without cookie, Origin or redirect (RFC 8058, section 3.2). What one may do afterwards, each by
 * a button of its own: take it back within a day, pause instead, say why.
 */
export function unsubscribeRoutes(deps: Deps): Hono {
  const { pages } = deps
  return new Hono()
    .use('/unsubscribe/*', neverKept)
    .get('/unsubscribe', (c) => c.html(pages('message', inYourMail)))
    .get('/unsubscribe/:token/:step?', async (c) => {
      const token = c.req.param('token')
      const holder = await holderOf(deps, 'unsubscribe', token)
      if (!holder) return c.html(pages('message', unknownLink), 404)
      return c.html(isOut(holder) ? await leftPage(deps, holder, token, '') : leavePage(deps, holder, token))
    })
    .post('/unsubscribe/:token', async (c) => {
      const token = c.req.param('token')
      const holder = await holderOf(deps, 'unsubscribe', token)
      if (!holder) return c.html(pages('message', unknownLink), 404)
      if (!holder.isTest) await unsubscribe(deps, holder.public_id, channel(c))
      return c.html(await leftPage(deps, holder, token, ''))
    })
    .use(
      '/unsubscribe/:token/:step',
      bodyLimit({ maxSize: 8192, onError: (c) => c.html(pages('message', tooMuch), 413) }),
    )
    .post('/unsubscribe/:token/undo', async (c) => {
      const holder = await holderOf(deps, 'unsubscribe', c.req.param('token'))
      if (!holder) return c.html(pages('message', unknownLink), 404)
      const returned = holder.isTest ? 'back' : await resubscribe(deps, holder.public_id)
      return returned === 'back'
        ? c.html(pages('message', holder.isTest ? asTest(back) : back))
        : c.html(pages('message', tooLate), 409)
    })
    .post('/unsubscribe/:token/pause', async (c) => {
      const token = c.req.param('token')
      const holder = await holderOf(deps, 'unsubscribe', token)
      if (!holder) return c.html(pages('message', unknownLink), 404)
      const length = pauseForm.safeParse(Object.fromEntries(new URLSearchParams(await c.req.text())))
      const end = length.success && pauseEnd(length.data.for, deps.clock(), deps.calendar.zone)
      if (!end) return c.html(await leftPage(deps, holder, token, 'Choose how long the pause is to be.'), 422)
      const returned = holder.isTest ? 'back' : await resubscribe(deps, holder.public_id, end)
      if (returned !== 'back') return c.html(pages('message', tooLate), 409)
      const paused = pausedUntil(dayOf(end.at, deps.calendar.zone))
      return c.html(pages('message', holder.isTest ? asTest(paused) : paused))
    })
    .post('/unsubscribe/:token/why', async (c) => {
      const token = c.req.param('token')
      const holder = await holderOf(deps, 'unsubscribe', token)
      if (!holder) return c.html(pages('message', unknownLink), 404)
      const answer = whyForm.safeParse(Object.fromEntries(new URLSearchParams(await c.req.text())))
      if (!answer.success)
        return c.html(await leftPage(deps, holder, token, 'That was longer than 500 characters.'), 422)
      if (!holder.isTest) await explainDeparture(deps, holder.public_id, answer.data)
      return c.html(pages('message', holder.isTest ? asTest(thanks) : thanks))
    })
}

/** Mail programs send the one pair of RFC 8058 without being asked anything; our own page has a button. */
function channel(c: Context): 'one-click' | 'page' {
  return c.req.header('sec-fetch-mode') === 'navigate' ? 'page' : 'one-click'
}

function isOut({ status }: Holder): boolean {
  return status === 'unsubscribed' || status === 'erased'
}

function leavePage({ pages }: Deps, { address, isTest }: Holder, token: string): string {
  return pages('unsubscribe', { token, isTest, who: maskAddress(address ?? '') })
}

/** The page after leaving. It is set from the tables, so that a reload, an undo or a second press shows what is true. */
async function leftPage(deps: Deps, holder: Holder, token: string, error: string): Promise<string> {
  const now = holder.isTest ? holder : ((await holderOf(deps, 'unsubscribe', token)) ?? holder)
  return deps.pages('left', {
    ...{ token, error, isTest: now.isTest, who: maskAddress(now.address ?? '') },
    canReturn: now.isTest || (await mayReturn(deps.db, deps, now)),
    canExplain: now.isTest || now.status === 'unsubscribed',
    reasons,
  })
}

const reasons = [
  { value: 'too often', label: 'Too much mail' },
  { value: 'not for me', label: 'Not about the tools I use' },
  { value: 'not trusted', label: 'I do not trust the verdicts' },
  { value: 'never signed up', label: 'I never signed up' },
  { value: 'other', label: 'Something else' },
] as const

const pauseForm = z.object({ for: z.enum(pauseLengths) })

const whyForm = z.object({
  why: z
    .enum(reasons.map(({ value }) => value))
    .nullish()
    .transform((why) => why ?? null),
  words: z
    .string()
    .trim()
    .transform((words) => words.replaceAll('\r\n', '\n').replaceAll('\0', ''))
    .refine((words) => [...words].length <= 500)
    .transform((words) => words || null)
    .nullish()
    .transform((words) => words ?? null),
})

const back = {
  kicker: 'Done',
  title: 'You are on the list again',
  lede: 'As if nothing had happened: the next issue comes to you.',
  button: '',
  note: 'An issue that went out in the meantime may have passed you by. It is among all issues.',
}

const tooLate = {
  kicker: 'Nothing was changed',
  title: 'That can no longer be taken back here',
  lede: 'A departure can be taken back for a day, with the link it was made with. Sign up again on the front page: it takes one mail and one press.',
  button: '',
  note: '',
}

const thanks = {
  kicker: 'Noted',
  title: 'Thank you',
  lede: 'The editors read every answer. You are out, and no further mail will come.',
  button: '',
  note: '',
}

function pausedUntil(day: string) {
  return {
    kicker: 'Done',
    title: 'Paused instead',
    lede: `You have not left. Nothing is sent to you until ${day}; then you get issues again, and one line that says so.`,
    button: '',
    note: '',
  }
}
