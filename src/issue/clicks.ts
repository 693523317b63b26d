import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'

/** How often an issue's links were followed since it went out: as counted, and without what was a program by the evidence. */
export type Clicks = {
  readonly raw: number
  readonly filtered: number
  /** Clicks left out, by what gave them away; one click may have several. */
  readonly flagged: { readonly agent: number; readonly trap: number; readonly burst: number }
  /** Each comparison, in the order of the approved edition; then those that only variants have, without a place. */
  readonly links: readonly LinkClicks[]
}

export type LinkClicks = {
  readonly id: string
  readonly place: number | null
  readonly slug: string
  readonly title: string
  readonly target: string
  readonly raw: number
  readonly filtered: number
}

/*
 * The evidence, from the stored clicks alone: asking twice, or having stored them in another order, changes nothing.
 * - agent: it names itself a program, says that it only looks ahead, or says nothing.
 * - trap: within ten minutes the same network and agent followed the link that nobody can see, or asked with HEAD.
 * - burst: within ten seconds the same network followed most of the issue's links, three at least.
 */
const trapWindow = sql`interval '10 minutes'`
const burstWindow = sql`interval '10 seconds'`

/** The clicks of an issue. An issue that has not gone out has none: what editors follow in a preview is not counted. */
export async function clicksOf(db: Kysely<Database>, issueId: number): Promise<Clicks> {
  const counted = sql`
    select link_id, ${judgedCounts} from (${judgedClicks(issueId)}) judged group by link_id`
  return clicksFrom(db, issueId, counted)
}

/** The same from what a job has counted so far: see `rollUpClicks`. */
export async function keptClicksOf(db: Kysely<Database>, issueId: number): Promise<Clicks> {
  const counted = sql`
    select link_id, sum(raw) as raw, sum(filtered) as filtered, sum(agent) as agent, sum(trap) as trap, sum(burst) as burst
      from click_hour where issue_id = ${issueId} group by link_id`
  return clicksFrom(db, issueId, counted)
}

/** The counts of clicks that were judged. */
export const judgedCounts = sql`
  count(*) as raw,
  count(*) filter (where not (by_agent or by_trap or by_burst)) as filtered,
  count(*) filter (where by_agent) as agent,
  count(*) filter (where by_trap) as trap,
  count(*) filter (where by_burst) as burst`

/**
 * An issue's clicks, each with what gave it away, as a query to select from; from an instant on when one is given. Who
 * counts those must begin ten minutes later: what happened before the instant is no evidence here.
 */
export function judgedClicks(issueId: number, since?: Temporal.Instant): RawBuilder<unknown> {
  return sql`
    with hit as (
      select c.link_id, l.kind, c.at, c.network, c.visitor, c.head, c.agent <> 'browser' as by_agent,
             date_trunc('second', c.at) as second,
             case when l.kind = 'trap' or c.head then c.at end as sprung
        from click c
        join link l on l.id = c.link_id
        join issue i on i.id = l.issue_id
       where l.issue_id = ${issueId} and c.at >= i.planned_at ${since ? sql`and c.at >= ${since}` : sql``}
    ), trapped as (
      select *, at - max(sprung) over (partition by visitor order by at) <= ${trapWindow}
             or min(sprung) over (partition by visitor order by at desc) - at <= ${trapWindow} as by_trap
        from hit
    ), step as (
      select distinct network, second, link_id from hit where kind = 'comparison'
    ), around as (
      select network, second, array_agg(link_id) over (
               partition by network order by second range between ${burstWindow} preceding and ${burstWindow} following
             ) as links
        from step
    ), most as (
      select greatest(3, count(*) / 2 + 1) as links from link where issue_id = ${issueId} and position is not null
    ), burst as materialized (
      select distinct network, second from around
       where cardinality(links) >= (select links from most)
         and (select count(distinct link) from unnest(links) as link) >= (select links from most)
    )
    select h.link_id, h.kind, h.at, h.by_agent, coalesce(h.by_trap, false) as by_trap,
           -- Looked up in a hash: PostgreSQL cannot know how many there are, and would join them one with another.
           (h.network, h.second) in (select network, second from burst) as by_burst
      from trapped h
     where not h.head`
}

async function clicksFrom(
  db: Kysely<Database>,
  issueId: number,
  counted: RawBuilder<unknown>,
): Promise<Clicks> {
  const { rows } = await sql<LinkClicks & Clicks['flagged']>`
    select l.id, l.position as place, c.slug, c.title, l.target,
           coalesce(n.raw, 0)::int as raw, coalesce(n.filtered, 0)::int as filtered,
           coalesce(n.agent, 0)::int as agent, coalesce(n.trap, 0)::int as trap, coalesce(n.burst, 0)::int as burst
      from link l
      join comparison c on c.id = l.comparison_id
      left join (${counted}) n on n.link_id = l.id
     where l.issue_id = ${issueId} and (l.position is not null or n.raw > 0)
     order by l.position nulls last, c.title`.execute(db)
  return total(rows)
}

function total(rows: readonly (LinkClicks & Clicks['flagged'])[]): Clicks {
  const sum = (name: 'raw' | 'filtered' | 'agent' | 'trap' | 'burst') =>
    rows.reduce((all, row) => all + row[name], 0)
  return {
    ...{ raw: sum('raw'), filtered: sum('filtered') },
    flagged: { agent: sum('agent'), trap: sum('trap'), burst: sum('burst') },
    links: rows.map(({ agent, trap, burst, ...link }) => link),
  }
}
