import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { type ToolVotes, votesOf } from '../issue/votes-of.ts'

/** The tools of the newest issue that went out, in its order; undefined when none has. */
export async function standingOfLatest(
  db: Kysely<Database>,
  least: number,
): Promise<{ readonly week: string; readonly tools: readonly ToolVotes[] } | undefined> {
  const issue = await db
    .selectFrom('issue')
    .select(['id', 'week'])
    .where('planned_at', 'is not', null)
    .orderBy('week', 'desc')
    .limit(1)
    .executeTakeFirst()
  return issue && { week: issue.week, tools: await votesOf(db, issue.id, least) }
}

/** The tools on which readers are furthest from the panel, furthest first, where there is a result at all. */
export function furthestFromPanel(tools: readonly ToolVotes[], most: number): readonly ToolVotes[] {
  return tools
    .filter(({ gap }) => gap !== null && gap !== 0)
    .toSorted((a, b) => Math.abs(b.gap ?? 0) - Math.abs(a.gap ?? 0))
    .slice(0, most)
}
