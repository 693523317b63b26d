import { type Kysely, sql } from 'kysely'
import type { Database, IssueState } from '../../db/schema.ts'

/** A quarantined batch as a list shows it. `heard`: of how many of its readers webhooks have told. */
export type ListedDoubt = {
  readonly batchId: string
  readonly week: string
  readonly issueState: IssueState
  readonly timezone: string
  readonly reason: string | null
  readonly readers: number
  readonly heard: number
  readonly triedAt: Temporal.Instant | null
}

/** Quarantined batches, of the newest issue first: of one week or of all, those after a batch or the first. */
export async function listDoubts(
  db: Kysely<Database>,
  { week, after, most }: { week?: string | undefined; after?: string | undefined; most: number },
): Promise<readonly ListedDoubt[]> {
  const { rows } = await sql<ListedDoubt>`
    with cursor as (
      select i.week, b.ordinal, b.id from batch b join issue i on i.id = b.issue_id where b.id = ${after ?? null}::uuid
    ), page as (
      select b.id, b.issue_id, b.ordinal, b.reason, i.week, i.state, i.timezone
        from batch b join issue i on i.id = b.issue_id
       where b.state = 'quarantined'
         and (${week ?? null}::text is null or i.week = ${week ?? null})
         and (${after ?? null}::uuid is null or exists (
           select from cursor c where i.week < c.week or (i.week = c.week and (b.ordinal, b.id) > (c.ordinal, c.id))))
       order by i.week desc, b.ordinal, b.id
       limit ${most}
    )
    select p.id as "batchId", p.week, p.state as "issueState", p.timezone, p.reason,
           (select count(*)::int from delivery d
             where d.issue_id = p.issue_id and d.batch_id = p.id and d.exception is null) as readers,
           (select count(distinct e.subscriber_public_id)::int from provider_event e
             where e.batch_id = p.id and e.type like 'email.%') as heard,
           (select max(a.started_at) from attempt a where a.batch_id = p.id) as "triedAt"
      from page p
     order by p.week desc, p.ordinal, p.id`.execute(db)
  return rows
}
