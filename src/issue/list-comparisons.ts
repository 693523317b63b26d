import { type Kysely, type SqlBool, sql } from 'kysely'
import type { Database, IssueState } from '../../db/schema.ts'
import { searchQuery } from '../verdict/search-words.ts'

/** Where a comparison stands between being written and being old. */
export const comparisonStates = ['waiting', 'scheduled', 'in an issue', 'archive', 'retracted'] as const
export type ComparisonState = (typeof comparisonStates)[number]

export type ListedComparison = {
  readonly id: number
  readonly slug: string
  readonly title: string
  readonly publishedAt: Temporal.Instant
  readonly revision: number
  readonly state: ComparisonState
  /** The issue that it is in, whatever its state; null when it is in none that counts. */
  readonly week: string | null
  readonly issueState: IssueState | null
}

export type Sought = {
  readonly state?: ComparisonState | undefined
  /** What was typed; '' for everything. */
  readonly words: string
  /** The last one of the page before, in the order of publication. */
  readonly after?: { readonly publishedAt: Temporal.Instant; readonly id: number } | undefined
  readonly most: number
}

/** Comparisons, newest first, with where each stands now. */
export async function listComparisons(
  db: Kysely<Database>,
  now: Temporal.Instant,
  { state, words, after, most }: Sought,
): Promise<readonly ListedComparison[]> {
  const query = searchQuery(words)
  if (words.trim() !== '' && query === undefined) return []
  return listed(db, now)
    .$if(state !== undefined, (rows) => rows.where(stateAt(now), '=', state ?? 'waiting'))
    .$if(query !== undefined, (rows) => rows.where(isFound(query ?? '')))
    .$if(after !== undefined, (rows) =>
      rows.where(
        sql<SqlBool>`(c.published_at, c.id) < (${after?.publishedAt.toString()}::timestamptz, ${after?.id}::int)`,
      ),
    )
    .orderBy('c.published_at', 'desc')
    .orderBy('c.id', 'desc')
    .limit(most)
    .execute()
}

/** One comparison with where it stands; undefined when there is none of that slug. */
export function findListed(
  db: Kysely<Database>,
  now: Temporal.Instant,
  slug: string,
): Promise<ListedComparison | undefined> {
  return listed(db, now).where('c.slug', '=', slug).executeTakeFirst()
}

/** How many comparisons stand where, of those that the words find. */
export async function countComparisons(
  db: Kysely<Database>,
  now: Temporal.Instant,
  words: string,
): Promise<Readonly<Record<ComparisonState, number>>> {
  const query = searchQuery(words)
  const none = { waiting: 0, scheduled: 0, 'in an issue': 0, archive: 0, retracted: 0 }
  if (words.trim() !== '' && query === undefined) return none
  const rows = await withState(db, now)
    .$if(query !== undefined, (found) => found.where(isFound(query ?? '')))
    .select((eb) => eb.fn.countAll<number>().as('many'))
    .groupBy(sql`1`)
    .execute()
  return { ...none, ...Object.fromEntries(rows.map(({ state, many }) => [state, Number(many)])) }
}

function listed(db: Kysely<Database>, now: Temporal.Instant) {
  return withState(db, now)
    .select(['c.id', 'c.slug', 'c.title', 'c.published_at as publishedAt', 'c.revision'])
    .select(['i.week', 'i.state as issueState'])
}

function withState(db: Kysely<Database>, now: Temporal.Instant) {
  return db
    .selectFrom('comparison as c')
    .leftJoin('issue_comparison as ic', (join) =>
      join.onRef('ic.comparison_id', '=', 'c.id').on('ic.counts', '=', true),
    )
    .leftJoin('issue as i', 'i.id', 'ic.issue_id')
    .select(stateAt(now).as('state'))
}

/** A retracted comparison is that first, whichever issue it was in: it is in no later one. */
function stateAt(now: Temporal.Instant) {
  return sql<ComparisonState>`case
    when c.retracted_at is not null then 'retracted'
    when i.week is not null then 'in an issue'
    when c.published_at > ${now.toString()}::timestamptz then 'scheduled'
    when c.published_at < (select baseline_at from newsletter) then 'archive'
    else 'waiting' end`
}

function isFound(query: string) {
  return sql<SqlBool>`to_tsvector('simple', c.sought) @@ to_tsquery('simple', ${query})`
}
