import { type Kysely, sql, type Transaction } from 'kysely'
import { often } from '../../db/prepare.ts'
import type { Database, ReviewVerdict } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock }

/** A reader's answer to "Would you ship it?", under which comparison and from which issue's mail. */
export type Wish = {
  readonly toolId: number
  readonly verdict: ReviewVerdict
  readonly comparisonId: number
  readonly issueId: number
  /** The turn of the vote that the form was shown with, 0 while there was none; undefined for a post without a form. */
  readonly seen?: number | undefined
  /** Truncated, as everywhere. */
  readonly network: string
}

/** A vote that stands. */
export type StandingVote = {
  readonly verdict: ReviewVerdict
  readonly turn: number
  readonly changedAt: Temporal.Instant
  /** Kept, and not counted at present, by an editor's decision. */
  readonly setAside: boolean
}

/**
 * What a vote came to. `stale`: it was changed since the form was shown, and the form asks for something else; a form that
 * is sent again can never take back what its reader decided after it. `not on the list`: only confirmed readers vote.
 */
export type Cast = 'cast' | 'unchanged' | 'stale' | 'not on the list'

/** One vote to a reader and tool, however often and at once it is posted; the tally moves with it. */
export async function castVote({ db, clock }: Deps, publicId: string, wish: Wish): Promise<Cast> {
  return db.transaction().execute(async (trx) => {
    const reader = await trx
      .selectFrom('subscriber')
      .select('id')
      .where('public_id', '=', publicId)
      .where('status', 'in', ['confirmed', 'paused'])
      .forNoKeyUpdate()
      .executeTakeFirst()
    if (!reader) return 'not on the list'
    const before = await voteOf(trx, reader.id, wish.toolId)
    if (before?.verdict === wish.verdict) return 'unchanged'
    if (wish.seen !== undefined && wish.seen !== (before?.turn ?? 0)) return 'stale'
    await write(trx, reader.id, wish, clock())
    return 'cast'
  })
}

/** A reader's vote on a tool as it stands; undefined while there is none. */
export function voteOf(
  db: Kysely<Database>,
  subscriberId: number,
  toolId: number,
): Promise<StandingVote | undefined> {
  return db
    .selectFrom('vote')
    .select(['verdict', 'turn', 'changed_at as changedAt', 'set_aside as setAside'])
    .where('subscriber_id', '=', subscriberId)
    .where('tool_id', '=', toolId)
    .executeTakeFirst()
}

/** Takes a reader's votes out of every count and flag, within the transaction that forgets the reader. */
export async function forgetVotes(
  trx: Transaction<Database>,
  subscriberId: number,
  at: Temporal.Instant,
): Promise<void> {
  await trx.deleteFrom('vote_ballot').where('subscriber_id', '=', subscriberId).execute()
  const gone = await trx
    .deleteFrom('vote')
    .where('subscriber_id', '=', subscriberId)
    .returning('tool_id')
    .execute()
  const tools = gone.map(({ tool_id }) => tool_id).toSorted((a, b) => a - b)
  for (const toolId of tools) await recount(trx, toolId, at)
}

/** The tally of a tool from its votes, in the transaction that changed them. Serial for each tool. */
export async function recount(
  trx: Transaction<Database>,
  toolId: number,
  at: Temporal.Instant,
): Promise<void> {
  await sql`
    insert into vote_tally (tool_id, ship, skip, changed_at) values (${toolId}, 0, 0, ${at})
    on conflict (tool_id) do update set changed_at = excluded.changed_at`.execute(trx)
  await sql`
    update vote_tally t
       set (ship, skip, set_aside) = (
             select count(*) filter (where not set_aside and verdict = 'ship'),
                    count(*) filter (where not set_aside and verdict = 'skip'),
                    count(*) filter (where set_aside)
               from vote where tool_id = ${toolId})
     where t.tool_id = ${toolId}`.execute(trx)
}

/**
 * The vote and its tool's tally, in one statement: a tally moves by one, because a count of all votes at each of them would
 * cost more with every one. A vote that an editor set aside stays so when its reader changes it, and moves nothing.
 */
async function write(
  trx: Transaction<Database>,
  subscriberId: number,
  { toolId, verdict, comparisonId, issueId, network }: Wish,
  at: Temporal.Instant,
): Promise<void> {
  const [ship, skip] = verdict === 'ship' ? [1, 0] : [0, 1]
  await sql`${often}
    with cast_now as (
      insert into vote as v (subscriber_id, tool_id, verdict, comparison_id, issue_id, cast_at, changed_at, turn, network)
      values (${subscriberId}, ${toolId}, ${verdict}, ${comparisonId}, ${issueId}, ${at}, ${at}, 1, ${network})
      on conflict (subscriber_id, tool_id) do update
         set verdict = excluded.verdict, comparison_id = excluded.comparison_id, issue_id = excluded.issue_id,
             changed_at = greatest(v.changed_at, excluded.changed_at), turn = v.turn + 1, network = excluded.network
      returning tool_id, turn > 1 as was_other, set_aside
    )
    insert into vote_tally as t (tool_id, ship, skip, changed_at)
    select tool_id, ${ship}::int, ${skip}::int, ${at}::timestamptz from cast_now where not set_aside
    on conflict (tool_id) do update
       set ship = t.ship + ${ship}::int - case when (select was_other from cast_now) then ${skip}::int else 0 end,
           skip = t.skip + ${skip}::int - case when (select was_other from cast_now) then ${ship}::int else 0 end,
           changed_at = greatest(t.changed_at, excluded.changed_at)`.execute(trx)
}
