import { type Kysely, sql } from 'kysely'
import type { Database, SubscriberStatus } from '../../db/schema.ts'

/** A reader as a list shows them; `consent` is the last thing that says why they may be mailed. */
export type ListedReader = {
  readonly id: number
  readonly address: string
  readonly status: SubscriberStatus
  readonly cadence: string
  readonly created_at: Temporal.Instant
  readonly confirmed_at: Temporal.Instant | null
  readonly consent: string
}

const pageSize = 2000

/** Everybody who has an address, in the order in which they came, a page at a time: memory does not grow with the list. */
export async function* listReaders(db: Kysely<Database>): AsyncGenerator<readonly ListedReader[]> {
  let after = 0
  for (;;) {
    const { rows } = await sql<ListedReader>`
      select s.id, s.address, s.status, s.cadence, s.created_at, s.confirmed_at, coalesce(given.words, '') as consent
        from subscriber s left join lateral (
          select e.kind || ', ' || e.method || coalesce(': ' || e.detail, '') as words from consent_event e
           where e.subscriber_id = s.id and e.kind in ('signed up', 'confirmed', 'imported', 'resubscribed')
           order by e.id desc limit 1) given on true
       where s.id > ${after} and s.address is not null
       order by s.id limit ${pageSize}::int`.execute(db)
    if (rows.length > 0) yield rows
    const last = rows.at(-1)
    if (!last || rows.length < pageSize) return
    after = last.id
  }
}
