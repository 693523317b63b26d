import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { CommunityCount, Comparison, StoredComparison, Tool } from './comparison.ts'
import { loadComparisons } from './load.ts'
import { fewestVotes } from './vote.ts'

/** Readers' votes by the slug of the tool, and how many make a result. */
export type Votes = {
  readonly on: ReadonlyMap<string, CommunityCount>
  readonly least: number
}

/** What is known where nobody has voted. */
export const noVotes: Votes = { on: new Map(), least: fewestVotes }

/** The comparisons with these ids, in their order, with the votes that readers have cast up to now. */
export async function loadWithVotes(
  db: Kysely<Database>,
  ids: readonly number[],
  least: number = fewestVotes,
): Promise<readonly StoredComparison[]> {
  const comparisons = await loadComparisons(db, ids)
  const slugs = comparisons.flatMap(({ tools }) => tools.map(({ slug }) => slug))
  const votes = await countVotes(db, slugs, least)
  return comparisons.map((comparison) => withVotes(comparison, votes))
}

/** The votes on tools as they are now. */
export async function countVotes(
  db: Kysely<Database>,
  slugs: readonly string[],
  least: number = fewestVotes,
): Promise<Votes> {
  if (slugs.length === 0) return { on: new Map(), least }
  const rows = await db
    .selectFrom('vote_tally as v')
    .innerJoin('tool as t', 't.id', 'v.tool_id')
    .select(['t.slug', 'v.ship', 'v.skip', 'v.set_aside as setAside'])
    .where('t.slug', 'in', slugs)
    .execute()
  return { on: new Map(rows.map(({ slug, ...count }) => [slug, count])), least }
}

/** A comparison with readers' votes added to those that its document brought. */
export function withVotes<C extends Comparison>(comparison: C, votes: Votes): C {
  const [first, second] = comparison.tools
  return { ...comparison, tools: [added(first, votes), added(second, votes)] }
}

function added(tool: Tool, { on, least }: Votes): Tool {
  const [brought, cast] = [tool.community, on.get(tool.slug)]
  const ship = (brought?.ship ?? 0) + (cast?.ship ?? 0)
  const skip = (brought?.skip ?? 0) + (cast?.skip ?? 0)
  const setAside = cast?.setAside ?? 0
  return {
    ...tool,
    community: { ship, skip, ...(least !== fewestVotes && { least }), ...(setAside > 0 && { setAside }) },
  }
}
