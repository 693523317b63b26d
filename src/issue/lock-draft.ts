import type { Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { type Issue, lockIssue } from './issue.ts'

/** The issue that a comparison is in and of which nothing was sent yet, its row locked: before the comparison's own, as drafting does. */
export async function lockDraftWith(trx: Transaction<Database>, slug: string): Promise<Issue | undefined> {
  const found = await trx
    .selectFrom('issue_comparison as ic')
    .innerJoin('comparison as c', 'c.id', 'ic.comparison_id')
    .innerJoin('issue as i', 'i.id', 'ic.issue_id')
    .select('i.week')
    .where('c.slug', '=', slug)
    .where('ic.counts', '=', true)
    .where('i.planned_at', 'is', null)
    .executeTakeFirst()
  const issue = found && (await lockIssue(trx, found.week))
  return issue?.planned_at === null && issue.edition_hash !== null ? issue : undefined
}
