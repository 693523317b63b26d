import { createHmac, randomBytes } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock }

/** Hashes what a click came from under the day's key, to a number that PostgreSQL takes for a bigint. */
export type Blur = (...parts: readonly string[]) => string

/**
 * The day's hash, shared by all processes through the database. The first of a day makes its key and throws the older
 * away: from then on nobody can tell whose the hashes were, or that two of different days were the same.
 */
export function dailyBlur(deps: Deps): () => Promise<Blur> {
  let today: { readonly day: string; readonly blur: Blur } | undefined
  return async () => {
    const day = dayOf(deps.clock())
    if (today?.day !== day) today = { day, blur: blurWith(await keyOf(deps, day)) }
    return today.blur
  }
}

/** Throws away the keys of days that are over. */
export async function forgetClickKeys({ db, clock }: Deps): Promise<void> {
  await db.deleteFrom('click_key').where('day', '<', dayOf(clock())).execute()
}

async function keyOf(deps: Deps, day: string): Promise<string> {
  await forgetClickKeys(deps)
  await deps.db
    .insertInto('click_key')
    .values({ day, key: randomBytes(32).toString('base64url') })
    .onConflict((oc) => oc.column('day').doNothing())
    .execute()
  const { key } = await deps.db
    .selectFrom('click_key')
    .select('key')
    .where('day', '=', day)
    .executeTakeFirstOrThrow()
  return key
}

function blurWith(key: string): Blur {
  return (...parts) => createHmac('sha256', key).update(parts.join('\n')).digest().readBigInt64BE().toString()
}

function dayOf(instant: Temporal.Instant): string {
  return instant.toZonedDateTimeISO('UTC').toPlainDate().toString()
}
