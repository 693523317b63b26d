import { type Calendar, instantOf, type WallTime } from '../clock.ts'

/** An ISO week, e.g. `2026-W47`, with the instants at which its issue is drafted and due. */
export type Week = {
  readonly name: string
  readonly zone: string
  readonly draftAt: Temporal.Instant
  readonly dueAt: Temporal.Instant
}

/** The ISO week that an instant falls in, on the newsletter's own calendar. */
export function weekOf(instant: Temporal.Instant, calendar: Calendar): Week {
  return weekFrom(mondayOf(instant.toZonedDateTimeISO(calendar.zone).toPlainDate()), calendar)
}

/** The week of a name such as `2026-W53`; undefined when it is no name or that year has no such week. */
export function weekNamed(name: string, calendar: Calendar): Week | undefined {
  const [, year, number] = /^(\d{4})-W(\d{2})$/.exec(name) ?? []
  if (!year || !number) return undefined
  const week = weekFrom(firstMonday(Number(year)).add({ weeks: Number(number) - 1 }), calendar)
  return week.name === name ? week : undefined
}

/** The week after. */
export function weekAfter(week: Week, calendar: Calendar): Week {
  return weekFrom(mondayNamed(week.name).add({ weeks: 1 }), calendar)
}

/** The week before. */
export function weekBefore(week: Week, calendar: Calendar): Week {
  return weekFrom(mondayNamed(week.name).subtract({ weeks: 1 }), calendar)
}

/** The first week whose issue is due after an instant. */
export function nextDueWeek(instant: Temporal.Instant, calendar: Calendar): Week {
  const week = weekOf(instant, calendar)
  return Temporal.Instant.compare(week.dueAt, instant) > 0 ? week : weekAfter(week, calendar)
}

function weekFrom(monday: Temporal.PlainDate, calendar: Calendar): Week {
  const due = on(monday, calendar.sendAt)
  const draftThisWeek = on(monday, calendar.draftAt)
  const isDraftLater = Temporal.PlainDateTime.compare(draftThisWeek, due) > 0
  const draft = isDraftLater ? draftThisWeek.subtract({ weeks: 1 }) : draftThisWeek
  return {
    name: weekName(monday),
    zone: calendar.zone,
    draftAt: instantOf(draft, calendar.zone),
    dueAt: instantOf(due, calendar.zone),
  }
}

function on(monday: Temporal.PlainDate, { weekday, hour, minute }: WallTime): Temporal.PlainDateTime {
  return monday.add({ days: weekday - 1 }).toPlainDateTime({ hour, minute })
}

/** From ISO year and ISO week: 2026-12-31 and 2027-01-03 are both `2026-W53`. */
function weekName(date: Temporal.PlainDate): string {
  return `${date.yearOfWeek}-W${String(date.weekOfYear).padStart(2, '0')}`
}

function mondayNamed(name: string): Temporal.PlainDate {
  return firstMonday(Number(name.slice(0, 4))).add({ weeks: Number(name.slice(6)) - 1 })
}

/** The Monday of week 1: the week that 4 January is in (ISO 8601). */
function firstMonday(year: number): Temporal.PlainDate {
  return mondayOf(new Temporal.PlainDate(year, 1, 4))
}

function mondayOf(date: Temporal.PlainDate): Temporal.PlainDate {
  return date.subtract({ days: date.dayOfWeek - 1 })
}
