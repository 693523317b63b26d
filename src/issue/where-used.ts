import type { Kysely } from 'kysely'
import type { Database, IssueState } from '../../db/schema.ts'

/** An issue that a comparison is or was in, at which place and with which revision. */
export type Use = {
  readonly week: string
  readonly state: IssueState
  readonly timezone: string
  readonly dueAt: Temporal.Instant
  readonly position: number
  readonly revision: number
  /** False once the issue was cancelled: the comparison is free for another. */
  readonly counts: boolean
  /** Whether mail of it may have left. */
  readonly isOut: boolean
  readonly approvedBy: string | null
}

/** Where a comparison is used, the newest issue first. */
export async function whereUsed(db: Kysely<Database>, slug: string): Promise<readonly Use[]> {
  const rows = await db
    .selectFrom('issue_comparison as ic')
    .innerJoin('comparison as c', 'c.id', 'ic.comparison_id')
    .innerJoin('issue as i', 'i.id', 'ic.issue_id')
    .select(['i.week', 'i.state', 'i.timezone', 'i.due_at as dueAt', 'i.planned_at', 'i.approved_by'])
    .select(['i.approved_hash', 'i.edition_hash', 'ic.position', 'ic.revision', 'ic.counts'])
    .where('c.slug', '=', slug)
    .orderBy('i.week', 'desc')
    .execute()
  return rows.map(({ planned_at, approved_by, approved_hash, edition_hash, ...row }) => ({
    ...row,
    isOut: planned_at !== null,
    approvedBy: approved_hash !== null && approved_hash === edition_hash ? approved_by : null,
  }))
}
