import { type Kysely, sql, type Transaction } from 'kysely'
import type { Cadence, Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { recordConsent } from './consent.ts'

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock }

/** What a reader chose: how often, and what they follow (categories by name, tools by slug), each list in order. */
export type Preferences = {
  readonly cadence: Cadence
  readonly categories: readonly string[]
  readonly tools: readonly string[]
}

type Offered = {
  readonly name: string
  readonly followed: boolean
  /** Whether a comparison that visitors see has it, and it has a page. */
  readonly isPublic: boolean
}

/** What can be followed, and whether this reader does. */
export type Followable = {
  readonly categories: readonly Offered[]
  readonly tools: readonly (Offered & { readonly slug: string })[]
}

/** `empty`: only what one follows was asked for, and nothing is followed. */
export type Saved = 'saved' | 'no change' | 'empty' | 'not on the list'

/** As many are offered as a page can show without a search; what is followed already always is. */
const mostOffered = { categories: 60, tools: 80 }

/** Stores a reader's choices as a whole. What cannot be followed is left out. */
export function savePreferences(deps: Deps, publicId: string, wish: Preferences): Promise<Saved> {
  return changePreferences(deps, publicId, () => wish)
}

/** Stores what a reader's choices become, given what they are. */
export async function changePreferences(
  { db, clock }: Deps,
  publicId: string,
  change: (now: Preferences) => Preferences,
): Promise<Saved> {
  return db.transaction().execute(async (trx) => {
    const reader = await trx
      .selectFrom('subscriber')
      .select(['id', 'cadence'])
      .where('public_id', '=', publicId)
      .where('status', 'in', ['confirmed', 'paused'])
      .forNoKeyUpdate()
      .executeTakeFirst()
    if (!reader) return 'not on the list'
    return storeChoices(trx, clock, reader, { change, method: 'page' })
  })
}

/** The same for a reader whose row is held, within a transaction that does more. */
export async function storeChoices(
  trx: Transaction<Database>,
  clock: Clock,
  reader: { readonly id: number; readonly cadence: Cadence },
  {
    change,
    method,
  }: { readonly change: (now: Preferences) => Preferences; readonly method: 'page' | 'link' },
): Promise<Exclude<Saved, 'not on the list'>> {
  const before = await choicesOf(trx, reader)
  const wish = change(before)
  const after = { cadence: wish.cadence, ...(await thatExist(trx, reader.id, wish)) }
  if (describe(after) === describe(before)) return 'no change'
  if (after.cadence === 'followed' && after.categories.length + after.tools.length === 0) return 'empty'

  await trx.updateTable('subscriber').set({ cadence: after.cadence }).where('id', '=', reader.id).execute()
  await replaceFollows(trx, reader.id, after)
  await recordConsent(trx, {
    ...{ subscriberId: reader.id, kind: 'preferences changed', at: clock(), method },
    detail: describe(after),
  })
  return 'saved'
}

/** What a reader follows now, by id and cadence of their row. */
export async function choicesOf(
  db: Kysely<Database>,
  { id, cadence }: { readonly id: number; readonly cadence: Cadence },
): Promise<Preferences> {
  const categories = await db
    .selectFrom('followed_category')
    .select('category')
    .where('subscriber_id', '=', id)
    .orderBy('category')
    .execute()
  const tools = await db
    .selectFrom('followed_tool as f')
    .innerJoin('tool as t', 't.id', 'f.tool_id')
    .select('t.slug')
    .where('f.subscriber_id', '=', id)
    .orderBy('t.slug')
    .execute()
  return { cadence, categories: categories.map((row) => row.category), tools: tools.map((row) => row.slug) }
}

/** The categories and tools that were compared last, as far as that is public now, and those that the reader follows, by name. */
export async function followable(
  db: Kysely<Database>,
  subscriberId: number,
  now: Temporal.Instant,
): Promise<Followable> {
  const categories = await sql<Followable['categories'][number]>`
    with followed as (select category as name from followed_category where subscriber_id = ${subscriberId}),
    recent as (
      select t.category as name from comparison_tool t join comparison c on c.id = t.comparison_id
       where c.retracted_at is null and c.published_at <= ${now}::timestamptz and t.category <> ''
       group by t.category order by max(c.published_at) desc, t.category limit ${mostOffered.categories}::int)
    select name, name in (select name from followed) as followed,
           exists (select from comparison_tool t join comparison c on c.id = t.comparison_id
                    where t.category = offered.name
                      and c.retracted_at is null and c.published_at <= ${now}::timestamptz) as "isPublic"
      from (select name from followed union select name from recent) offered order by lower(name), name`.execute(
    db,
  )
  const tools = await sql<Followable['tools'][number]>`
    with followed as (select tool_id as id from followed_tool where subscriber_id = ${subscriberId}),
    recent as (
      select t.tool_id as id from comparison_tool t join comparison c on c.id = t.comparison_id
       where c.retracted_at is null and c.published_at <= ${now}::timestamptz
       group by t.tool_id order by max(c.published_at) desc, t.tool_id limit ${mostOffered.tools}::int),
    offered as (select id from followed union select id from recent),
    named as (
      select distinct on (t.tool_id) t.tool_id as id, t.name
        from comparison_tool t join comparison c on c.id = t.comparison_id
       where t.tool_id in (select id from offered) and c.published_at <= ${now}::timestamptz
       order by t.tool_id, c.published_at desc, c.id desc)
    select tool.slug, coalesce(named.name, tool.slug) as name, o.id in (select id from followed) as followed,
           exists (select from comparison_tool t join comparison c on c.id = t.comparison_id
                    where t.tool_id = o.id
                      and c.retracted_at is null and c.published_at <= ${now}::timestamptz) as "isPublic"
      from offered o join tool on tool.id = o.id left join named on named.id = o.id
     order by lower(coalesce(named.name, tool.slug)), tool.slug`.execute(db)
  return { categories: categories.rows, tools: tools.rows }
}

async function thatExist(
  trx: Transaction<Database>,
  subscriberId: number,
  { categories, tools }: Preferences,
): Promise<Omit<Preferences, 'cadence'>> {
  const known = await sql<{ name: string }>`
    select category as name from comparison_tool where category = any(${[...categories]})
    union select category from followed_category
           where subscriber_id = ${subscriberId} and category = any(${[...categories]})
    order by name`.execute(trx)
  const slugs = await trx
    .selectFrom('tool')
    .select('slug')
    .where('slug', 'in', tools.length > 0 ? tools : [''])
    .orderBy('slug')
    .execute()
  return { categories: known.rows.map(({ name }) => name), tools: slugs.map(({ slug }) => slug) }
}

async function replaceFollows(
  trx: Transaction<Database>,
  subscriberId: number,
  { categories, tools }: Preferences,
): Promise<void> {
  await trx.deleteFrom('followed_category').where('subscriber_id', '=', subscriberId).execute()
  await trx.deleteFrom('followed_tool').where('subscriber_id', '=', subscriberId).execute()
  await sql`
    insert into followed_category (subscriber_id, category)
    select ${subscriberId}, unnest(${[...categories]}::text[])`.execute(trx)
  await sql`
    insert into followed_tool (subscriber_id, tool_id)
    select ${subscriberId}, id from tool where slug = any(${[...tools]})`.execute(trx)
}

/** One line for the consent record, the same for the same choices. */
function describe({ cadence, categories, tools }: Preferences): string {
  return [
    cadence,
    `categories: ${categories.join(', ') || 'none'}`,
    `tools: ${tools.join(', ') || 'none'}`,
  ].join('; ')
}
