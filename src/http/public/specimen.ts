import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import { type ComposedComparison, composeComparison } from '../../issue/compose.ts'
import { loadWithVotes } from '../../verdict/count-votes.ts'

/** What a stranger sees of the newsletter before giving an address: the newest issue's lead, and what else was in it. */
export type Specimen = { readonly lead: ComposedComparison; readonly others: readonly ComposedComparison[] }

/** The specimen of an issue that went out; undefined when its comparisons are gone. */
export async function specimenOf(
  db: Kysely<Database>,
  week: string,
  fewestVotes: number,
): Promise<Specimen | undefined> {
  const members = await db
    .selectFrom('issue_comparison as ic')
    .innerJoin('issue as i', 'i.id', 'ic.issue_id')
    .innerJoin('comparison as c', 'c.id', 'ic.comparison_id')
    .select('ic.comparison_id')
    .where('i.week', '=', week)
    .where('c.retracted_at', 'is', null)
    .orderBy('ic.position')
    .execute()
  const ids = members.map((member) => member.comparison_id)
  const comparisons = await loadWithVotes(db, ids, fewestVotes)
  const [lead, ...others] = comparisons.map(composeComparison)
  return lead && { lead, others }
}
