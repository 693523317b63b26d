import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import type { Clock } from '../../clock.ts'
import { maskAddress } from '../../subscriber/address.ts'
import { type Confirmation, confirmSubscriber, foreseeConfirmation } from '../../subscriber/confirm.ts'
import { askedAgain, type KnownWish } from '../../subscriber/follow-wish.ts'
import type { SignUp } from '../../subscriber/sign-up.ts'
import type { SigningKey } from '../../subscriber/token.ts'
import type { Pages } from '../../template.ts'
import type { Wake } from '../../wake.ts'
import type { Connected } from '../client-address.ts'
import { neverKept } from './personal-link.ts'

type Deps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly keys: readonly SigningKey[]
  readonly pages: Pages
  readonly hasOutbox: boolean
  readonly wire: { readonly publicUrl: string }
  readonly collect: (signUp: SignUp) => Promise<void>
  readonly networkOf: (c: Context<Connected>) => string
  readonly wake: Wake
}

/**
 * The link in a confirmation mail. GET shows what a press would do and changes nothing, so a link scanner uses nothing
 * up; POST confirms, as often as it is pressed. An expired link has a button for a fresh one.
 */
export function confirmRoutes(deps: Deps): Hono<Connected> {
  const { pages, wake } = deps
  return new Hono<Connected>()
    .use('/confirm/*', neverKept)
    .use('/confirm/*', bodyLimit({ maxSize: 4096 }))
    .get('/confirm', (c) => c.html(pages('confirm', unknown), 404))
    .get('/confirm/:token', async (c) => {
      const token = c.req.param('token')
      const foreseen = await foreseeConfirmation(deps, token)
      if (foreseen.kind === 'confirmed') return c.html(pages('confirm', open(foreseen, token)))
      return answer(deps, c, foreseen, token)
    })
    .post('/confirm/:token', async (c) => {
      const token = c.req.param('token')
      const confirmation = await confirmSubscriber(deps, token, deps.networkOf(c))
      if (confirmation.kind === 'confirmed') wake('send-letters')
      return answer(deps, c, confirmation, token)
    })
    .post('/confirm/:token/fresh', async (c) => {
      const foreseen = await foreseeConfirmation(deps, c.req.param('token'))
      if (foreseen.kind !== 'confirmed' && foreseen.kind !== 'expired')
        return answer(deps, c, foreseen, c.req.param('token'))
      await deps.collect({
        ...{ address: foreseen.address, at: deps.clock(), network: deps.networkOf(c), method: 'form' },
        ...{ formUrl: `${deps.wire.publicUrl}/confirm`, wording: 'as before', signals: [] },
        wish: foreseen.wish && askedAgain(foreseen.wish),
      })
      return c.html(pages('check-inbox', { hasOutbox: deps.hasOutbox, follows: false }))
    })
}

function answer({ pages }: Deps, c: Context, confirmation: Confirmation, token: string) {
  switch (confirmation.kind) {
    case 'confirmed':
      return c.html(pages('confirm', onTheList(confirmation.wish)))
    case 'already':
      return c.html(pages('confirm', onTheList(undefined)))
    case 'follows':
      return c.redirect(`/follow/${token}`, 303)
    case 'expired':
      return c.html(pages('confirm', expired(token)), 410)
    case 'unknown':
      return c.html(pages('confirm', unknown), 404)
  }
}

function open({ address, wish }: { address: string; wish: KnownWish | undefined }, token: string) {
  return {
    kicker: 'One press left',
    title: 'Confirm your address',
    lede: `Press the button, and ${maskAddress(address)} gets Weekly AI Tool Verdicts ${whatComes(wish)}.`,
    ...{ action: `/confirm/${token}`, button: 'Confirm my address', link: '' },
    note: 'Opening this page has changed nothing. If you did not sign up, close it: an address that nobody confirms gets no issue.',
  }
}

function whatComes(wish: KnownWish | undefined): string {
  if (!wish) return 'once a week'
  const { name, cadence } = wish
  return cadence === 'followed'
    ? `whenever ${name} is in an issue, and follows ${name}`
    : `once a week, and follows ${name}`
}

function onTheList(wish: KnownWish | undefined) {
  const next = wish?.cadence === 'followed' ? `The next issue with ${wish.name} in it` : 'The next issue'
  const follows = wish ? `You follow ${wish.name}. ` : ''
  return {
    kicker: 'Done',
    title: 'You are on the list',
    lede: `${follows}${next} comes to you. A welcome with your own links, to pause, change or leave, comes by mail.`,
    ...{ action: '', button: '', link: { url: '/issues', label: 'Read past issues' }, note: '' },
  }
}

function expired(token: string) {
  return {
    kicker: 'Nothing was changed',
    title: 'This link is no longer good',
    lede: 'A confirmation link works for 72 hours and puts a reader on the list once. Have a fresh one sent to the same address, and you are a press away again.',
    ...{ action: `/confirm/${token}/fresh`, button: 'Send me a fresh link', link: '', note: '' },
  }
}

const unknown = {
  kicker: 'Nothing was changed',
  title: 'This link is not one of ours',
  lede: 'It may have been cut short on its way: open the whole link from the mail. Or sign up again, and a new one is sent.',
  ...{ action: '', button: '', link: { url: '/subscribe', label: 'Sign up' }, note: '' },
}
