import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { loadWithVotes } from '../verdict/count-votes.ts'
import { panelVerdict } from '../verdict/panel.ts'
import { communityVote } from '../verdict/vote.ts'

/** How readers vote on a tool of an issue, beside the panel. Percent is who ships it. */
export type ToolStanding = {
  readonly slug: string
  readonly name: string
  readonly title: string
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

/** The tools of the newest issue that went out, in its order; undefined when none has. */
export async function standingOfLatest(
  db: Kysely<Database>,
  least: number,
): Promise<{ readonly week: string; readonly tools: readonly ToolStanding[] } | undefined> {
  const issue = await db
    .selectFrom('issue')
    .select(['id', 'week'])
    .where('planned_at', 'is not', null)
    .orderBy('week', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (!issue) return undefined
  const members = await db
    .selectFrom('issue_comparison')
    .select('comparison_id')
    .where('issue_id', '=', issue.id)
    .orderBy('position')
    .execute()
  const ids = members.map(({ comparison_id }) => comparison_id)
  const comparisons = await loadWithVotes(db, ids, least)
  const tools = comparisons.flatMap(({ slug, title, tools: both }) =>
    both.map((tool): ToolStanding => {
      const [percent, panel] = [communityVote(tool)?.percent ?? null, panelVerdict(tool).percent]
      const { ship = 0, skip = 0, setAside = 0 } = tool.community ?? {}
      const gap = percent === null ? null : percent - panel
      return { ...{ slug, name: tool.name, title, ship, skip }, percent, panel, gap, setAside }
    }),
  )
  return { week: issue.week, tools }
}

/** The tools on which readers are furthest from the panel, furthest first, where there is a result at all. */
export function furthestFromPanel(tools: readonly ToolStanding[], most: number): readonly ToolStanding[] {
  return tools
    .filter(({ gap }) => gap !== null && gap !== 0)
    .toSorted((a, b) => Math.abs(b.gap ?? 0) - Math.abs(a.gap ?? 0))
    .slice(0, most)
}
