import { type Context, Hono } from 'hono'
import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import type { Clock } from '../../clock.ts'
import { testReader } from '../../delivery/test-send.ts'
import { maskAddress } from '../../subscriber/address.ts'
import { readToken, type SigningKey, type TokenPurpose } from '../../subscriber/token.ts'
import { unsubscribe } from '../../subscriber/unsubscribe.ts'
import type { Pages } from '../../template.ts'

type Deps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly keys: readonly SigningKey[]
  readonly pages: Pages
}

/**
 * The way out. GET shows a button and changes nothing, however often a scanner opens it; POST unsubscribes whatever the
 * body, without cookie, Origin or redirect (RFC 8058, section 3.2).
 */
export function readerRoutes(deps: Deps): Hono {
  const { pages } = deps
  return new Hono()
    .use('/unsubscribe/*', neverKept)
    .use('/preferences/*', neverKept)
    .get('/unsubscribe', (c) => c.html(pages('message', inYourMail)))
    .get('/preferences', (c) => c.html(pages('message', inYourMail)))
    .get('/unsubscribe/:token', async (c) => {
      const reader = await readerOf(deps, 'unsubscribe', c.req.param('token'))
      if (!reader) return c.html(pages('message', unknownLink), 404)
      return c.html(pages('message', reader.status === 'unsubscribed' ? out : leave(reader)))
    })
    .post('/unsubscribe/:token', async (c) => {
      const publicId = readToken(deps.keys, 'unsubscribe', c.req.param('token'))
      const isGone =
        publicId !== undefined && (publicId === testReader || (await unsubscribe(deps, publicId, channel(c))))
      return isGone ? c.html(pages('message', out)) : c.html(pages('message', unknownLink), 404)
    })
    .get('/preferences/:token', async (c) => {
      const reader = await readerOf(deps, 'preferences', c.req.param('token'))
      if (!reader) return c.html(pages('message', unknownLink), 404)
      return c.html(
        pages('message', reader.status === 'unsubscribed' ? out : { ...leave(reader), ...settings }),
      )
    })
    .post('/preferences/:token', async (c) => {
      const publicId = readToken(deps.keys, 'preferences', c.req.param('token'))
      const isGone =
        publicId !== undefined && (publicId === testReader || (await unsubscribe(deps, publicId, 'page')))
      return isGone ? c.html(pages('message', out)) : c.html(pages('message', unknownLink), 404)
    })
}

type Reader = { readonly address: string; readonly status: string }

async function readerOf(
  { db, keys }: Deps,
  purpose: TokenPurpose,
  token: string,
): Promise<Reader | undefined> {
  const publicId = readToken(keys, purpose, token)
  if (publicId === undefined) return undefined
  if (publicId === testReader) return { address: 'reader@example.com', status: 'confirmed' }
  const reader = await db
    .selectFrom('subscriber')
    .select(['address', 'status'])
    .where('public_id', '=', publicId)
    .executeTakeFirst()
  return reader && { address: reader.address ?? '', status: reader.status }
}

/** Mail programs send the one pair of RFC 8058 without being asked anything; our own page has a button. */
function channel(c: Context): 'one-click' | 'page' {
  return c.req.header('sec-fetch-mode') === 'navigate' ? 'page' : 'one-click'
}

async function neverKept(c: Context, next: () => Promise<void>): Promise<void> {
  await next()
  c.header('Cache-Control', 'no-store')
  c.header('X-Robots-Tag', 'noindex')
}

function leave({ address }: Reader) {
  return {
    kicker: 'Unsubscribe',
    title: 'Leave the list?',
    lede: `${maskAddress(address)} gets one mail a week from us. One press, and it gets none.`,
    button: 'Leave the list',
    note: 'Nothing has been changed by opening this page.',
  }
}

const settings = { kicker: 'Preferences' }

const out = {
  kicker: 'Done',
  title: 'You are out',
  lede: 'No further issue will be sent to you. Any that left in the last minute may still arrive.',
  button: '',
  note: '',
}

const unknownLink = {
  kicker: 'Nothing was changed',
  title: 'This link is not one of ours',
  lede: 'It may have been cut short on its way. The whole link is at the foot of every issue: open it from there.',
  button: '',
  note: '',
}

const inYourMail = {
  kicker: 'Your subscription',
  title: 'The link is in your mail',
  lede: 'Every issue has your own link to leave or change your subscription, at its foot. This page cannot know who you are.',
  button: '',
  note: '',
}
