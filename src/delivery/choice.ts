import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { correctionKey } from '../issue/correction.ts'
import { owedCorrections } from './last-told.ts'

/** What a reader wants of an issue, and which corrections they need. Readers with the same choice get the same edition. */
export type Choice = (
  | { readonly kind: 'weekly' }
  | { readonly kind: 'monthly' }
  /** The issue's comparisons in which there is a tool or category that the reader follows; none is nothing to send. */
  | { readonly kind: 'followed'; readonly comparisonIds: readonly number[] }
) & { readonly corrections: readonly string[] }

/** In a choice's key, stands before the keys of corrections. */
const owing = '!'

/**
 * Every confirmed, unsuppressed reader with their choice, as the key that `readChoice` reads, and the choice of the whole
 * issue that it comes nearest to: the audience of an issue, as a query to select from.
 */
export async function audienceOf(db: Kysely<Database>, issueId: number): Promise<RawBuilder<unknown>> {
  const owed = await owedCorrections(db, issueId)
  const owes = owed ? sql`coalesce(${owing} || o.keys, '')` : sql`''`
  return sql`
    select s.id, s.address, 'weekly' || ${owes} as whole, ${wish} || ${owes} as choice
      from subscriber s
      ${owed ? sql`left join (${owed}) o on o.subscriber_id = s.id` : sql``}
      left join suppression x on x.address = s.address
      left join lateral (${followedIn(issueId)}) f on s.cadence = 'followed'
     where s.status = 'confirmed' and x.id is null`
}

/** A reader's choice without what they need corrected, where `s` is their row and `f` what `followedIn` finds. */
export const wish = sql`case s.cadence when 'followed' then 'followed:' || coalesce(f.ids, '') else s.cadence end`

/** The issue's comparisons that the reader `s` follows, in its order. */
export function followedIn(issueId: number): RawBuilder<unknown> {
  return sql`
        select string_agg(ic.comparison_id::text, ',' order by ic.position) as ids
          from issue_comparison ic
         where s.cadence = 'followed' and ic.issue_id = ${issueId} and exists (
           select from comparison_tool t
            where t.comparison_id = ic.comparison_id
              and (exists (select from followed_tool ft
                            where ft.subscriber_id = s.id and ft.tool_id = t.tool_id)
                or exists (select from followed_category fc
                            where fc.subscriber_id = s.id and fc.category = t.category)))`
}

/** The different choices of an issue's audience: each is rendered once, however many readers made it. */
export async function choicesOf(db: Kysely<Database>, issueId: number): Promise<readonly string[]> {
  const { rows } = await sql<{ choice: string }>`
    select distinct choice from (${await audienceOf(db, issueId)}) audience order by choice`.execute(db)
  return rows.map(({ choice }) => choice)
}

/** One reader's choice, or undefined when they are not in the audience. */
export async function choiceOfReader(
  db: Kysely<Database>,
  issueId: number,
  subscriberId: number,
): Promise<string | undefined> {
  const { rows } = await sql<{ choice: string }>`
    select choice from (${await audienceOf(db, issueId)}) audience where id = ${subscriberId}`.execute(db)
  return rows[0]?.choice
}

/** The choice that following one category, and nothing else, comes to. */
export async function choiceOfFollower(
  db: Kysely<Database>,
  issueId: number,
  category: string,
): Promise<string> {
  const members = await db
    .selectFrom('issue_comparison as ic')
    .innerJoin('comparison_tool as t', 't.comparison_id', 'ic.comparison_id')
    .select('ic.comparison_id')
    .where('ic.issue_id', '=', issueId)
    .where('t.category', '=', category)
    .groupBy(['ic.comparison_id', 'ic.position'])
    .orderBy('ic.position')
    .execute()
  return `followed:${members.map(({ comparison_id }) => comparison_id).join(',')}`
}

/** The categories that an issue has something in, by name. */
export async function categoriesOf(db: Kysely<Database>, issueId: number): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('issue_comparison as ic')
    .innerJoin('comparison_tool as t', 't.comparison_id', 'ic.comparison_id')
    .select('t.category')
    .distinct()
    .where('ic.issue_id', '=', issueId)
    .orderBy('t.category')
    .execute()
  return rows.map(({ category }) => category)
}

/** The choice of the whole issue with what it corrects for the first time: what is shown where no reader is meant. */
export async function choiceOfEverybody(db: Kysely<Database>, issueId: number): Promise<string> {
  const primary = await db
    .selectFrom('issue_correction')
    .select(['comparison_id as comparisonId', 'from_revision as fromRevision'])
    .where('issue_id', '=', issueId)
    .where('is_primary', '=', true)
    .groupBy(['comparison_id', 'from_revision', 'place'])
    .orderBy('place')
    .execute()
  return wholeWith(primary.map(correctionKey))
}

/** The choice of the whole issue with these corrections. */
export function wholeWith(corrections: readonly string[]): string {
  return corrections.length === 0 ? 'weekly' : `weekly${owing}${corrections.join(',')}`
}

/** A choice from its key. */
export function readChoice(key: string): Choice {
  const [wish = '', keys] = key.split(owing)
  const corrections = keys === undefined ? [] : keys.split(',')
  if (wish === 'weekly' || wish === 'monthly') return { kind: wish, corrections }
  const ids = wish.slice('followed:'.length)
  return { kind: 'followed', comparisonIds: ids === '' ? [] : ids.split(',').map(Number), corrections }
}
