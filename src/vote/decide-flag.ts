import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database, DecisionKind, FlagState } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { recordDecision } from '../issue/decision.ts'
import { recount } from '../subscriber/cast-vote.ts'
import { withoutAddresses } from '../subscriber/consent.ts'

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock }

/** Lengths of the reason, in characters. */
export const reasonLength = { least: 10, most: 500 } as const

/** What an editor can do about a flag: leave its votes counted, set them aside, or count them again. */
export type FlagVerb = 'leave' | 'set aside' | 'count again'

/** An editor's wish, about the flag as it was on their screen. */
export type FlagWish = {
  readonly id: number
  readonly verb: FlagVerb
  readonly revision: number
  readonly reason: string
}

/** What a decision came to: how many votes count or no longer count because of it, or why nothing was changed. */
export type FlagDecided =
  | { readonly ok: true; readonly votes: number }
  | { readonly ok: false; readonly why: 'no flag' | 'grown' | 'decided already' }

/** Which decisions a flag allows. One that was set aside and is open again, because more came, has all three. */
export function verbsFor({
  state,
  setsAside,
}: {
  state: FlagState
  setsAside: boolean
}): readonly FlagVerb[] {
  if (state === 'left') return ['set aside']
  const open = state === 'open' ? (['leave', 'set aside'] as const) : []
  return [...open, ...(setsAside ? (['count again'] as const) : [])]
}

/**
 * Carries out an editor's decision on exactly the votes of a flag, and counts their tools again in the same transaction;
 * nothing is decided about a flag that has grown, or was decided, since they looked. Rows are locked in the order in which
 * a vote locks them: the flag, its readers, their votes, the tallies.
 */
export function decideFlag({ db, clock }: Deps, wish: FlagWish, by: string): Promise<FlagDecided> {
  return db.transaction().execute(async (trx) => {
    const flag = await trx
      .selectFrom('vote_flag')
      .select(['id', 'rule', 'state', 'revision', 'sets_aside as setsAside'])
      .where('id', '=', wish.id)
      .forUpdate()
      .executeTakeFirst()
    if (!flag) return { ok: false, why: 'no flag' }
    if (!verbsFor(flag).includes(wish.verb)) return { ok: false, why: 'decided already' }
    if (flag.revision !== wish.revision) return { ok: false, why: 'grown' }
    const at = clock()
    const votes = await carryOut(trx, wish, at)
    const setsAside = wish.verb === 'set aside' || (wish.verb === 'leave' && flag.setsAside)
    await trx
      .updateTable('vote_flag')
      .set({ state: setsAside ? 'set aside' : 'left', sets_aside: setsAside })
      .set({ decided_at: at, revision: flag.revision + 1 })
      .where('id', '=', flag.id)
      .execute()
    const reason = withoutAddresses(wish.reason)
    const evidence = { flag: flag.id, rule: flag.rule, votes, reason }
    await recordDecision(trx, { at, by, what: kinds[wish.verb], evidence })
    return { ok: true, votes }
  })
}

const kinds: Readonly<Record<FlagVerb, DecisionKind>> = {
  ...{ leave: 'leave votes', 'set aside': 'set votes aside', 'count again': 'count votes again' },
}

async function carryOut(
  trx: Transaction<Database>,
  { id, verb }: FlagWish,
  at: Temporal.Instant,
): Promise<number> {
  await sql`
    select s.id from subscriber s
     where s.id in (select subscriber_id from vote_flag_vote where flag_id = ${id})
     order by s.id for no key update`.execute(trx)
  switch (verb) {
    case 'leave':
      return votesIn(trx, id)
    case 'set aside':
      return recounted(trx, await setAside(trx, id), at)
    case 'count again':
      return recounted(trx, await countAgain(trx, id), at)
  }
}

async function votesIn(trx: Transaction<Database>, id: number): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    select count(*)::int as n from vote_flag_vote where flag_id = ${id}`.execute(trx)
  return rows[0]?.n ?? 0
}

/** The tools of the votes that were changed, one for each. */
async function setAside(trx: Transaction<Database>, id: number): Promise<readonly number[]> {
  const { rows } = await sql<{ tool_id: number }>`
    update vote v set set_aside = true from vote_flag_vote m
     where m.flag_id = ${id} and m.subscriber_id = v.subscriber_id and m.tool_id = v.tool_id and not v.set_aside
    returning v.tool_id`.execute(trx)
  return rows.map(({ tool_id }) => tool_id)
}

/** But for those which another flag sets aside too. */
async function countAgain(trx: Transaction<Database>, id: number): Promise<readonly number[]> {
  const { rows } = await sql<{ tool_id: number }>`
    update vote v set set_aside = false from vote_flag_vote m
     where m.flag_id = ${id} and m.subscriber_id = v.subscriber_id and m.tool_id = v.tool_id and v.set_aside
       and not exists (
         select from vote_flag_vote o join vote_flag f on f.id = o.flag_id
          where o.subscriber_id = v.subscriber_id and o.tool_id = v.tool_id
            and f.id <> ${id} and f.sets_aside)
    returning v.tool_id`.execute(trx)
  return rows.map(({ tool_id }) => tool_id)
}

async function recounted(
  trx: Transaction<Database>,
  changed: readonly number[],
  at: Temporal.Instant,
): Promise<number> {
  for (const toolId of [...new Set(changed)].toSorted((a, b) => a - b)) await recount(trx, toolId, at)
  return changed.length
}
