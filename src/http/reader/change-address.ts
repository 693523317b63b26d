import { Hono } from 'hono'
import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import type { Clock } from '../../clock.ts'
import { type AddressChange, changeAddress, foreseeAddressChange } from '../../subscriber/change-address.ts'
import type { SigningKey } from '../../subscriber/token.ts'
import type { Pages } from '../../template.ts'
import { neverKept, unknownLink } from './personal-link.ts'

type Deps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly keys: readonly SigningKey[]
  readonly pages: Pages
}

/** The letter's own path, and the one beside the page on which the change was asked for. */
const paths = ['/address/:token', '/preferences/change/:token']

/** What the letter to a new address links to: GET shows a button, POST moves the subscription. Repeatable. */
export function changeAddressRoutes(deps: Deps): Hono {
  const { pages } = deps
  return new Hono()
    .use('/address/*', neverKept)
    .use('/preferences/change/*', neverKept)
    .on('GET', paths, async (c) => {
      const change = await foreseeAddressChange(deps, c.req.param('token') ?? '')
      if (change.kind !== 'changed')
        return c.html(pages('message', refusals[change.kind]), statuses[change.kind])
      return c.html(pages('message', change.isDone ? moved(change.address) : ask(change.address)))
    })
    .on('POST', paths, async (c) => {
      const change = await changeAddress(deps, c.req.param('token') ?? '')
      if (change.kind !== 'changed')
        return c.html(pages('message', refusals[change.kind]), statuses[change.kind])
      return c.html(pages('message', moved(change.address)))
    })
}

type Refusal = Exclude<AddressChange['kind'], 'changed'>

const statuses = { unknown: 404, expired: 410, taken: 409, 'not on the list': 409 } as const

const refusals: Readonly<Record<Refusal, typeof unknownLink>> = {
  unknown: unknownLink,
  expired: {
    ...unknownLink,
    title: 'This link is too old',
    lede: 'It held for 72 hours, or a newer change came before it. Ask for another letter on your preferences page; its link is at the foot of every issue.',
  },
  taken: {
    ...unknownLink,
    title: 'That address has a subscription of its own',
    lede: 'Two cannot share one address. Leave with the one you do not want: the link is at the foot of its issues.',
  },
  'not on the list': {
    ...unknownLink,
    title: 'That subscription has ended',
    lede: 'It was left or erased after this letter was asked for. Sign up with the new address on the front page.',
  },
}

function ask(address: string) {
  return {
    kicker: 'Change of address',
    title: 'Get your issues here?',
    lede: `One press, and every further issue goes to ${address}. The old address is told so, once.`,
    button: 'Use this address',
    note: 'Opening this page has changed nothing.',
  }
}

function moved(address: string) {
  return {
    kicker: 'Done',
    title: 'Your issues come here now',
    lede: `They go to ${address} from now on. The old address gets one last letter that says so.`,
    button: '',
    note: '',
  }
}
