import { createHmac } from 'node:crypto'
import { CompiledQuery, type Kysely, type Transaction } from 'kysely'
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import type { SigningKey } from './token.ts'

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock }
type Limit = { readonly points: number; readonly seconds: number }

/** How many confirmation mails one address, one network and all of them together can cause (RELIABILITY S2). */
export type SignUpLimits = {
  readonly perAddress: readonly Limit[]
  readonly perNetwork: Limit
  readonly overall: Limit
}

const [minutes, hour, day] = [60, 3_600, 86_400]

/** Held by whoever counts: one process at a time, so that the limits are counted once. Any number that no other lock of ours has. */
export const turnstile = 2_026_003

export const signUpLimits: SignUpLimits = {
  perAddress: [
    { points: 1, seconds: 10 * minutes },
    { points: 3, seconds: day },
  ],
  perNetwork: { points: 5, seconds: hour },
  overall: { points: 300, seconds: hour },
}

export type Passage =
  | 'passed'
  | 'over the address limit'
  | 'over the network limit'
  | 'over the overall limit'

/** Counts confirmation mails as they are about to be posted, in the transaction that posts them. */
export type Gate = {
  /** `network` is null where no visitor asks. */
  pass(address: string, network: string | null): Promise<Passage>
  /** Whether the overall limit was first refused here, in this hour: time to tell somebody. */
  readonly hasTripped: boolean
}

/** The limits as they stand in the database, so that all processes share them. */
export async function openGate(
  trx: Transaction<Database>,
  clock: Clock,
  key: SigningKey,
  limits: SignUpLimits,
): Promise<Gate> {
  const perAddress = limits.perAddress.map((limit) =>
    limiter({ db: trx, clock }, `sign-up/address/${limit.seconds}`, limit),
  )
  const perNetwork = limiter({ db: trx, clock }, 'sign-up/network', limits.perNetwork)
  const overall = limiter({ db: trx, clock }, 'sign-up/overall', limits.overall)
  const full = new Set<string>()
  let isClosed = ((await overall.get('all'))?.consumedPoints ?? 0) > limits.overall.points
  let hasTripped = false

  /** Once refused, refused for as long as this gate is open: no need to ask again. */
  async function isFull(of: RateLimiterPostgres, who: string): Promise<boolean> {
    const name = of.getKey(who)
    if (!full.has(name) && !(await take(of, who))) full.add(name)
    return full.has(name)
  }

  return {
    async pass(address, network) {
      if (isClosed) return 'over the overall limit'
      const mailbox = keyed(key, mailboxOf(address))
      for (const one of perAddress) if (await isFull(one, mailbox)) return 'over the address limit'
      if (network !== null && (await isFull(perNetwork, keyed(key, network)))) return 'over the network limit'
      isClosed = hasTripped = !(await take(overall, 'all'))
      return isClosed ? 'over the overall limit' : 'passed'
    },
    get hasTripped() {
      return hasTripped
    },
  }
}

/** Forgets counts that are over. */
export async function forgetOldCounts({ db, clock }: Deps): Promise<void> {
  await db.deleteFrom('rate_limit').where('expire', '<', clock().epochMilliseconds).execute()
}

/** A limiter of the library on our own table, connection and clock. */
export function limiter(deps: Deps, keyPrefix: string, { points, seconds }: Limit): RateLimiterPostgres {
  return new RateLimiterPostgres({
    storeClient: asClient(deps),
    storeType: 'client',
    ...{ tableName: 'rate_limit', tableCreated: true, clearExpiredByTimeout: false },
    ...{ keyPrefix, points, duration: seconds },
  })
}

/** Takes a point; false when none is left. */
export async function take(of: RateLimiterPostgres, who: string): Promise<boolean> {
  return (await takeNext(of, who)) !== undefined
}

/** Takes a point and says the how manieth it is, to one taker each; undefined when none is left. */
export async function takeNext(of: RateLimiterPostgres, who: string): Promise<number | undefined> {
  try {
    return (await of.consume(who)).consumedPoints
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) return undefined
    throw refusal
  }
}

/**
 * As much of a `pg` client as the library uses. It reads the machine's clock itself, some time before it asks: the earliest
 * instant among its values (milliseconds; points and lengths are far smaller numbers) is its now, and all are moved to ours.
 */
function asClient({ db, clock }: Deps) {
  return {
    async query({ text, values }: { text: string; values: readonly unknown[] }) {
      const ahead = clock().epochMilliseconds - Math.min(...values.filter(isInstant))
      const ours = values.map((value) => (isInstant(value) ? value + ahead : value))
      const { rows } = await db.executeQuery(CompiledQuery.raw(text, ours))
      return { rows, rowCount: rows.length }
    },
  }
}

function isInstant(value: unknown): value is number {
  return typeof value === 'number' && value > 1e12
}

/** The mailbox that an address probably ends in: without a plus-tag, and at Gmail without dots. For counting only. */
function mailboxOf(address: string): string {
  const [local = '', domain = ''] = address.split('@')
  const untagged = local.replace(/\+.*$/, '')
  if (domain !== 'gmail.com' && domain !== 'googlemail.com') return `${untagged}@${domain}`
  return `${untagged.replaceAll('.', '')}@gmail.com`
}

function keyed(key: SigningKey, who: string): string {
  return createHmac('sha256', key.secret).update(`rate limit\n${who}`).digest('base64url')
}
