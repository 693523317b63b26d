import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'

/** An issue as the archive lists it. */
export type SentIssue = {
  readonly id: number
  readonly week: string
  readonly subject: string
  readonly preheader: string
  readonly date: string
  readonly editionHash: string
}

/** The issues that have gone out, newest first. */
export async function sentIssues(db: Kysely<Database>, most: number): Promise<readonly SentIssue[]> {
  const rows = await sent(db).orderBy('i.week', 'desc').limit(most).execute()
  return rows.map(toSentIssue)
}

/** One issue that has gone out, or undefined. */
export async function sentIssue(db: Kysely<Database>, week: string): Promise<SentIssue | undefined> {
  const row = await sent(db).where('i.week', '=', week).executeTakeFirst()
  return row && toSentIssue(row)
}

function sent(db: Kysely<Database>) {
  return db
    .selectFrom('issue as i')
    .innerJoin('edition as e', 'e.hash', 'i.edition_hash')
    .select(['i.id', 'i.week', 'i.due_at', 'i.timezone', 'e.subject', 'e.preheader', 'e.hash'])
    .where('i.state', 'in', ['sending', 'paused', 'sent', 'partly sent'])
}

function toSentIssue(row: Awaited<ReturnType<ReturnType<typeof sent>['execute']>>[number]): SentIssue {
  const { id, week, subject, preheader, hash: editionHash } = row
  const date = row.due_at
    .toZonedDateTimeISO(row.timezone)
    .toPlainDate()
    .toLocaleString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' })
  return { id, week, subject, preheader, date, editionHash }
}
