import { sql, type Transaction } from 'kysely'
import type { Database, ReviewVerdict } from '../../db/schema.ts'
import { isIn, type Page } from './page.ts'
import { leastInRing } from './ring.ts'

/** Brings the ballots of a page's voters up to date. Returns those that several voters may have alike. */
export async function keepBallots(trx: Transaction<Database>, page: Page): Promise<readonly string[]> {
  const { rows } = await sql<{ ballot: string }>`
    with kept as (
      insert into vote_ballot as b (subscriber_id, votes, issues, ballot)
      select v.subscriber_id, count(*), count(distinct v.issue_id),
             md5(string_agg(v.tool_id || v.verdict, ' ' order by v.tool_id))
        from vote v
       where v.subscriber_id in (select subscriber_id from vote where ${isIn(page)})
       group by v.subscriber_id order by v.subscriber_id
      on conflict (subscriber_id) do update
         set votes = excluded.votes, issues = excluded.issues, ballot = excluded.ballot
      returning votes, issues, ballot
    )
    select distinct ballot from kept where votes >= ${leastInRing.votes} and issues >= ${leastInRing.issues}`.execute(
    trx,
  )
  return rows.map(({ ballot }) => ballot)
}

/** A ballot that several readers have, and one of them. */
export type SharedBallot = { readonly ballot: string; readonly readers: number; readonly one: number }

/** Of some ballots those that enough readers share to be a ring. */
export async function sharedBallots(
  trx: Transaction<Database>,
  ballots: readonly string[],
): Promise<readonly SharedBallot[]> {
  const { rows } = await sql<SharedBallot>`
    select ballot, count(*)::int as readers, min(subscriber_id) as one from vote_ballot
     where ballot = any (${[...ballots]}::text[]) and votes >= ${leastInRing.votes} and issues >= ${leastInRing.issues}
     group by ballot having count(*) >= ${leastInRing.alike}`.execute(trx)
  return rows
}

/** A vote of a ballot, how many voted the same, and how many voted on any tool of that issue at the least. */
export type BallotVote = {
  readonly toolId: number
  readonly verdict: ReviewVerdict
  readonly same: number
  readonly voters: number
}

/** The votes that a reader's ballot consists of. */
export async function votesOn(
  trx: Transaction<Database>,
  subscriberId: number,
): Promise<readonly BallotVote[]> {
  const { rows } = await sql<BallotVote>`
    select v.tool_id as "toolId", v.verdict, case v.verdict when 'ship' then t.ship else t.skip end as same,
           (select max(o.ship + o.skip) from issue_comparison ic
              join comparison_tool ct on ct.comparison_id = ic.comparison_id
              join vote_tally o on o.tool_id = ct.tool_id
             where ic.issue_id = v.issue_id) as voters
      from vote v join vote_tally t on t.tool_id = v.tool_id
     where v.subscriber_id = ${subscriberId} order by v.tool_id`.execute(trx)
  return rows
}

/** How many readers voted in as many issues as a ring must. */
export async function steadyVoters(trx: Transaction<Database>): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    select count(*)::int as n from vote_ballot
     where votes >= ${leastInRing.votes} and issues >= ${leastInRing.issues}`.execute(trx)
  return rows[0]?.n ?? 0
}

/** How many readers have a ballot that differs from this one by a vote more, a vote less, or a vote the other way. */
export async function votersNear(
  trx: Transaction<Database>,
  ballot: string,
  votes: readonly BallotVote[],
): Promise<number> {
  const tools = votes.map(({ toolId }) => toolId)
  const verdicts = votes.map(({ verdict }) => verdict)
  const { rows } = await sql<{ n: number }>`
    with near as (
      select v.subscriber_id from vote v
        join unnest(${tools}::int[], ${verdicts}::text[]) as b (tool_id, verdict)
          on b.tool_id = v.tool_id and b.verdict = v.verdict
       group by v.subscriber_id having count(*) >= ${votes.length - 1})
    select count(*)::int as n from near join vote_ballot b using (subscriber_id)
     where b.ballot <> ${ballot} and b.votes between ${votes.length - 1} and ${votes.length + 1}`.execute(trx)
  return rows[0]?.n ?? 0
}
