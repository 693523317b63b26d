import { type Kysely, type Selectable, sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { recordConsent } from './consent.ts'
import { type FollowWish, findWish, isNews, type KnownWish } from './follow-wish.ts'
import { postLetter } from './letter.ts'
import {
  forgetOldCounts,
  type Gate,
  openGate,
  type Passage,
  type SignUpLimits,
  signUpLimits,
  turnstile,
} from './sign-up-limits.ts'
import { suppressedAmong } from './suppressed.ts'
import type { SigningKey } from './token.ts'

/** A hint that nobody real filled the form in. None of them decides anything alone. */
export type Signal = 'trap filled' | 'too fast' | 'no stamp'

/** What a form or a program sent, before anybody looks at whose address it is. `network` is a /24 or /64. */
export type SignUp = {
  readonly address: string
  readonly at: Temporal.Instant
  readonly network: string
  readonly formUrl: string
  /** The version of the words that were shown. */
  readonly wording: string
  readonly method: 'form' | 'embedded form' | 'json'
  readonly signals: readonly Signal[]
  /** What is to be followed with it; whether there is such a thing was seen at the door. */
  readonly wish?: FollowWish | undefined
}

/** Writes sign-ups down in one statement, whatever the addresses: the answer to the reader must not depend on them. */
export async function recordSignUps(db: Kysely<Database>, batch: readonly SignUp[]): Promise<void> {
  await sql`
    insert into sign_up (address, at, network, form_url, wording, method, signals,
                         follow_tool, follow_category, follow_cadence)
    select address, at, network, "formUrl", wording, method, signals,
           wish ->> 'tool', wish ->> 'category', wish ->> 'cadence'
      from jsonb_to_recordset(${JSON.stringify(batch)}::jsonb)
        as s (address text, at timestamptz, network text, "formUrl" text, wording text, method text, signals text[],
              wish jsonb)
  `.execute(db)
}

export type TakeInDeps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly log: Log
  readonly keys: readonly SigningKey[]
  readonly limits?: SignUpLimits
}

/** What became of a sign-up. Only `posted` leads to a mail. */
export type Fate = 'posted' | 'on the list' | 'suppressed' | 'trapped' | Exclude<Passage, 'passed'>

type Waiting = Selectable<Database['sign_up']>
type Reader = Pick<Selectable<Database['subscriber']>, 'id' | 'address' | 'status' | 'cadence'>

const batchSize = 100
/** How long the link in a confirmation letter holds. */
export const proofLife = Temporal.Duration.from({ hours: 72 })

/**
 * Takes the sign-ups that wait, oldest first, and returns how many met which fate. Each transaction takes some, one
 * process at a time, so that the limits are counted once.
 */
export async function takeInSignUps(
  deps: TakeInDeps,
  stop?: AbortSignal,
): Promise<Partial<Record<Fate, number>>> {
  const fates: Partial<Record<Fate, number>> = {}
  while (!stop?.aborted) {
    const batch = await deps.db.transaction().execute((trx) => takeInBatch(deps, trx))
    for (const fate of batch.fates) fates[fate] = (fates[fate] ?? 0) + 1
    if (batch.hasTripped) {
      const { points, seconds } = (deps.limits ?? signUpLimits).overall
      deps.log.warn(
        { most: points, seconds },
        'sign-ups are over the overall limit: no further mail until it ends',
      )
    }
    if (batch.fates.length < batchSize) break
  }
  if (fates.posted) await forgetOldCounts(deps)
  if (Object.keys(fates).length > 0) deps.log.info({ fates }, 'sign-ups')
  return fates
}

/** Whether a sign-up waits. */
export async function hasSignUps({ db }: Pick<TakeInDeps, 'db'>): Promise<boolean> {
  return (await db.selectFrom('sign_up').select('id').limit(1).executeTakeFirst()) !== undefined
}

async function takeInBatch(
  deps: TakeInDeps,
  trx: Transaction<Database>,
): Promise<{ fates: readonly Fate[]; hasTripped: boolean }> {
  const [key] = deps.keys
  if (!key) throw new Error('There is no signing key')
  await sql`select pg_advisory_xact_lock(${turnstile})`.execute(trx)
  const waiting = await trx.selectFrom('sign_up').selectAll().orderBy('id').limit(batchSize).execute()
  if (waiting.length === 0) return { fates: [], hasTripped: false }

  const addresses = [...new Set(waiting.map(({ address }) => address))]
  const known = {
    readers: await readersAt(trx, addresses),
    suppressed: await suppressedAmong(trx, deps.keys, addresses),
    gate: await openGate(trx, deps.clock, key, deps.limits ?? signUpLimits),
  }
  const fates: Fate[] = []
  for (const signUp of waiting) fates.push(await takeIn(deps, trx, known, signUp))
  const ids = waiting.map(({ id }) => id)
  await trx.deleteFrom('sign_up').where('id', 'in', ids).execute()
  return { fates, hasTripped: known.gate.hasTripped }
}

