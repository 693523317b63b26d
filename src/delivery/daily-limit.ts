import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'

/**
 * How many mails may leave in a day of UTC. A new domain warms up: its first days with mail have limits of their own, in
 * order; after them the daily quota holds, or none.
 */
export type DailyLimit = {
  readonly warmUp: readonly number[]
  readonly quota: number | undefined
}

/** The smallest number that any day may have: no batch is larger, or it could wait for ever. */
export function smallestDay({ warmUp, quota }: DailyLimit): number {
  return Math.min(...warmUp, quota ?? Number.POSITIVE_INFINITY)
}

/** Counts mails towards their day. Returns false when that has no room left for them. */
export async function takeFromDay(
  trx: Transaction<Database>,
  limit: DailyLimit,
  mails: number,
  now: Temporal.Instant,
): Promise<boolean> {
  const today = now.toZonedDateTimeISO('UTC').toPlainDate()
  const allowed = await allowedOn(trx, limit, today)
  if (allowed === undefined) return true
  const { rows } = await sql`
    insert into mails_of_day as m (day, mails) values (${today.toString()}, ${mails})
    on conflict (day) do update set mails = m.mails + excluded.mails
     where m.mails = 0 or m.mails + excluded.mails <= ${allowed}
    returning day`.execute(trx)
  return rows.length > 0
}

/** Gives back what was counted for mails that were refused: the halves of their batch are counted when they go. */
export async function giveBackToDay(
  trx: Transaction<Database>,
  mails: number,
  claimedAt: Temporal.Instant,
): Promise<void> {
  const day = claimedAt.toZonedDateTimeISO('UTC').toPlainDate().toString()
  await sql`update mails_of_day set mails = greatest(0, mails - ${mails}) where day = ${day}`.execute(trx)
}

/** What is left of the day's mails; undefined where there is no limit. */
export async function leftToday(
  db: Kysely<Database>,
  limit: DailyLimit,
  now: Temporal.Instant,
): Promise<number | undefined> {
  const today = now.toZonedDateTimeISO('UTC').toPlainDate()
  const allowed = await allowedOn(db, limit, today)
  if (allowed === undefined) return undefined
  const { rows } = await sql<{ mails: number }>`
    select mails from mails_of_day where day = ${today.toString()}`.execute(db)
  return Math.max(0, allowed - (rows[0]?.mails ?? 0))
}

/** The first instant of the next day of UTC. */
export function nextDay(now: Temporal.Instant): Temporal.Instant {
  return now.toZonedDateTimeISO('UTC').toPlainDate().add({ days: 1 }).toZonedDateTime('UTC').toInstant()
}

async function allowedOn(
  db: Kysely<Database>,
  { warmUp, quota }: DailyLimit,
  day: Temporal.PlainDate,
): Promise<number | undefined> {
  if (warmUp.length === 0) return quota
  const { rows } = await sql<{ before: number }>`
    select count(*)::int as before from mails_of_day where day < ${day.toString()} and mails > 0`.execute(db)
  const step = warmUp[rows[0]?.before ?? 0]
  return step === undefined ? quota : Math.min(step, quota ?? step)
}
