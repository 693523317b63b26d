import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Calendar, Clock } from '../clock.ts'
import { type Changes, listChanges } from './list-changes.ts'

type Deps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly calendar: Pick<Calendar, 'zone'>
}

/** What commits later than this is missed at first, and counted when its day is settled. */
const lag = Temporal.Duration.from({ minutes: 2 })
/** So long after its end a day is counted once more, for good. */
const settling = Temporal.Duration.from({ hours: 6 })

/**
 * Counts who came and went by day, up to two minutes ago. No reader waits for it: it only reads what their transactions
 * left, from where it stopped last. A day that is over is counted from its beginning once more, so that nothing which
 * committed late is lost; the first time, one day after another from the oldest. Any number of processes may do it.
 */
export async function rollUpList(deps: Deps, stop?: AbortSignal): Promise<void> {
  if (!(await ensureMark(deps))) return
  while (!stop?.aborted) {
    const isSettled = await deps.db.transaction().execute((trx) => settleNextDay(trx, deps))
    if (!isSettled) break
  }
  if (!stop?.aborted) await deps.db.transaction().execute((trx) => countOn(trx, deps))
}

type Mark = { readonly settled: string; readonly counted_until: Temporal.Instant }

/** Begins with the day of the first thing that there is to count; false while there is none. */
async function ensureMark({ db, calendar }: Deps): Promise<boolean> {
  const { rows } = await sql<{ is_marked: boolean; first: Temporal.Instant | null }>`
    select exists (select from list_mark) as is_marked,
           least((select min(at) from consent_event), (select min(since) from suppression)) as first`.execute(
    db,
  )
  const [found] = rows
  if (!found || found.is_marked) return found !== undefined
  if (!found.first) return false
  const day = found.first.toZonedDateTimeISO(calendar.zone).startOfDay()
  await db
    .insertInto('list_mark')
    .values({ settled: day.toPlainDate().subtract({ days: 1 }).toString(), counted_until: day.toInstant() })
    .onConflict((oc) => oc.doNothing())
    .execute()
  return true
}

async function lockMark(trx: Transaction<Database>): Promise<Mark | undefined> {
  const { rows } = await sql<Mark>`
    select settled::text as settled, counted_until from list_mark for update skip locked`.execute(trx)
  return rows[0]
}

async function settleNextDay(
  trx: Transaction<Database>,
  { clock, calendar: { zone } }: Deps,
): Promise<boolean> {
  const mark = await lockMark(trx)
  if (!mark) return false
  const day = Temporal.PlainDate.from(mark.settled).add({ days: 1 })
  const from = day.toZonedDateTime(zone).toInstant()
  const to = day.add({ days: 1 }).toZonedDateTime(zone).toInstant()
  if (Temporal.Instant.compare(to.add(settling), clock()) > 0) return false

  await trx.deleteFrom('list_day').where('day', '=', day.toString()).execute()
  await add(trx, await listChanges(trx, { from, to, zone }))
  await sql`
    update list_mark set settled = ${day.toString()}, counted_until = greatest(counted_until, ${to}::timestamptz)`.execute(
    trx,
  )
  return true
}

async function countOn(trx: Transaction<Database>, { clock, calendar: { zone } }: Deps): Promise<void> {
  const mark = await lockMark(trx)
  const to = clock().subtract(lag)
  if (!mark || Temporal.Instant.compare(to, mark.counted_until) <= 0) return
  await add(trx, await listChanges(trx, { from: mark.counted_until, to, zone }))
  await trx.updateTable('list_mark').set({ counted_until: to }).execute()
}

async function add(trx: Transaction<Database>, changes: readonly Changes[]): Promise<void> {
  if (changes.length === 0) return
  await trx
    .insertInto('list_day')
    .values([...changes])
    .onConflict((oc) =>
      oc
        .columns(['day', 'what'])
        .doUpdateSet((eb) => ({ readers: eb('list_day.readers', '+', eb.ref('excluded.readers')) })),
    )
    .execute()
}
