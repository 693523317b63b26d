import { sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Bar } from '../subscriber/suppress.ts'
import type { Telling } from './apply-to-deliveries.ts'

/**
 * The addresses that are mailed no more: a hard bounce, a complaint and a suppression by the provider say so at once, a
 * soft bounce when it is the third mail within thirty days, in whatever order those were reported.
 */
export async function barsOf(
  trx: Transaction<Database>,
  telling: readonly Telling[],
): Promise<readonly Bar[]> {
  const atOnce = telling.flatMap(({ subscriberId, address, bars }): Bar[] =>
    bars === null ? [] : [{ subscriberId, address, reason: bars, ends: bars === 'complained' }],
  )
  const soft = telling.filter(({ state }) => state === 'bounced soft')
  return [...atOnce, ...(await thirdTime(trx, soft))]
}

async function thirdTime(trx: Transaction<Database>, soft: readonly Telling[]): Promise<readonly Bar[]> {
  if (soft.length === 0) return []
  const given = JSON.stringify(soft.map(({ subscriberId, address }) => ({ subscriberId, address })))
  const { rows } = await sql<{ subscriberId: number; address: string }>`
    with asked as (
      select distinct * from jsonb_to_recordset(${given}::jsonb) as g ("subscriberId" bigint, address text)
    ), bounced as (
      select g."subscriberId", g.address, f.soft_at
        from asked g
        join feedback f on f.subscriber_id = g."subscriberId" and f.soft_at is not null
        join delivery d
          on d.issue_id = f.issue_id and d.subscriber_id = f.subscriber_id and d.address = g.address
      union all
      select g."subscriberId", g.address, l.soft_at
        from asked g
        join subscriber s on s.id = g."subscriberId"
        join letter l on l.subscriber_id = s.id and l.soft_at is not null
         and coalesce(l.to_address, s.address) = g.address
    ), spans as (
      select "subscriberId", address,
             lead(soft_at, 2) over (partition by "subscriberId", address order by soft_at) - soft_at as three
        from bounced
    )
    select distinct "subscriberId", address from spans where three <= interval '720 hours'`.execute(trx)
  return rows.map((row) => ({ ...row, reason: 'bounced' }))
}
