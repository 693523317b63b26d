import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { StoredComparison } from '../verdict/comparison.ts'
import { loadComparisons } from '../verdict/load.ts'

/** What may go into an issue: everything new up to the cut-off, but no more than `most` at a time. */
export type SelectionRule = {
  readonly issueId: number
  readonly cutoff: Temporal.Instant
  /** What was published before this stays archive. */
  readonly baseline: Temporal.Instant
  readonly most: number
}

/** A comparison that is not in this issue, and why, in words for the editor. */
export type LeftOut = { readonly slug: string; readonly title: string; readonly reason: string }

export type Selection = {
  readonly chosen: readonly StoredComparison[]
  readonly leftOut: readonly LeftOut[]
}

/**
 * The comparisons for an issue, oldest first, and everything else with its reason. There is no lower bound on time but
 * the baseline: what is new is what is in no other issue that still counts, so nothing falls between two weeks.
 */
export async function selectComparisons(db: Kysely<Database>, rule: SelectionRule): Promise<Selection> {
  const rows = await judge(db, rule)
  const chosen = rows.filter((row) => row.reason === null)
  return {
    chosen: await loadComparisons(
      db,
      chosen.map((row) => row.id),
    ),
    leftOut: rows.flatMap(({ slug, title, reason }) => (reason === null ? [] : [{ slug, title, reason }])),
  }
}

function judge(db: Kysely<Database>, { issueId, cutoff, baseline, most }: SelectionRule) {
  return db
    .with('judged', (qb) =>
      qb
        .selectFrom('comparison as c')
        .leftJoin('issue_comparison as ic', (join) =>
          join
            .onRef('ic.comparison_id', '=', 'c.id')
            .on('ic.counts', '=', true)
            .on('ic.issue_id', '!=', issueId),
        )
        .leftJoin('issue as i', 'i.id', 'ic.issue_id')
        .select((eb) => [
          'c.id',
          'c.slug',
          'c.title',
          'c.published_at',
          eb
            .case()
            .when('c.retracted_at', 'is not', null)
            .then('retracted')
            .when('i.week', 'is not', null)
            .then(sql<string>`'in issue ' || i.week`)
            .when('c.published_at', '>', cutoff)
            .then('published after the cut-off')
            .when('c.published_at', '<', baseline)
            .then('archive: published before the first issue began')
            .else(null)
            .end()
            .as('reason'),
        ]),
    )
    .with('queued', (qb) =>
      qb
        .selectFrom('judged')
        .selectAll()
        .select(sql<number>`row_number() over (partition by reason order by published_at, id)`.as('place')),
    )
    .selectFrom('queued')
    .select((eb) => [
      'id',
      'slug',
      'title',
      eb
        .case()
        .when(eb.and([eb('reason', 'is', null), eb('place', '>', most)]))
        .then(`waits for the next issue: this one is full (${most})`)
        .else(eb.ref('reason'))
        .end()
        .as('reason'),
    ])
    .orderBy('published_at')
    .orderBy('id')
    .execute()
}
