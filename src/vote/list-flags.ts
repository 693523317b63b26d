import { type Kysely, type SqlBool, sql } from 'kysely'
import type { Database, FlagRule, FlagState } from '../../db/schema.ts'
import { type Evidence, evidence } from './flag.ts'

/** A flag as editors see it. */
export type Flag = {
  readonly id: number
  readonly rule: FlagRule
  readonly state: FlagState
  readonly setsAside: boolean
  readonly revision: number
  readonly foundAt: Temporal.Instant
  readonly grownAt: Temporal.Instant
  readonly decidedAt: Temporal.Instant | null
  readonly evidence: Evidence
  /** Its votes as they are now, without those of readers who were erased, and how many of them do not count. */
  readonly votes: number
  readonly setAside: number
  /** The names of its tools, by id. */
  readonly names: ReadonlyMap<number, string>
}

/** Which flags: those that wait for an editor, or those that one has decided about. */
export type Which = 'open' | 'decided'

/** Flags, what grew or was decided last first, and of decided ones those before an id in that order. */
export async function listFlags(
  db: Kysely<Database>,
  { which, most, after = 0 }: { which: Which; most: number; after?: number },
): Promise<readonly Flag[]> {
  const isOfThem =
    which === 'open' ? sql<SqlBool>`f.state = 'open'` : sql<SqlBool>`f.state in ('left', 'set aside')`
  const rows = await flagsWhere(db, isOfThem)
    .orderBy(sql`coalesce(f.decided_at, f.grown_at)`, 'desc')
    .orderBy('f.id', 'desc')
    .limit(most)
    .offset(after)
    .execute()
  return named(db, rows)
}

/** One flag; undefined when there is none of that number. */
export async function findFlag(db: Kysely<Database>, id: number): Promise<Flag | undefined> {
  const [flag] = await named(db, await flagsWhere(db, sql<SqlBool>`f.id = ${id}::int`).execute())
  return flag
}

/** How many flags wait for an editor. */
export async function openFlags(db: Kysely<Database>): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    select count(*)::int as n from vote_flag where state = 'open'`.execute(db)
  return rows[0]?.n ?? 0
}

type Row = Omit<Flag, 'evidence' | 'names'> & { readonly evidence: unknown }

function flagsWhere(db: Kysely<Database>, isWanted: ReturnType<typeof sql<SqlBool>>) {
  const votes = sql`from vote_flag_vote m join vote v using (subscriber_id, tool_id) where m.flag_id = f.id`
  return db
    .selectFrom('vote_flag as f')
    .select(['f.id', 'f.rule', 'f.state', 'f.revision', 'f.evidence'])
    .select([
      'f.sets_aside as setsAside',
      'f.found_at as foundAt',
      'f.grown_at as grownAt',
      'f.decided_at as decidedAt',
    ])
    .select(sql<number>`(select count(*)::int ${votes})`.as('votes'))
    .select(sql<number>`(select count(*)::int ${votes} and v.set_aside)`.as('setAside'))
    .where(isWanted)
}

async function named(db: Kysely<Database>, rows: readonly Row[]): Promise<readonly Flag[]> {
  const flags = rows.map((row) => ({ ...row, evidence: evidence.parse(row.evidence) }))
  const names = await namesOf(
    db,
    flags.flatMap((flag) => flag.evidence.tools.map(({ toolId }) => toolId)),
  )
  return flags.map((flag) => ({ ...flag, names }))
}

/** As the newest comparison with a tool names it. */
async function namesOf(db: Kysely<Database>, ids: readonly number[]): Promise<ReadonlyMap<number, string>> {
  const { rows } = await sql<{ id: number; name: string }>`
    select distinct on (t.tool_id) t.tool_id as id, t.name
      from comparison_tool t join comparison c on c.id = t.comparison_id
     where t.tool_id = any (${[...new Set(ids)]}::int[])
     order by t.tool_id, c.published_at desc, c.id desc`.execute(db)
  return new Map(rows.map(({ id, name }) => [id, name]))
}
