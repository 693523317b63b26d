import { type Kysely, sql } from 'kysely'
import type { Cadence, Database, SubscriberStatus } from '../../db/schema.ts'
import { type BarReason, barReasons } from './suppress.ts'
import type { SuppressionReason } from './suppressed.ts'

/** A reader in a list. Where `publicId` is null, an address is suppressed that no reader has. */
export type ListedReader = {
  /** Where the list goes on after this one. */
  readonly cursor: number
  readonly publicId: string | null
  readonly address: string | null
  readonly status: SubscriberStatus | null
  readonly cadence: Cadence | null
  /** Since when they are known here; in a list of suppressions, since when they are suppressed. */
  readonly since: Temporal.Instant
  readonly barred: SuppressionReason | null
}

export const readerStatuses = ['pending', 'confirmed', 'paused', 'unsubscribed', 'erased'] as const

/** Whom a list shows: everybody, those of one status, or those whose address is suppressed for one reason. */
export const readerFilters = ['everybody', ...readerStatuses, ...barReasons] as const
export type ReaderFilter = (typeof readerFilters)[number]

type Page = { readonly before?: number | undefined; readonly most: number }

/** Readers, newest first; those before a cursor or the newest. Each page is a range of an index. */
export async function browseReaders(
  db: Kysely<Database>,
  filter: ReaderFilter,
  page: Page,
): Promise<readonly ListedReader[]> {
  const reason = barReasons.find((known) => known === filter)
  return reason ? barredFor(db, reason, page) : ofStatus(db, filter, page)
}

async function ofStatus(
  db: Kysely<Database>,
  filter: ReaderFilter,
  { before, most }: Page,
): Promise<readonly ListedReader[]> {
  const page = db
    .selectFrom('subscriber')
    .selectAll()
    .$if(filter !== 'everybody', (query) => query.where('status', '=', filter as SubscriberStatus))
    .$if(before !== undefined, (query) => query.where('id', '<', before ?? 0))
    .orderBy('id', 'desc')
    .limit(most)
  return db
    .selectFrom(page.as('s'))
    .leftJoin('suppression as x', 'x.address', 's.address')
    .select(['s.id as cursor', 's.public_id as publicId', 's.address', 's.status', 's.cadence'])
    .select(['s.created_at as since', 'x.reason as barred'])
    .orderBy('s.id', 'desc')
    .execute()
}

async function barredFor(
  db: Kysely<Database>,
  reason: BarReason,
  { before = 2 ** 31 - 1, most }: Page,
): Promise<readonly ListedReader[]> {
  const { rows } = await sql<ListedReader>`
    select x.id as cursor, s.public_id as "publicId", x.address, s.status, s.cadence, x.since, x.reason as barred
      from (select * from suppression
             where reason = ${reason} and address is not null and id < ${before}
             order by id desc limit ${most}::int) x
      left join subscriber s on s.address = x.address
     order by x.id desc`.execute(db)
  return rows
}
