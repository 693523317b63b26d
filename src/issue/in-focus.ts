import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Calendar } from '../clock.ts'
import { findIssue, type Issue, nextIssueWeek } from './issue.ts'
import type { Week } from './week.ts'

/** The issue that an editor should look at now; `issue` is undefined while its week has no row yet. */
export type InFocus = { readonly week: Week; readonly issue: Issue | undefined }

/** The issues whose time has come and that are not over: what is late, on its way, or waiting for somebody; oldest first. */
export function unfinishedIssues(db: Kysely<Database>, now: Temporal.Instant): Promise<readonly Issue[]> {
  return db
    .selectFrom('issue')
    .selectAll()
    .where('state', 'in', ['draft', 'approved', 'held', 'missed', 'sending', 'paused'])
    .where((eb) => eb.or([eb('due_at', '<=', now), eb('state', 'in', ['sending', 'paused'])]))
    .where((eb) => eb.or([eb('state', '<>', 'missed'), eb('edition_hash', 'is not', null)]))
    .orderBy('due_at')
    .execute()
}

/** The next issue to come. */
export async function comingIssue(
  db: Kysely<Database>,
  now: Temporal.Instant,
  calendar: Calendar,
): Promise<InFocus> {
  const week = await nextIssueWeek(db, now, calendar)
  return { week, issue: await findIssue(db, week.name) }
}
