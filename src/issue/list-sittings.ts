import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { type LoggedDecision, listDecisions } from './list-decisions.ts'

/** A decision; or the saves of one editor in one sitting, which autosave makes many of, as the last of them with the first and their count. */
export type Sitting = LoggedDecision & { readonly first: LoggedDecision; readonly count: number }

/** No page reads more than this many decisions, however many there are in a sitting; one that is longer goes on on the next page. */
const mostRead = 2000

/** As `listDecisions`, with the saves of a sitting taken together. Where there are more, they come before `first.id` of the last. */
export async function listSittings(
  db: Kysely<Database>,
  { before, issueId, most }: { before?: number | undefined; issueId?: number; most: number },
): Promise<{ readonly sittings: readonly Sitting[]; readonly hasMore: boolean }> {
  const sittings: Sitting[] = []
  for (let read = 0, from = before; read < mostRead; ) {
    const page = { before: from, most: most * 4, ...(issueId !== undefined && { issueId }) }
    const decisions = await listDecisions(db, page)
    for (const one of decisions) {
      const last = sittings.at(-1)
      if (last && isOfOneSitting(last.first, one))
        sittings.splice(-1, 1, { ...last, first: one, count: last.count + 1 })
      else if (sittings.length === most) return { sittings, hasMore: true }
      else sittings.push({ ...one, first: one, count: 1 })
    }
    if (decisions.length < page.most) return { sittings, hasMore: false }
    read += decisions.length
    from = decisions.at(-1)?.id
  }
  return { sittings, hasMore: true }
}

/** Both saves of one editor in one issue, less than an hour apart, of which neither undid anything or took an approval away. */
function isOfOneSitting(later: LoggedDecision, earlier: LoggedDecision): boolean {
  return (
    [later, earlier].every(({ what, evidence }) => what === 'edit' && evidence.how === 'edit') &&
    later.by === earlier.by &&
    later.week === earlier.week &&
    later.evidence.approval === earlier.evidence.approval &&
    later.evidence.approval !== 'taken away' &&
    earlier.at.until(later.at).total('hours') < 1
  )
}
