import { sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import {
  type FromNetwork,
  leastInBurst,
  networkBurst,
  newcomerBursts,
  paceBursts,
  type Slice,
} from './burst.ts'
import type { Found } from './flag.ts'
import { isIn, type Page } from './page.ts'
import { beginOf, isNewcomer, slicesOf } from './slice.ts'

/** The bursts that the votes of a page are part of. */
export async function findBursts(trx: Transaction<Database>, page: Page): Promise<readonly Found[]> {
  const season = await slicesOf(trx, page)
  const tools = await toolsIn(trx, page)
  return [
    ...atAPace(season, tools, page),
    ...byNewcomers(season, tools, page),
    ...(await fromNetworks(trx, season, page)),
  ]
}

/** All windows of a tool and direction within a season are one flag. */
function atAPace(season: readonly Slice[], tools: ReadonlySet<number>, page: Page): readonly Found[] {
  const bursts = Map.groupBy(
    paceBursts(season, tools),
    ({ toolId, verdict }) => `pace/${toolId}/${verdict}/${page.season.epochMilliseconds}`,
  )
  return [...bursts].flatMap(([key, windows]) => {
    const [first] = windows
    if (!first) return []
    const { toolId, verdict } = first
    const spans = windows.map(
      ({ from, to }) =>
        sql`v.changed_at >= ${beginOf(from)}::timestamptz and v.changed_at < ${beginOf(to)}::timestamptz`,
    )
    const usual = Math.max(...windows.map((window) => window.usual))
    const chance = Math.min(...windows.map((window) => window.chance))
    const votes = sql`
      select v.subscriber_id, v.tool_id from vote v
       where v.tool_id = ${toolId} and v.verdict = ${verdict} and v.changed_at > ${page.season}
         and (${sql.join(spans, sql` or `)})`
    return [{ rule: 'pace' as const, key, votes, figures: { usual: Math.ceil(usual), chance } }]
  })
}

function byNewcomers(season: readonly Slice[], tools: ReadonlySet<number>, page: Page): readonly Found[] {
  return newcomerBursts(season, tools).map(({ toolId, verdict, usual, chance }) => ({
    ...{ rule: 'newcomers', key: `newcomers/${toolId}/${verdict}/${page.season.epochMilliseconds}` },
    figures: { usual: Math.ceil(usual), chance },
    votes: sql`
      select v.subscriber_id, v.tool_id from vote v join subscriber s on s.id = v.subscriber_id
       where v.tool_id = ${toolId} and v.verdict = ${verdict} and v.changed_at > ${page.season}
         and v.changed_at <= ${page.until} and ${isNewcomer}`,
  }))
}

type NetworkVotes = FromNetwork & {
  readonly network: string
  readonly key: string
  readonly toolId: number
  readonly toolShip: number
  readonly toolSkip: number
}

async function fromNetworks(
  trx: Transaction<Database>,
  season: readonly Slice[],
  page: Page,
): Promise<readonly Found[]> {
  const byTool = Map.groupBy(season, ({ toolId }) => toolId)
  return (await networksIn(trx, page)).flatMap((row) => {
    const own = byTool.get(row.toolId) ?? []
    const seasonal = {
      votes: own.reduce((sum, { votes }) => sum + votes, 0),
      newcomers: own.reduce((sum, { newcomers }) => sum + newcomers, 0),
    }
    const burst = networkBurst(row, { ship: row.toolShip, skip: row.toolSkip }, seasonal)
    if (!burst) return []
    const { verdict, by, usual, chance } = burst
    const votes = sql`
      select v.subscriber_id, v.tool_id from vote v join subscriber s on s.id = v.subscriber_id
       where v.network = ${row.network} and v.tool_id = ${row.toolId} and v.verdict = ${verdict}
         ${by === 'newcomers' ? sql`and ${isNewcomer}` : sql``}`
    const key = `network/${row.key}/${row.toolId}/${verdict}`
    return [{ rule: 'network' as const, key, votes, figures: { by, usual: Math.ceil(usual), chance } }]
  })
}

/** The networks of a page, each with all its votes on the tools that it voted on in it. What no address is known of is no network. */
async function networksIn(trx: Transaction<Database>, page: Page): Promise<readonly NetworkVotes[]> {
  const { rows } = await sql<NetworkVotes>`
    with seen as (
      select distinct network, tool_id from vote where ${isIn(page)} and network <> 'unknown'
    ), many as (
      select network, tool_id from seen join vote using (network, tool_id)
       group by network, tool_id having count(*) >= ${leastInBurst.newInNetwork}
    )
    select v.network, md5(v.network) as key, v.tool_id as "toolId",
           count(*) filter (where v.verdict = 'ship')::int as ship,
           count(*) filter (where v.verdict = 'skip')::int as skip,
           count(*) filter (where v.verdict = 'ship' and ${isNewcomer})::int as "newShip",
           count(*) filter (where v.verdict = 'skip' and ${isNewcomer})::int as "newSkip",
           coalesce(t.ship, 0) as "toolShip", coalesce(t.skip, 0) as "toolSkip"
      from many m join vote v on v.network = m.network and v.tool_id = m.tool_id
      join subscriber s on s.id = v.subscriber_id
      left join vote_tally t on t.tool_id = v.tool_id
     group by v.network, v.tool_id, t.ship, t.skip`.execute(trx)
  return rows
}

async function toolsIn(trx: Transaction<Database>, page: Page): Promise<ReadonlySet<number>> {
  const { rows } = await sql<{ tool_id: number }>`
    select distinct tool_id from vote where ${isIn(page)}`.execute(trx)
  return new Set(rows.map(({ tool_id }) => tool_id))
}
