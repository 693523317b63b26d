import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { loadAtRevision } from './at-revision.ts'
import { type Change, changesBetween } from './changes.ts'
import { factsIn } from './facts.ts'

/** What changed in a comparison, and when. */
export type DatedChange = Change & { readonly at: Temporal.Instant }

/** No more of a comparison's past than this many turns of its verdicts or prices. */
const most = 20

/** What a comparison told its readers otherwise before, newest first. What nobody was ever shown does not count. */
export async function listChanges(
  db: Kysely<Database>,
  comparisonId: number,
  now: Temporal.Instant,
): Promise<readonly DatedChange[]> {
  const turns = await turningRevisions(db, comparisonId, now)
  const comparisons = await loadAtRevision(
    db,
    turns.map(({ revision }) => ({ comparison_id: comparisonId, revision })),
  )
  return (comparisons ?? []).flatMap((after, index) => {
    const [before, turn] = [comparisons?.[index + 1], turns[index]]
    if (!before || !turn) return []
    return changesBetween(before, after).map((change) => ({ ...change, at: turn.revised_at }))
  })
}

/**
 * The revisions that visitors could see and whose verdicts, prices or tools are not those of the one seen before, newest
 * first. Looked for here, because a site that counts votes publishes a revision for each count.
 */
async function turningRevisions(db: Kysely<Database>, comparisonId: number, now: Temporal.Instant) {
  const { rows } = await sql<{ revision: number; revised_at: Temporal.Instant }>`
    with told as (
      select revision, revised_at, document,
             coalesce(lead(revised_at) over (order by revision), ${now}::timestamptz) as until
        from comparison_revision where comparison_id = ${comparisonId}
    ), facts as (
      select revision, revised_at, ${factsIn(sql`document`)} as said
        from told
       where document -> 'retracted' is distinct from 'true'::jsonb
         and (document ->> 'publishedAt')::timestamptz <= until
    ), turns as (
      select revision, revised_at, said, lag(said) over (order by revision) as before from facts
    )
    select revision, revised_at from turns
     where said is distinct from before order by revision desc limit ${most}`.execute(db)
  return rows
}
