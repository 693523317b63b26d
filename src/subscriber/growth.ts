import { type Kysely, sql } from 'kysely'
import type { Database, DepartureReason, ListChange } from '../../db/schema.ts'
import type { Calendar } from '../clock.ts'
import { audienceNow } from './audience.ts'
import { type Changes, cameBy, listChanges } from './list-changes.ts'

/** The list over time, oldest first. `older`: the `before` of the rows before these; undefined when there are none. */
export type Growth = {
  readonly rows: readonly GrowthRow[]
  /** `total` is PostgreSQL's estimate: see `audienceNow`. */
  readonly isEstimate: boolean
  /** The job that counts has not come to today yet, so that there is nothing to show, or not all of it. */
  readonly isBehind: boolean
  readonly older: string | undefined
}

/** A day, or a week by its Monday (`2026-11-16`), in the newsletter's zone. */
export type GrowthRow = {
  readonly begins: string
  readonly changes: Readonly<Partial<Record<ListChange, number>>>
  readonly came: number
  readonly went: number
  readonly net: number
  /** How many were on the list at its end. */
  readonly total: number
}

type Asked = { readonly by: 'day' | 'week'; readonly most: number; readonly before?: string | undefined }

/** Reckons back from the list as it is now: whatever was never written down is in the oldest total. */
export async function growthOf(
  db: Kysely<Database>,
  now: Temporal.Instant,
  { zone }: Pick<Calendar, 'zone'>,
  { by, most, before }: Asked,
): Promise<Growth> {
  const { readers, isEstimate } = await audienceNow(db)
  const mark = await markOf(db)
  const isBehind = !mark || Temporal.Instant.compare(mark.add(longestLive), now) < 0
  if (!mark) return { rows: [], isEstimate, isBehind, older: undefined }

  const today = now.toZonedDateTimeISO(zone).toPlainDate()
  const newest = before ? Temporal.PlainDate.from(before) : beginOf(today, by).add({ [`${by}s`]: 1 })
  const first = newest.subtract({ [`${by}s`]: most })
  const live = isBehind ? [] : await listChanges(db, { from: mark, to: now.add({ seconds: 1 }), zone })
  const kept = await keptSince(db, first)
  const oldest = await oldestDay(db)
  const begins = steps(
    oldest && Temporal.PlainDate.compare(oldest, first) > 0 ? beginOf(oldest, by) : first,
    newest,
    by,
  )
  const after = netOf([...kept, ...live].filter(({ day }) => day >= newest.toString()))
  return {
    rows: rowsOf(begins, [...kept, ...live], by, readers - after),
    ...{ isEstimate, isBehind },
    older: oldest && Temporal.PlainDate.compare(oldest, first) < 0 ? first.toString() : undefined,
  }
}

/** Why readers said that they left, since an instant; of those who said anything. */
export async function departureReasons(
  db: Kysely<Database>,
  { from, to }: { from: Temporal.Instant; to: Temporal.Instant },
): Promise<readonly { readonly why: DepartureReason | null; readonly readers: number }[]> {
  return db
    .selectFrom('departure')
    .select(['why', sql<number>`count(*)::int`.as('readers')])
    .where('at', '>=', from)
    .where('at', '<', to)
    .groupBy('why')
    .orderBy('readers', 'desc')
    .orderBy('why')
    .execute()
}

/** What is not counted yet is read by index, unless it is longer ago than this: then the job is still at its first count. */
const longestLive = Temporal.Duration.from({ hours: 2 })

async function markOf(db: Kysely<Database>): Promise<Temporal.Instant | undefined> {
  const mark = await db.selectFrom('list_mark').select('counted_until').executeTakeFirst()
  return mark?.counted_until
}

async function oldestDay(db: Kysely<Database>): Promise<Temporal.PlainDate | undefined> {
  const { rows } = await sql<{ day: string | null }>`select min(day)::text as day from list_day`.execute(db)
  return rows[0]?.day ? Temporal.PlainDate.from(rows[0].day) : undefined
}

async function keptSince(db: Kysely<Database>, first: Temporal.PlainDate): Promise<readonly Changes[]> {
  const { rows } = await sql<Changes>`
    select day::text as day, what, readers from list_day where day >= ${first.toString()} order by day`.execute(
    db,
  )
  return rows
}

function rowsOf(
  begins: readonly string[],
  changes: readonly Changes[],
  by: Asked['by'],
  totalAtEnd: number,
): readonly GrowthRow[] {
  const grouped = Map.groupBy(changes, ({ day }) => beginOf(Temporal.PlainDate.from(day), by).toString())
  let total = totalAtEnd
  return begins
    .toReversed()
    .map((begin) => {
      const row = rowOf(begin, grouped.get(begin) ?? [], total)
      total -= row.net
      return row
    })
    .toReversed()
}

function rowOf(begins: string, changes: readonly Changes[], total: number): GrowthRow {
  const sums: Partial<Record<ListChange, number>> = {}
  for (const { what, readers } of changes) sums[what] = (sums[what] ?? 0) + readers
  const net = netOf(changes)
  const came = changes.filter(isComing).reduce((sum, { readers }) => sum + readers, 0)
  return { begins, changes: sums, came, went: came - net, net, total }
}

function netOf(changes: readonly Changes[]): number {
  return changes.reduce((sum, one) => sum + (isComing(one) ? one.readers : -one.readers), 0)
}

function isComing({ what }: Changes): boolean {
  return cameBy.some((one) => one === what)
}

/** The day itself, or the Monday of its week. */
function beginOf(day: Temporal.PlainDate, by: Asked['by']): Temporal.PlainDate {
  return by === 'day' ? day : day.subtract({ days: day.dayOfWeek - 1 })
}

function steps(from: Temporal.PlainDate, to: Temporal.PlainDate, by: Asked['by']): readonly string[] {
  const all: string[] = []
  for (let day = from; Temporal.PlainDate.compare(day, to) < 0; day = day.add({ [`${by}s`]: 1 }))
    all.push(day.toString())
  return all
}
