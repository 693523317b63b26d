import { type Kysely, type QueryCreator, sql } from 'kysely'
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
  /** What an editor left out and put in. */
  readonly byHand?: ByHand
}

export type ByHand = {
  readonly leftOut: readonly { readonly slug: string; readonly reason: string }[]
  readonly include: readonly string[]
  /** What an editor put in has to be published by now, though it may be after the cut-off. */
  readonly now: Temporal.Instant
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
  const { ids, leftOut } = await selectIds(db, rule)
  return { chosen: await loadComparisons(db, ids), leftOut }
}

/** The same by id, also from tables as they once were: `db` may bring its own `comparison` and `issue_comparison`. */
export async function selectIds(
  db: QueryCreator<Database>,
  rule: SelectionRule,
): Promise<{ readonly ids: readonly number[]; readonly leftOut: readonly LeftOut[] }> {
  const rows = (await judge(db, rule)).map((row) => ({
    ...row,
    reason: row.reason === null ? null : whyNot(row.slug, row.reason, rule),
  }))
  return {
    ids: rows.filter((row) => row.reason === null).map(({ id }) => id),
    leftOut: rows.flatMap(({ slug, title, reason }) => (reason === null ? [] : [{ slug, title, reason }])),
  }
}

/** What an editor can still put in by hand, oldest first: published by now, and waiting for the next issue. */
export async function waitingToBePutIn(
  db: Kysely<Database>,
  rule: SelectionRule & { readonly byHand: ByHand },
): Promise<readonly LeftOut[]> {
  const rows = await judge(db, rule)
  return rows.flatMap(({ slug, title, reason, is_out_by_now }) =>
    reason !== null && is_out_by_now && mayBePutIn(reason) ? [{ slug, title, reason }] : [],
  )
}

const afterCutoff = 'published after the cut-off'
const leftOutByHand = 'left out by the editor'
const isFull = 'waits for the next issue: this one is full'

function mayBePutIn(reason: string): boolean {
  return reason === afterCutoff || reason.startsWith(isFull)
}

/** The reason with the editor's own words, or with a word on why they could not be followed. */
function whyNot(slug: string, reason: string, { byHand }: SelectionRule): string {
  const own = byHand?.leftOut.find((one) => one.slug === slug)?.reason
  if (reason === leftOutByHand) return own ? `${leftOutByHand}: ${own}` : leftOutByHand
  return byHand?.include.includes(slug) ? `${reason}; an editor had put it in` : reason
}

function judge(db: QueryCreator<Database>, { issueId, cutoff, baseline, most, byHand }: SelectionRule) {
  const leftOut = byHand?.leftOut.map(({ slug }) => slug) ?? []
  const now = byHand?.now ?? cutoff
  const putIn = sql<boolean>`(c.slug = any(${byHand?.include ?? []}::text[]) and c.published_at <= ${now}::timestamptz)`
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
          sql<boolean>`c.published_at <= ${now}::timestamptz`.as('is_out_by_now'),
          putIn.as('is_put_in'),
          eb
            .case()
            .when('c.retracted_at', 'is not', null)
            .then('retracted')
            .when('i.week', 'is not', null)
            .then(sql<string>`'in issue ' || i.week`)
            .when(sql<boolean>`c.published_at > ${cutoff}::timestamptz and not ${putIn}`)
            .then(afterCutoff)
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
        // Who was left out keeps the place, so that leaving one out never brings in another; who was put in takes none.
        .select(
          sql<number>`row_number() over (partition by reason, is_put_in order by published_at, id)`.as(
            'place',
          ),
        ),
    )
    .selectFrom('queued')
    .select((eb) => [
      'id',
      'slug',
      'title',
      'is_out_by_now',
      eb
        .case()
        .when(sql<boolean>`reason is null and slug = any(${leftOut}::text[])`)
        .then(leftOutByHand)
        .when(sql<boolean>`reason is null and not is_put_in and place > ${most}::int`)
        .then(`${isFull} (${most})`)
        .else(eb.ref('reason'))
        .end()
        .as('reason'),
    ])
    .orderBy('published_at')
    .orderBy('id')
    .execute()
}
