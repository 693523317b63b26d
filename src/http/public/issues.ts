import { type Kysely, sql } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import { searchTerms, searchWords } from '../../verdict/search-words.ts'

/** An issue as the archive lists it. */
export type SentIssue = {
  readonly id: number
  readonly week: string
  readonly subject: string
  readonly preheader: string
  readonly date: string
  readonly year: number
  /** How many comparisons were in it. */
  readonly size: number
  readonly sentAt: Temporal.Instant
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

/** Those of a list whose headline, or what stands under it, has every word that was typed. */
export function issuesWith(words: string, issues: readonly SentIssue[]): readonly SentIssue[] {
  const terms = searchTerms(words)
  return issues.filter(({ subject, preheader, date, week }) => {
    const said = searchWords(`${subject} ${preheader} ${date} ${week}`)
    return terms.length > 0 && terms.every((term) => said.some((word) => word.startsWith(term)))
  })
}

function sent(db: Kysely<Database>) {
  return db
    .selectFrom('issue as i')
    .innerJoin('edition as e', 'e.hash', 'i.edition_hash')
    .select(['i.id', 'i.week', 'i.due_at', 'i.timezone', 'e.subject', 'e.preheader', 'e.hash'])
    .select((eb) => eb.fn.coalesce('i.planned_at', 'i.due_at').as('sent_at'))
    .select(
      sql<number>`(select count(*)::int from issue_comparison ic where ic.issue_id = i.id and ic.counts)`.as(
        'size',
      ),
    )
    .where('i.state', 'in', ['sending', 'paused', 'sent', 'partly sent'])
}

function toSentIssue(row: Awaited<ReturnType<ReturnType<typeof sent>['execute']>>[number]): SentIssue {
  const { id, week, subject, preheader, size, sent_at: sentAt, hash: editionHash } = row
  const day = row.due_at.toZonedDateTimeISO(row.timezone).toPlainDate()
  const date = day.toLocaleString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' })
  return { id, week, subject, preheader, date, year: day.year, size, sentAt, editionHash }
}
