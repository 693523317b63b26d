import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Issue } from './issue.ts'

/** An approval that is of another edition than the one there is now; `byEdit` when an editor's correction took it away. */
export type LostApproval = {
  readonly approvedBy: string
  readonly byEdit: { readonly at: Temporal.Instant; readonly by: string } | undefined
}

/** Whose approval an issue has lost, and to which edit; undefined while it never had one, still has it, or is out. */
export async function lostApproval(db: Kysely<Database>, issue: Issue): Promise<LostApproval | undefined> {
  const { approved_hash, approved_at, approved_by, edition_hash, planned_at } = issue
  if (approved_hash === null || approved_at === null) return undefined
  if (edition_hash === null || approved_hash === edition_hash || planned_at !== null) return undefined
  const byEdit = await db
    .selectFrom('issue_edits')
    .select(['at', 'by'])
    .where('issue_id', '=', issue.id)
    .where('took_approval_of', 'is not', null)
    .where('at', '>=', approved_at)
    .orderBy('revision', 'desc')
    .limit(1)
    .executeTakeFirst()
  return { approvedBy: approved_by ?? '', byEdit }
}
