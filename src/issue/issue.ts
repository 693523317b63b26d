import type { Kysely, Selectable, Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Calendar } from '../clock.ts'
import { nextDueWeek, type Week, weekAfter } from './week.ts'

/** An issue's row: one ISO week, one issue. */
export type Issue = Selectable<Database['issue']>

/** The issue of a week, or undefined when nobody has asked for that week yet. */
export function findIssue(db: Kysely<Database>, week: string): Promise<Issue | undefined> {
  return db.selectFrom('issue').selectAll().where('week', '=', week).executeTakeFirst()
}

/** The issue of a week with its row locked until the transaction ends. */
export function lockIssue(trx: Transaction<Database>, week: string): Promise<Issue | undefined> {
  return trx.selectFrom('issue').selectAll().where('week', '=', week).forUpdate().executeTakeFirst()
}

/** Makes sure that the week has its one row. Its instants are computed here, stored, and never computed again. */
export async function ensureIssue(db: Kysely<Database>, week: Week): Promise<void> {
  await db
    .insertInto('issue')
    .values({
      week: week.name,
      state: 'scheduled',
      timezone: week.zone,
      draft_at: week.draftAt,
      due_at: week.dueAt,
    })
    .onConflict((oc) => oc.column('week').doNothing())
    .execute()
}

/** The next week with an issue to come: due after now, whatever time it was given, and not out or dropped already. */
export async function nextIssueWeek(
  db: Kysely<Database>,
  now: Temporal.Instant,
  calendar: Calendar,
): Promise<Week> {
  const byCalendar = await nextByCalendar(db, now, calendar)
  const coming = await db
    .selectFrom('issue')
    .selectAll()
    .where('state', 'in', ['scheduled', 'draft', 'approved', 'held', 'quiet'])
    .where('due_at', '>', now)
    .orderBy('due_at')
    .limit(1)
    .executeTakeFirst()
  const isSooner = coming && Temporal.Instant.compare(coming.due_at, byCalendar.dueAt) < 0
  return isSooner ? weekOfIssue(coming) : byCalendar
}

async function nextByCalendar(
  db: Kysely<Database>,
  now: Temporal.Instant,
  calendar: Calendar,
): Promise<Week> {
  const week = nextDueWeek(now, calendar)
  const issue = await findIssue(db, week.name)
  if (!issue) return week
  const isPast = Temporal.Instant.compare(issue.due_at, now) <= 0
  const isOver = isPast || issue.planned_at !== null || issue.state === 'cancelled'
  return isOver ? weekAfter(week, calendar) : weekOfIssue(issue)
}

/** The week as its row has it, with the instants that were stored. */
export function weekOfIssue(issue: Issue): Week {
  return { name: issue.week, zone: issue.timezone, draftAt: issue.draft_at, dueAt: issue.due_at }
}
