import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { watchVotes } from '../../src/vote/watch.ts'
import { join, type Poll, storeVotes } from './crowd.ts'

/**
 * Sixty readers vote on the tools of the newest issue that went out, in an hour; a day later fourteen ship the second
 * within four minutes. They have all left the list since, so that it is as long as before. Returns the number of the flag.
 */
export async function flaggedVotes(db: Kysely<Database>): Promise<number> {
  const polls = await newestPolls(db)
  const [other, target] = polls
  if (!other || !target) throw new Error('No issue has gone out')
  const since = Temporal.Instant.from('2026-05-01T12:00:00Z')
  const voters = await join(
    db,
    Array.from({ length: 74 }, (_, n) => ({ network: `198.18.${n}.0/24`, confirmedAt: since })),
  )
  const at = (minutes: number) => other.mailedAt.add({ seconds: Math.round(minutes * 60) })
  await storeVotes(db, [
    ...voters
      .slice(0, 60)
      .flatMap((voter, n) => [
        { voter, poll: other, verdict: n % 5 === 0 ? 'skip' : 'ship', at: at(5 + n) } as const,
        { voter, poll: target, verdict: n % 4 === 0 ? 'ship' : 'skip', at: at(5.5 + n) } as const,
      ]),
    ...voters
      .slice(60)
      .map((voter, n) => ({ voter, poll: target, verdict: 'ship', at: at(1440 + n / 4) }) as const),
  ])
  await db
    .updateTable('subscriber')
    .set({ status: 'unsubscribed', unsubscribed_at: at(2000) })
    .where(
      'id',
      'in',
      voters.map(({ id }) => id),
    )
    .execute()
  await watchVotes({ db, clock: () => at(2880) })
  const { id } = await db.selectFrom('vote_flag').select('id').executeTakeFirstOrThrow()
  return id
}

async function newestPolls(db: Kysely<Database>): Promise<readonly Poll[]> {
  const rows = await db
    .selectFrom('issue as i')
    .innerJoin('issue_comparison as ic', 'ic.issue_id', 'i.id')
    .innerJoin('comparison_tool as t', 't.comparison_id', 'ic.comparison_id')
    .select(['i.id as issueId', 'ic.comparison_id as comparisonId', 't.tool_id as toolId', 'i.planned_at'])
    .where('i.planned_at', 'is not', null)
    .orderBy('i.week', 'desc')
    .orderBy('ic.position')
    .orderBy('t.side')
    .limit(2)
    .execute()
  return rows.flatMap(({ planned_at: mailedAt, ...row }) =>
    mailedAt ? [{ ...row, mailedAt, place: 0 }] : [],
  )
}
