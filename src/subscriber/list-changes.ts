import { type Kysely, sql } from 'kysely'
import type { Database, ListChange } from '../../db/schema.ts'

/** How many readers came onto the list, or went off it, on a day (`2026-11-20`, in a zone) for one reason. */
export type Changes = { readonly day: string; readonly what: ListChange; readonly readers: number }

/** The reasons for which the list grows; all others make it shrink. */
export const cameBy = [
  'confirmed',
  'imported',
  'resubscribed',
  'resumed',
] as const satisfies readonly ListChange[]
export const wentBy = [
  ...([
    'unsubscribed',
    'bounced',
    'complained',
    'paused',
    'erased',
    'by hand',
  ] as const satisfies readonly ListChange[]),
]

const on = sql`('confirmed', 'imported', 'resubscribed', 'resumed')`
const moves = sql`('confirmed', 'imported', 'resubscribed', 'resumed', 'unsubscribed', 'paused', 'erased')`

/**
 * Who came onto the list and who went off it in [from, to), each change counted once: a reader who leaves while they are
 * paused, or whose address was barred before, had gone already. From the consent record and the suppressions; one that was
 * lifted since is not among them.
 */
export async function listChanges(
  db: Kysely<Database>,
  { from, to, zone }: { from: Temporal.Instant; to: Temporal.Instant; zone: string },
): Promise<readonly Changes[]> {
  const { rows } = await sql<Changes>`
    with said as (
      select e.id, e.subscriber_id, e.at, e.kind, e.kind in ${on} as is_on,
             coalesce((select p.kind in ${on} from consent_event p
                        where p.subscriber_id = e.subscriber_id and p.id < e.id and p.kind in ${moves}
                        order by p.id desc limit 1), false) as was_on
        from consent_event e
       where e.at >= ${from} and e.at < ${to} and e.kind in ${moves}
    ), change as (
      select c.at, c.kind as what from said c
       where c.is_on <> c.was_on and not exists (
         select from subscriber s join suppression x on x.address = s.address
          where s.id = c.subscriber_id and x.since <= c.at)
      union all
      select x.since, x.reason
        from suppression x join subscriber s on s.address = x.address
       where x.since >= ${from} and x.since < ${to} and x.reason <> 'erased'
         and (select p.kind in ${on} from consent_event p
               where p.subscriber_id = s.id and p.at <= x.since and p.kind in ${moves} and p.method <> 'complaint'
               order by p.id desc limit 1)
    )
    select (at at time zone ${zone})::date::text as day, what, count(*)::int as readers
      from change group by 1, 2 order by 1, 2`.execute(db)
  return rows
}
