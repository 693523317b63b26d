import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Calendar, Clock } from '../clock.ts'
import type { Issue } from './issue.ts'
import { weekAfter, weekBefore, weekOf } from './week.ts'

type Deps = { readonly clock: Clock; readonly calendar: Calendar }
type Other = { readonly week: string; readonly at: Temporal.Instant; readonly isOut: boolean }

/** The timetable keeps two issues this far apart (RELIABILITY 4.4). */
const apart = Temporal.Duration.from({ hours: 24 })

/** What to know before an issue goes out at an instant, for another one is close by or comes in between; undefined when none does. */
export async function whatIsNear(
  db: Kysely<Database>,
  deps: Deps,
  issue: Issue,
  due: Temporal.Instant,
): Promise<string | undefined> {
  const others = await othersAround(db, deps, issue, due)
  const close = others.find(({ at }) => Math.abs(at.until(due).total('hours')) < apart.hours)
  if (close) return closeWords(close, issue, due)
  const overtaken = others.find(({ week, at, isOut }) => {
    const isBefore = Temporal.Instant.compare(at, due) < 0
    return !isOut && (week < issue.week ? !isBefore : isBefore)
  })
  if (!overtaken) return undefined
  const { week, at } = overtaken
  const order = week < issue.week ? `${issue.week} would go out before ${week}` : `${week} goes out first`
  return `${order}: ${week} is due ${inWords(at, issue.timezone)}`
}

function closeWords({ week, at, isOut }: Other, issue: Issue, due: Temporal.Instant): string {
  const is = isOut ? 'went out' : 'is due'
  const first = isOut || Temporal.Instant.compare(at, due) <= 0 ? week : issue.week
  const later = first === week ? issue.week : week
  return (
    `${week} ${is} ${inWords(at, issue.timezone)}, less than a day from that. Two issues are never started within a day ` +
    `of each other: ${later} would wait until a day after ${first} has gone out`
  )
}

/** Other issues that went out or will, those of weeks that have no row yet included. */
async function othersAround(
  db: Kysely<Database>,
  { clock, calendar }: Deps,
  issue: Issue,
  due: Temporal.Instant,
): Promise<readonly Other[]> {
  const reach = { hours: 24 * 35 }
  const rows = await db
    .selectFrom('issue')
    .select(['week', 'state', 'due_at', 'planned_at'])
    .where('due_at', '>', clock().subtract(reach))
    .where('due_at', '<', due.add(reach))
    .execute()
  const known = new Set(rows.map(({ week }) => week))
  const here = weekOf(due, calendar)
  const toCome = [weekBefore(here, calendar), here, weekAfter(here, calendar)].filter(
    ({ name, dueAt }) => !known.has(name) && Temporal.Instant.compare(dueAt, clock()) > 0,
  )
  return [
    ...rows
      .filter(({ week }) => week !== issue.week)
      .filter(
        (row) => row.planned_at !== null || ['scheduled', 'draft', 'approved', 'held'].includes(row.state),
      )
      .map((row) => ({ week: row.week, at: row.planned_at ?? row.due_at, isOut: row.planned_at !== null })),
    ...toCome.map(({ name, dueAt }) => ({ week: name, at: dueAt, isOut: false })),
  ]
}

function inWords(at: Temporal.Instant, zone: string): string {
  const local = at.toZonedDateTimeISO(zone)
  const day = local.toPlainDate().toLocaleString('en-GB', { weekday: 'long', day: 'numeric', month: 'long' })
  return `${day.replace(',', '')}, ${local.toPlainTime().toString({ smallestUnit: 'minute' })}`
}
