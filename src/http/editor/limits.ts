import { createHmac } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import type { Clock } from '../../clock.ts'
import { limiter, take, takeNext } from '../../subscriber/sign-up-limits.ts'
import type { SigningKey } from '../../subscriber/token.ts'

const [quarter, hour, day] = [900, 3_600, 86_400]

type Deps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly keys: readonly SigningKey[]
}

/** How many tests an editor may send, and all of them together: each is a mail by the provider. Counts the test. */
export function openTestLimit({ db, clock, keys: [key] }: Deps): (editor: string) => Promise<boolean> {
  if (!key) throw new Error('There is no signing key')
  const own = limiter({ db, clock }, 'desk/test', { points: 10, seconds: quarter })
  const all = limiter({ db, clock }, 'desk/tests', { points: 40, seconds: hour })
  return async (editor) => (await take(own, keyed(key, editor))) && (await take(all, 'all'))
}

/** How often codes are asked for and tried, counted for every address alike (RELIABILITY S19). */
export type DoorLimits = {
  /** Whether a code may be mailed. */
  mayAsk(address: string, network: string): Promise<boolean>
  /** Whether a code may be tried; counts the try. `locked`: this try used up the last one. */
  mayTry(address: string, network: string): Promise<'yes' | 'no' | 'locked'>
  /** The right code was given: its tries are forgotten. */
  passed(address: string, network: string): Promise<void>
}

/** Tries from one network, after which an address is locked there. */
const mostTries = 5

/**
 * Five tries in a quarter of an hour for an address from one network; each time they run out within a day, twice as long.
 * What comes from one network is never enough to lock an editor out of another: the limits over all of them are wider,
 * and a locked network does not count towards them.
 */
export function openDoorLimits({ db, clock, keys: [key] }: Deps): DoorLimits {
  if (!key) throw new Error('There is no signing key')
  const limit = (name: string, points: number, seconds: number) =>
    limiter({ db, clock }, `desk/${name}`, { points, seconds })
  const asks = {
    ...{ here: limit('ask/here', 5, quarter), network: limit('ask/network', 15, quarter) },
    address: limit('ask/address', 15, quarter),
  }
  const tries = {
    ...{ here: limit('try/here', mostTries, quarter), network: limit('try/network', 30, quarter) },
    address: limit('try/address', 20, hour),
  }
  const lockouts = limit('lockouts', 1_000, day)
  const named = (...parts: string[]) => keyed(key, ...parts)
  const takeAll = async (of: typeof asks, address: string, network: string) =>
    (await take(of.here, named(address, network))) &&
    (await take(of.network, named(network))) &&
    (await take(of.address, named(address)))

  return {
    mayAsk: (address, network) => takeAll(asks, address, network),

    async mayTry(address, network) {
      const here = named(address, network)
      // Of tries at the same time only one is the last: each is told its own number as it is taken.
      const nth = await takeNext(tries.here, here)
      if (nth === undefined) return 'no'
      if (!(await take(tries.network, named(network)))) return 'no'
      if (!(await take(tries.address, named(address)))) return 'no'
      if (nth < mostTries) return 'yes'
      const { consumedPoints: times } = await lockouts.consume(here)
      await tries.here.block(here, quarter * 2 ** Math.min(times - 1, 6))
      return 'locked'
    },

    async passed(address, network) {
      await tries.here.delete(named(address, network))
      await lockouts.delete(named(address, network))
    },
  }
}

function keyed(key: SigningKey, ...parts: string[]): string {
  return createHmac('sha256', key.secret)
    .update(`desk limit\n${parts.join('\n')}`)
    .digest('base64url')
}
