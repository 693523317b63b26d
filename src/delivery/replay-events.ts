import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import type { EventRecord, RecordedEvent } from '../mail/resend-events.ts'
import { readEvent } from './event.ts'
import { keepEvents } from './keep-events.ts'

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock; readonly record: EventRecord }

/** How many events the provider has on record, how many of them we lacked, and how many of those could not be read. */
export type Replayed = { readonly recorded: number; readonly missed: number; readonly unreadable: number }

/**
 * Takes in what a webhook should have brought since an instant and did not. Each event is fetched, so it works while our
 * own address cannot be reached from outside. Should an event come again by the webhook, it has no second effect.
 */
export async function replayEvents(
  { db, clock, record }: Deps,
  webhookId: string,
  since: Temporal.Instant,
  onPage: (recorded: number) => void = () => {},
): Promise<Replayed> {
  const sum = { recorded: 0, missed: 0, unreadable: 0 }
  for await (const page of record.since(webhookId, since)) {
    sum.recorded += page.length
    for (const { id } of await missing(db, page)) {
      const read = readEvent(await record.payload(webhookId, id), { svixId: id, receivedAt: clock() })
      if (read.ok) sum.missed += await keepEvents(db, [read.event])
      else sum.unreadable += 1
    }
    onPage(sum.recorded)
  }
  return sum
}

async function missing(
  db: Kysely<Database>,
  page: readonly RecordedEvent[],
): Promise<readonly RecordedEvent[]> {
  const ids = page.map(({ id }) => id)
  const rows = await db
    .selectFrom('provider_event')
    .select('svix_id')
    .where('svix_id', 'in', [...ids, ''])
    .execute()
  const known = new Set(rows.map(({ svix_id }) => svix_id))
  return page.filter(({ id }) => !known.has(id))
}
