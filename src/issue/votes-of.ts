import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { loadWithVotes } from '../verdict/count-votes.ts'
import { panelVerdict } from '../verdict/panel.ts'
import { communityVote } from '../verdict/vote.ts'

/** How readers vote on a tool of an issue, beside the panel, as stored now. Shares are of who ships it, 0 to 100. */
export type ToolVotes = {
  readonly slug: string
  readonly title: string
  readonly name: string
  readonly ship: number
  readonly skip: number
  /** Null while too few voted to say. */
  readonly percent: number | null
  readonly panel: number
  /** Readers less panel, in percentage points; null while there is no result. */
  readonly gap: number | null
  /** Votes that the editors set aside; in none of the counts. */
  readonly setAside: number
}

/** The votes on each tool of an issue, in the order of its comparisons; `least` of them make a result. */
export async function votesOf(
  db: Kysely<Database>,
  issueId: number,
  least: number,
): Promise<readonly ToolVotes[]> {
  const members = await db
    .selectFrom('issue_comparison')
    .select('comparison_id')
    .where('issue_id', '=', issueId)
    .orderBy('position')
    .execute()
  const ids = members.map(({ comparison_id }) => comparison_id)
  const comparisons = await loadWithVotes(db, ids, least)
  return comparisons.flatMap(({ slug, title, tools }) =>
    tools.map((tool): ToolVotes => {
      const [percent, panel] = [communityVote(tool)?.percent ?? null, panelVerdict(tool).percent]
      const { ship = 0, skip = 0, setAside = 0 } = tool.community ?? {}
      const gap = percent === null ? null : percent - panel
      return { slug, title, name: tool.name, ship, skip, percent, panel, gap, setAside }
    }),
  )
}
