import type { Kysely, Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { instantOf } from '../clock.ts'
import { recordConsent } from './consent.ts'
import { orderWithClaims } from './order-with-claims.ts'

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock }

/** The pauses that are offered by name, as ISO 8601 durations. */
export const pauseLengths = ['P2W', 'P1M', 'P3M', 'P6M', 'P12M'] as const
export type PauseLength = (typeof pauseLengths)[number]

/** The day on which a pause is over, and the instant at which that day begins in the newsletter's zone. */
export type PauseEnd = { readonly day: Temporal.PlainDate; readonly at: Temporal.Instant }

/** The first and the last day until which one can pause: two weeks to a year from today. */
export function pauseRange(now: Temporal.Instant, zone: string) {
  const today = now.toZonedDateTimeISO(zone).toPlainDate()
  return { earliest: today.add({ weeks: 2 }), latest: today.add({ months: 12 }) }
}

/** When a pause ends that begins now. Undefined for a day out of range. */
export function pauseEnd(
  wish: PauseLength | Temporal.PlainDate,
  now: Temporal.Instant,
  zone: string,
): PauseEnd | undefined {
  const { earliest, latest } = pauseRange(now, zone)
  const day = typeof wish === 'string' ? now.toZonedDateTimeISO(zone).toPlainDate().add(wish) : wish
  const isOut = Temporal.PlainDate.compare(day, earliest) < 0 || Temporal.PlainDate.compare(day, latest) > 0
  return isOut ? undefined : { day, at: instantOf(day.toPlainDateTime(), zone) }
}

/** Pauses a reader, or moves the end of their pause. Returns false when they are not on the list. */
export async function pauseReader({ db, clock }: Deps, publicId: string, end: PauseEnd): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const reader = await trx
      .selectFrom('subscriber')
      .select(['id', 'paused_until'])
      .where('public_id', '=', publicId)
      .where('status', 'in', ['confirmed', 'paused'])
      .forNoKeyUpdate()
      .executeTakeFirst()
    if (!reader) return false
    if (reader.paused_until?.equals(end.at)) return true

    await orderWithClaims(trx, [reader.id])
    const at = clock()
    await trx
      .updateTable('subscriber')
      .set({ status: 'paused', paused_until: end.at })
      .where('id', '=', reader.id)
      .execute()
    const detail = `until ${end.day}`
    await recordConsent(trx, { subscriberId: reader.id, kind: 'paused', at, method: 'page', detail })
    return true
  })
}

/** Ends a reader's pause now. Returns false when they are not on the list. */
export async function resumeReader({ db, clock }: Deps, publicId: string): Promise<boolean> {
  const ended = await db.transaction().execute((trx) => endPause(trx, clock, publicId, 'page'))
  return ended !== 'not on the list'
}

/** The same within a transaction that records more than that; `not paused`: nothing was changed. */
export async function endPause(
  trx: Transaction<Database>,
  clock: Clock,
  publicId: string,
  method: 'page' | 'editor',
): Promise<'resumed' | 'not paused' | 'not on the list'> {
  const reader = await trx
    .selectFrom('subscriber')
    .select(['id', 'status'])
    .where('public_id', '=', publicId)
    .where('status', 'in', ['confirmed', 'paused'])
    .forNoKeyUpdate()
    .executeTakeFirst()
  if (!reader) return 'not on the list'
  if (reader.status === 'confirmed') return 'not paused'

  await trx
    .updateTable('subscriber')
    .set({ status: 'confirmed', paused_until: null })
    .where('id', '=', reader.id)
    .execute()
  await recordConsent(trx, { subscriberId: reader.id, kind: 'resumed', at: clock(), method })
  return 'resumed'
}
