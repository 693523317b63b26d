import { sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Evidence, Figures } from './flag.ts'
import { isNewcomer } from './slice.ts'

/** Networks and tools that are named; of more only how many there are. */
const mostNamed = 10

/** What speaks for a flag, from the votes that it is made of. */
export async function gatherEvidence(
  trx: Transaction<Database>,
  flagId: number,
  figures: Figures,
): Promise<Evidence> {
  const { rows } = await sql<Omit<Evidence, 'figures' | 'networks' | 'tools' | 'signedUp'>>`
    select count(distinct v.subscriber_id)::int as readers, count(*)::int as votes,
           count(*) filter (where ${isNewcomer})::int as newcomers,
           count(distinct v.subscriber_id) filter (where s.status not in ('confirmed', 'paused'))::int as left,
           to_json(min(v.changed_at)) #>> '{}' as "from", to_json(max(v.changed_at)) #>> '{}' as "to",
           count(distinct v.network)::int as "allNetworks"
      ${votesOf(flagId)}`.execute(trx)
  const [sums] = rows
  if (!sums) throw new Error(`Flag ${flagId} has no votes`)
  return {
    ...{ ...sums, figures, networks: await networksOf(trx, flagId) },
    ...{ tools: await toolsOf(trx, flagId), signedUp: await signUpsOf(trx, flagId) },
  }
}

function votesOf(flagId: number) {
  return sql`
    from vote_flag_vote m join vote v using (subscriber_id, tool_id)
    join subscriber s on s.id = v.subscriber_id
   where m.flag_id = ${flagId}`
}

async function networksOf(trx: Transaction<Database>, flagId: number): Promise<Evidence['networks']> {
  const { rows } = await sql<Evidence['networks'][number]>`
    select v.network, count(*)::int as votes ${votesOf(flagId)}
     group by v.network order by votes desc, v.network limit ${mostNamed}`.execute(trx)
  return rows.map(({ network, votes }) => ({ network: maskNetwork(network), votes }))
}

async function toolsOf(trx: Transaction<Database>, flagId: number): Promise<Evidence['tools']> {
  const { rows } = await sql<Evidence['tools'][number]>`
    select v.tool_id as "toolId", count(*) filter (where v.verdict = 'ship')::int as ship,
           count(*) filter (where v.verdict = 'skip')::int as skip ${votesOf(flagId)}
     group by v.tool_id order by count(*) desc, v.tool_id`.execute(trx)
  return rows
}

/** Null where some of them never signed up by a form. */
async function signUpsOf(trx: Transaction<Database>, flagId: number): Promise<Evidence['signedUp']> {
  const { rows } = await sql<{
    readers: number
    came: number
    from: string
    to: string
    form: string | null
  }>`
    with reader as (select distinct subscriber_id from vote_flag_vote where flag_id = ${flagId}),
         came as (select distinct on (e.subscriber_id) e.subscriber_id, e.at, e.form_url
                    from consent_event e join reader using (subscriber_id)
                   where e.kind = 'signed up' order by e.subscriber_id, e.at)
    select (select count(*) from reader)::int as readers, count(*)::int as came,
           to_json(min(at)) #>> '{}' as "from", to_json(max(at)) #>> '{}' as "to",
           case when count(distinct form_url) = 1 and count(form_url) = count(*) then min(form_url) end as form
      from came`.execute(trx)
  const [found] = rows
  if (!found || found.came < found.readers) return null
  return { from: found.from, to: found.to, form: found.form }
}

/** "203.0.…", "2001:db8:…": enough to tell two apart, and half of what is kept with the vote. */
function maskNetwork(network: string): string {
  const mark = network.includes(':') ? ':' : '.'
  const parts = network.split(mark)
  return parts.length > 2 ? `${parts.slice(0, 2).join(mark)}${mark}…` : network
}
