import type { Kysely } from 'kysely'
import type { Database, FeedbackState } from '../../db/schema.ts'

/** What came back of an issue: each delivery that was reported on counts once, at the state that outweighs the others. */
export type Feedback = {
  readonly counts: Readonly<Record<FeedbackState, number>>
  /** Of the mails that arrived, those whose reader called it spam; null while none arrived. */
  readonly complaintRatio: number | null
  /** Of the mails that were reported on to the end, those whose mailbox does not exist; null while there are none. */
  readonly hardBounceRatio: number | null
}

/** Where Resend may stop an account: a complaint per 1,250 mails that arrived, a bounce per 25 (RELIABILITY 1.4 and 2.1). */
export const alarmAt = { complaints: 0.0008, hardBounces: 0.04 } as const

/** An issue's feedback from its counts, which are kept with it: no delivery is read. */
export async function feedbackOf(db: Kysely<Database>, issueId: number): Promise<Feedback> {
  const row = await db
    .selectFrom('issue_feedback')
    .selectAll()
    .where('issue_id', '=', issueId)
    .executeTakeFirst()
  const counts = {
    ...{ delayed: row?.delayed ?? 0, delivered: row?.delivered ?? 0, failed: row?.failed ?? 0 },
    ...{ suppressed: row?.suppressed ?? 0, complained: row?.complained ?? 0 },
    ...{ 'bounced soft': row?.bounced_soft ?? 0, 'bounced hard': row?.bounced_hard ?? 0 },
  }
  const arrived = counts.delivered + counts.complained
  const ended = arrived + counts['bounced soft'] + counts['bounced hard']
  return {
    counts,
    complaintRatio: share(counts.complained, arrived),
    hardBounceRatio: share(counts['bounced hard'], ended),
  }
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole
}
