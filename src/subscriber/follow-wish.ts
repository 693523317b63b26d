import { type Kysely, type Selectable, sql, type Transaction } from 'kysely'
import type { Cadence, Database, WishedCadence } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { publicCategories } from '../verdict/category.ts'
import { findTool } from '../verdict/public-tool.ts'
import { type Preferences, storeChoices } from './preferences.ts'

/** What a form asked to follow: a tool by its slug or a category by its name; and how often mail is wanted from then on. */
export type FollowWish = ({ readonly tool: string } | { readonly category: string }) & {
  readonly cadence: WishedCadence
}

/** The same as our own tables have it: what is kept with a letter, and all that a letter says of it. */
export type KnownWish = {
  readonly tool: string | null
  readonly category: string | null
  readonly name: string
  readonly cadence: WishedCadence
}

/** The wish in our own words; undefined where visitors see no such tool or category at that instant. */
export async function findWish(
  db: Kysely<Database>,
  wish: FollowWish,
  now: Temporal.Instant,
): Promise<KnownWish | undefined> {
  const { cadence } = wish
  if ('tool' in wish) {
    const tool = await findTool(db, wish.tool, now)
    return tool && { tool: wish.tool, category: null, name: tool.name, cadence }
  }
  const { category } = wish
  return (await isPublic(db, category, now)) ? { tool: null, category, name: category, cadence } : undefined
}

/** Whether a reader on the list would have anything else than now. */
export async function isNews(
  db: Kysely<Database>,
  reader: { readonly id: number; readonly cadence: Cadence },
  wish: KnownWish,
): Promise<boolean> {
  if (wish.cadence === 'followed' && reader.cadence !== 'followed') return true
  const { rows } = await sql<{ follows: boolean }>`
    select exists (select from followed_tool f join tool t on t.id = f.tool_id
                    where f.subscriber_id = ${reader.id} and t.slug = ${wish.tool}::text)
        or exists (select from followed_category
                    where subscriber_id = ${reader.id} and category = ${wish.category}::text) as follows`.execute(
    db,
  )
  return !rows[0]?.follows
}

/** Follows it for a reader whose row is held, besides what they follow already; a category in each of its spellings. */
export async function followWish(
  trx: Transaction<Database>,
  clock: Clock,
  reader: { readonly id: number; readonly cadence: Cadence },
  { wish, cadence }: { readonly wish: KnownWish; readonly cadence: Cadence },
): Promise<void> {
  const categories = await spellingsOf(trx, wish, clock())
  const change = (now: Preferences) => ({
    cadence,
    tools: wish.tool === null ? now.tools : [...now.tools, wish.tool],
    categories: [...now.categories, ...categories],
  })
  await storeChoices(trx, clock, reader, { change, method: 'link' })
}

/** The last wish that came with a confirmation letter to a reader, for a letter that takes its place. */
export async function lastWish(db: Kysely<Database>, subscriberId: number): Promise<KnownWish | undefined> {
  const letter = await db
    .selectFrom('letter')
    .select(['follow_tool', 'follow_category', 'follow_name', 'follow_cadence'])
    .where('subscriber_id', '=', subscriberId)
    .where('kind', '=', 'confirm')
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  return letter && wishIn(letter)
}

type WishColumns = Pick<
  Selectable<Database['letter']>,
  'follow_tool' | 'follow_category' | 'follow_name' | 'follow_cadence'
>

/** The wish in a letter's row; undefined where nothing is to be followed. */
export function wishIn(row: WishColumns): KnownWish | undefined {
  const { follow_tool: tool, follow_category: category, follow_name: name, follow_cadence: cadence } = row
  return name !== null && cadence !== null ? { tool, category, name, cadence } : undefined
}

/** The wish as a letter's row keeps it. */
export function wishColumns(wish: KnownWish | undefined): WishColumns {
  return {
    ...{ follow_tool: wish?.tool ?? null, follow_category: wish?.category ?? null },
    ...{ follow_name: wish?.name ?? null, follow_cadence: wish?.cadence ?? null },
  }
}

async function isPublic(db: Kysely<Database>, category: string, now: Temporal.Instant): Promise<boolean> {
  const row = await db
    .selectFrom('comparison_tool as t')
    .innerJoin('comparison as c', 'c.id', 't.comparison_id')
    .select('c.id')
    .where('t.category', '=', category)
    .where('c.retracted_at', 'is', null)
    .where('c.published_at', '<=', now)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

async function spellingsOf(
  trx: Transaction<Database>,
  { category }: KnownWish,
  now: Temporal.Instant,
): Promise<readonly string[]> {
  if (category === null) return []
  const all = await publicCategories(trx, now)
  return [category, ...(all.find(({ spellings }) => spellings.includes(category))?.spellings ?? [])]
}

/** A known wish as a form would ask for it again. */
export function askedAgain({ tool, category, cadence }: KnownWish): FollowWish | undefined {
  if (tool !== null) return { tool, cadence }
  return category === null ? undefined : { category, cadence }
}
