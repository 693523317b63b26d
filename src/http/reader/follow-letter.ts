import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Kysely } from 'kysely'
import type { Cadence, Database } from '../../../db/schema.ts'
import type { Clock } from '../../clock.ts'
import { maskAddress } from '../../subscriber/address.ts'
import { type Following, followByLetter, foreseeFollowing } from '../../subscriber/follow.ts'
import { type SigningKey, signToken } from '../../subscriber/token.ts'
import type { Pages } from '../../template.ts'
import { neverKept, unknownLink } from './personal-link.ts'

type Deps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly keys: readonly SigningKey[]
  readonly pages: Pages
}

/**
 * The link in a letter that asks a reader whether to follow something. GET shows what a press would do and changes
 * nothing; POST follows, and says the same however often it is pressed.
 */
export function followLetterRoutes(deps: Deps): Hono {
  return new Hono()
    .use('/follow/*', neverKept)
    .use('/follow/*', bodyLimit({ maxSize: 4096 }))
    .get('/follow/:token', async (c) => {
      const token = c.req.param('token')
      return answer(deps, c, await foreseeFollowing(deps, token), token)
    })
    .post('/follow/:token', async (c) => {
      const token = c.req.param('token')
      const following = await followByLetter(deps, token)
      const isDone = following.kind === 'follows'
      return answer(deps, c, isDone ? { ...following, isDone } : following, token)
    })
}

function answer({ keys, pages }: Deps, c: Context, following: Following, token: string) {
  switch (following.kind) {
    case 'follows': {
      const page = following.isDone ? done(following, keys) : ask(following, token)
      return c.html(pages('confirm', page))
    }
    case 'expired':
      return c.html(pages('message', expired), 410)
    case 'not on the list':
      return c.html(pages('message', notOnTheList), 409)
    case 'unknown':
      return c.html(pages('message', unknownLink), 404)
  }
}

type Follows = Extract<Following, { readonly kind: 'follows' }>

function ask({ address, wish: { name }, cadence }: Follows, token: string) {
  return {
    ...{ kicker: 'Your subscription', title: `Follow ${name}?` },
    lede: `Press the button, and ${maskAddress(address)} follows ${name}. ${rhythm[cadence]}`,
    ...{ action: `/follow/${token}`, button: `Follow ${name}`, link: '' },
    note: 'Opening this page has changed nothing. If you did not ask for it, close it.',
  }
}

/** The letter was in the reader's own mailbox, so they may have the link that every mail of theirs has. */
function done({ publicId, wish: { name }, cadence }: Follows, [key]: readonly SigningKey[]) {
  if (!key) throw new Error('There is no signing key')
  const url = `/preferences/${signToken(key, 'preferences', publicId)}`
  return {
    ...{ kicker: 'Done', title: `You follow ${name}`, lede: rhythm[cadence] },
    ...{ action: '', button: '', note: '' },
    link: { url, label: 'Everything you follow' },
  }
}

const rhythm: Readonly<Record<Cadence, string>> = {
  weekly: 'You go on getting every issue.',
  monthly: 'You go on getting one mail a month.',
  followed: 'From then on, mail comes only in weeks with something you follow, and has only that in it.',
}

const expired = {
  ...unknownLink,
  title: 'This link is too old',
  lede: 'It held for 72 hours. Follow it again on its page, or with the link under a comparison in any of your mails.',
}

const notOnTheList = {
  ...unknownLink,
  title: 'Your address is not on the list',
  lede: 'It left after this letter was asked for, so there is no mail that could follow anything. Sign up again on the front page.',
}
