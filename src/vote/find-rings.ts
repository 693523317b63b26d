import { sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { type SharedBallot, sharedBallots, steadyVoters, votersNear, votesOn } from './ballot.ts'
import { chanceOfRare } from './chance.ts'
import type { Found } from './flag.ts'
import { isIn, type Page } from './page.ts'
import { isAlike, isOneOrigin, leastInRing, type OnTool } from './ring.ts'

/** The rings that the voters of a page are part of; `ballots` are theirs, where several readers may have the same. */
export async function findRings(
  trx: Transaction<Database>,
  page: Page,
  ballots: readonly string[],
): Promise<readonly Found[]> {
  return [...(await alikeAmong(trx, ballots)), ...(await ofOneOrigin(trx, page))]
}

/** How many ballots of one look are compared with all others; a rarer one says more, so those go first. */
const mostCompared = 20

async function alikeAmong(trx: Transaction<Database>, ballots: readonly string[]): Promise<readonly Found[]> {
  const shared = ballots.length === 0 ? [] : await sharedBallots(trx, ballots)
  if (shared.length === 0) return []
  const voters = await steadyVoters(trx)
  const rare: { readonly one: SharedBallot; readonly shares: readonly number[]; readonly chance: number }[] =
    []
  for (const one of shared) {
    const votes = await votesOn(trx, one.one)
    // Without their own, which would make what they do look usual.
    const shares = votes.map(({ same, voters: all }) => share(same - one.readers, all - one.readers))
    const expected = shares.reduce((product, part) => product * part, voters)
    rare.push({ one, shares, chance: chanceOfRare(one.readers, expected) })
  }
  const found: Found[] = []
  for (const { one, shares, chance } of rare.toSorted((a, b) => a.chance - b.chance).slice(0, mostCompared)) {
    if (!isAlike({ readers: one.readers, near: 0, voters, shares })) continue
    const near = await votersNear(trx, one.ballot, await votesOn(trx, one.one))
    if (!isAlike({ readers: one.readers, near, voters, shares })) continue
    found.push({
      ...{ rule: 'alike', key: null, figures: { near, chance } },
      votes: sql`
        select v.subscriber_id, v.tool_id from vote_ballot b join vote v using (subscriber_id)
         where b.ballot = ${one.ballot} and b.votes >= ${leastInRing.votes} and b.issues >= ${leastInRing.issues}`,
    })
  }
  return found
}

/** At least one in all, because nothing is never voted. */
function share(same: number, voters: number): number {
  return Math.min(1, (Math.max(0, same) + 1) / (Math.max(0, voters) + 1))
}

type SignedUp = { readonly id: number; readonly network: string; readonly hours: number }

/** Whoever signs up a ring does it in a sitting, or a few: between two sign-ups of one origin there is no longer than this. */
const longestGap = 48

async function ofOneOrigin(trx: Transaction<Database>, page: Page): Promise<readonly Found[]> {
  const signUps = Map.groupBy(await signUpsBeside(trx, page), ({ network }) => network)
  const found: Found[] = []
  for (const readers of signUps.values())
    for (const group of sittingsOf(readers).filter(({ length }) => length >= leastInRing.origin)) {
      const ids = group.map(({ id }) => id)
      const tools = await toolsVotedBy(trx, ids)
      if (!isOneOrigin(ids.length, tools)) continue
      const theirs = tools.filter(({ ship, skip }) => ship + skip > 1)
      const verdicts = theirs.map(({ ship, skip }) => (ship >= skip ? 'ship' : 'skip'))
      const votes = sql`
        select v.subscriber_id, v.tool_id from vote v
          join unnest(${theirs.map(({ toolId }) => toolId)}::int[], ${verdicts}::text[]) as t (tool_id, verdict)
            on t.tool_id = v.tool_id and t.verdict = v.verdict
         where v.subscriber_id = any (${ids}::bigint[])`
      found.push({ rule: 'origin', key: null, votes, figures: {} })
    }
  return found
}

/** Readers who signed up from the same networks as the voters of a page did, in the order of time, where they are enough. */
async function signUpsBeside(trx: Transaction<Database>, page: Page): Promise<readonly SignedUp[]> {
  const { rows } = await sql<SignedUp>`
    with came as (
      select distinct e.network from consent_event e
       where e.kind = 'signed up' and e.network <> 'unknown'
         and e.subscriber_id in (select subscriber_id from vote where ${isIn(page)})
    ), first as (
      select distinct on (e.network, e.subscriber_id) e.network, e.subscriber_id as id, e.at
        from came join consent_event e on e.network = came.network and e.kind = 'signed up'
       where exists (select from vote v where v.subscriber_id = e.subscriber_id)
       order by e.network, e.subscriber_id, e.at
    ), counted as (
      select *, count(*) over (partition by network) as readers from first
    )
    select id, network, (extract(epoch from at) / 3600)::float8 as hours from counted
     where readers >= ${leastInRing.origin} order by network, at`.execute(trx)
  return rows
}

function sittingsOf(readers: readonly SignedUp[]): readonly (readonly SignedUp[])[] {
  const sittings: SignedUp[][] = []
  for (const reader of readers) {
    const current = sittings.at(-1)
    const before = current?.at(-1)
    if (current && before && reader.hours - before.hours <= longestGap) current.push(reader)
    else sittings.push([reader])
  }
  return sittings
}

async function toolsVotedBy(
  trx: Transaction<Database>,
  ids: readonly number[],
): Promise<readonly (OnTool & { readonly toolId: number })[]> {
  const { rows } = await sql<{
    tool_id: number
    ship: number
    skip: number
    all_ship: number
    all_skip: number
  }>`
    select v.tool_id, count(*) filter (where v.verdict = 'ship')::int as ship,
           count(*) filter (where v.verdict = 'skip')::int as skip, t.ship as all_ship, t.skip as all_skip
      from vote v join vote_tally t on t.tool_id = v.tool_id
     where v.subscriber_id = any (${[...ids]}::bigint[]) group by v.tool_id, t.ship, t.skip order by v.tool_id`.execute(
    trx,
  )
  return rows.map(({ tool_id: toolId, ship, skip, all_ship, all_skip }) => ({
    ...{ toolId, ship, skip },
    others: { ship: Math.max(0, all_ship - ship), skip: Math.max(0, all_skip - skip) },
  }))
}