type Known = {
  readonly readers: Map<string, Reader>
  readonly suppressed: ReadonlySet<string>
  readonly gate: Gate
}

/**
 * Who is on the list stays on it and gets no mail, so that nobody can be bothered by somebody else's typing; but for a
 * letter that asks whether to follow what was to be followed. Who left stays out until they confirm. Who was erased may
 * come back; who bounced or complained may not.
 */
async function takeIn(
  deps: TakeInDeps,
  trx: Transaction<Database>,
  { readers, suppressed, gate }: Known,
  signUp: Waiting,
): Promise<Fate> {
  const { address, network } = signUp
  if (isTrapped(signUp)) return 'trapped'
  if (suppressed.has(address)) return 'suppressed'
  const wish = await wishOf(deps, trx, signUp)
  const known = readers.get(address)
  if (known?.status === 'confirmed' || known?.status === 'paused')
    return wish ? askToFollow(deps, trx, gate, { reader: known, address, network, wish }) : 'on the list'

  const passage = await gate.pass(address, network)
  if (passage !== 'passed') return passage
  const reader = known ?? (await addPending(trx, signUp))
  if (!reader) return 'on the list'

  readers.set(address, reader)
  await recordConsent(trx, {
    ...{ subscriberId: reader.id, kind: 'signed up', at: signUp.at, method: signUp.method },
    ...{ wording: signUp.wording, formUrl: signUp.form_url, network: wider(network) },
  })
  const proof = { purpose: 'confirm', lifetime: proofLife } as const
  await postLetter(trx, deps, { subscriberId: reader.id, kind: 'confirm', wish, proof })
  return 'posted'
}

/** Counts like a confirmation letter. Nothing is asked that would change nothing. */
async function askToFollow(
  deps: TakeInDeps,
  trx: Transaction<Database>,
  gate: Gate,
  { reader, address, network, wish }: { reader: Reader; address: string; network: string; wish: KnownWish },
): Promise<Fate> {
  if (!(await isNews(trx, reader, wish))) return 'on the list'
  const passage = await gate.pass(address, network)
  if (passage !== 'passed') return passage
  const proof = { purpose: 'follow', lifetime: proofLife } as const
  await postLetter(trx, deps, { subscriberId: reader.id, kind: 'follow', wish, proof })
  return 'posted'
}

/** What is to be followed as our tables have it now; undefined where nothing is, or it went away since the door. */
async function wishOf(
  { clock }: TakeInDeps,
  trx: Transaction<Database>,
  { follow_tool: tool, follow_category: category, follow_cadence: cadence }: Waiting,
): Promise<KnownWish | undefined> {
  if (cadence === null) return undefined
  if (tool !== null) return findWish(trx, { tool, cadence }, clock())
  return category === null ? undefined : findWish(trx, { category, cadence }, clock())
}

/** A filled trap alone may be a helpful browser, and haste alone a helpful password manager. */
function isTrapped({ signals }: Waiting): boolean {
  return signals.includes('trap filled') && (signals.includes('too fast') || signals.includes('no stamp'))
}

/** Undefined when somebody was added under that address just now, by another way. */
function addPending(trx: Transaction<Database>, { address, at }: Waiting): Promise<Reader | undefined> {
  return trx
    .insertInto('subscriber')
    .values({ address, status: 'pending', created_at: at })
    .onConflict((oc) => oc.column('address').doNothing())
    .returning(['id', 'address', 'status', 'cadence'])
    .executeTakeFirst()
}

async function readersAt(
  trx: Transaction<Database>,
  addresses: readonly string[],
): Promise<Map<string, Reader>> {
  const rows = await trx
    .selectFrom('subscriber')
    .select(['id', 'address', 'status', 'cadence'])
    .where('address', 'in', addresses)
    .execute()
  return new Map(rows.map((row) => [row.address ?? '', row]))
}

/** The network as the consent record keeps it for good: of IPv6 only the /48, which is a site and not a household. */
function wider(network: string): string {
  const groups = /^([\da-f]+:[\da-f]+:[\da-f]+):[\da-f]+::\/64$/.exec(network)
  return groups ? `${groups[1]}::/48` : network
}
