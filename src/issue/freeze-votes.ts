import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Votes } from '../verdict/count-votes.ts'
import type { Issue } from './issue.ts'

/** As far as a month's roll-up reaches back. */
const reach = Temporal.Duration.from({ hours: 24 * 70 })

/**
 * Writes down with a draft the votes as they are now, on its own tools and on those of the issues before it, and what it
 * looks back on: the last issue that went out, without what was retracted, at the newest revision as of the cut-off. So
 * whatever is set from the draft later says the same.
 */
export async function freezeVotes(
  trx: Transaction<Database>,
  issue: Issue,
  { ids, cutoff, least }: { ids: readonly number[]; cutoff: Temporal.Instant; least: number },
): Promise<void> {
  await trx.updateTable('issue').set({ fewest_votes: least }).where('id', '=', issue.id).execute()
  await trx.deleteFrom('issue_vote').where('issue_id', '=', issue.id).execute()
  await trx.deleteFrom('issue_outcome').where('issue_id', '=', issue.id).execute()
  await sql`
    insert into issue_vote (issue_id, tool_id, ship, skip)
    select ${issue.id}, v.tool_id, v.ship, v.skip
      from vote_tally v
     where v.ship + v.skip > 0 and v.tool_id in (
       select t.tool_id from comparison_tool t
        where t.comparison_id = any(${[...ids]}::int[])
           or t.comparison_id in (
             select ic.comparison_id from issue_comparison ic join issue i on i.id = ic.issue_id
              where i.planned_at is not null and i.week < ${issue.week}
                and i.due_at > ${issue.due_at.subtract(reach)}::timestamptz))`.execute(trx)
  await sql`
    insert into issue_outcome (issue_id, comparison_id, position, revision)
    select ${issue.id}, ic.comparison_id, ic.position, kept.revision
      from issue_comparison ic join comparison c on c.id = ic.comparison_id
     cross join lateral (
       select max(r.revision) as revision from comparison_revision r
        where r.comparison_id = ic.comparison_id
          and (r.revised_at <= ${cutoff}::timestamptz or r.revision = ic.revision)) kept
     where kept.revision is not null and ic.issue_id = (select id from issue where planned_at is not null and week < ${issue.week}
                           order by week desc limit 1)
       and ic.counts and c.retracted_at is null`.execute(trx)
}

/** The votes that an issue was set with. */
export async function votesOfIssue(db: Kysely<Database>, issueId: number): Promise<Votes> {
  const { fewest_votes: least } = await db
    .selectFrom('issue')
    .select('fewest_votes')
    .where('id', '=', issueId)
    .executeTakeFirstOrThrow()
  const rows = await db
    .selectFrom('issue_vote as v')
    .innerJoin('tool as t', 't.id', 'v.tool_id')
    .select(['t.slug', 'v.ship', 'v.skip'])
    .where('v.issue_id', '=', issueId)
    .execute()
  return { on: new Map(rows.map(({ slug, ship, skip }) => [slug, { ship, skip }])), least }
}
