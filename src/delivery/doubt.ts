import { type Kysely, type NotNull, type Selectable, sql } from 'kysely'
import type { Database, IssueState } from '../../db/schema.ts'
import { eventsAbout } from './evidence.ts'

/** A reader of a batch in doubt; `providerId` is there when something proves that the provider took their mail. */
export type DoubtfulMember = {
  readonly subscriberId: number
  readonly publicId: string
  readonly slot: number
  readonly address: string | null
  readonly providerId: string | null
  readonly proof: 'webhook' | 'log' | 'list' | null
}

/** What the provider's own log says: `took it`, `did not take it`, or that it was not asked, or cannot tell. */
export type ProviderSays = 'took it' | 'did not take it' | 'cannot tell' | 'was not asked'

/** A batch of which nobody knows whether it was sent, with everything that speaks for the one or the other. */
export type Doubt = {
  readonly batchId: string
  readonly issueId: number
  readonly week: string
  readonly issueState: IssueState
  readonly plannedAt: Temporal.Instant | null
  readonly editionHash: string
  readonly state: 'unknown' | 'quarantined'
  readonly reason: string | null
  readonly generation: number
  readonly fence: number
  readonly firstUsedAt: Temporal.Instant | null
  readonly members: readonly DoubtfulMember[]
  readonly attempts: readonly Selectable<Database['attempt']>[]
  readonly events: readonly { readonly type: string; readonly readers: number }[]
  readonly provider: ProviderSays
}

/** The batches in doubt, the oldest issue first; of one week, or of all. */
export async function batchesInDoubt(
  db: Kysely<Database>,
  { states = ['quarantined'], week }: { states?: readonly Doubt['state'][]; week?: string | undefined } = {},
): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('batch as b')
    .innerJoin('issue as i', 'i.id', 'b.issue_id')
    .select('b.id')
    .where('b.state', 'in', states)
    .$if(week !== undefined, (query) => query.where('i.week', '=', week ?? ''))
    .orderBy('i.week')
    .orderBy('b.ordinal')
    .orderBy('b.id')
    .execute()
  return rows.map(({ id }) => id)
}

/** What the tables know of a batch in doubt; undefined when it is in none. */
export async function lookInto(db: Kysely<Database>, batchId: string): Promise<Doubt | undefined> {
  const batch = await db
    .selectFrom('batch as b')
    .innerJoin('issue as i', 'i.id', 'b.issue_id')
    .select(['b.id as batchId', 'b.issue_id as issueId', 'i.week', 'i.state as issueState', 'b.state'])
    .select(['b.edition_hash as editionHash', 'b.reason', 'b.generation', 'b.fence'])
    .select(['b.first_used_at as firstUsedAt', 'i.planned_at as plannedAt'])
    .where('b.id', '=', batchId)
    .where('b.state', 'in', ['unknown', 'quarantined'])
    .$narrowType<{ state: 'unknown' | 'quarantined' }>()
    .executeTakeFirst()
  if (!batch) return undefined
  const events = await eventsAbout(db, batchId)
  const idOf = new Map(events.map(({ subscriberId, emailId }) => [subscriberId, emailId]))
  const members = await membersOf(db, batch)
  return {
    ...batch,
    members: members.map((member) => {
      const providerId = idOf.get(member.subscriberId) ?? null
      return { ...member, providerId, proof: providerId === null ? null : 'webhook' }
    }),
    attempts: await db
      .selectFrom('attempt')
      .selectAll()
      .where('batch_id', '=', batchId)
      .orderBy('fence')
      .execute(),
    events: countedByType(events),
    provider: 'was not asked',
  }
}

/** The batch whose id begins so; more than one when that is not enough to tell. */
export async function batchesCalled(
  db: Kysely<Database>,
  beginning: string,
): Promise<readonly { readonly id: string; readonly state: string }[]> {
  return db
    .selectFrom('batch')
    .select(['id', 'state'])
    .where(sql<string>`id::text`, 'like', `${beginning}%`)
    .limit(2)
    .execute()
}

function membersOf(db: Kysely<Database>, batch: { batchId: string; issueId: number }) {
  return db
    .selectFrom('delivery as d')
    .innerJoin('subscriber as s', 's.id', 'd.subscriber_id')
    .select(['d.subscriber_id as subscriberId', 's.public_id as publicId', 'd.slot', 'd.address'])
    .where('d.issue_id', '=', batch.issueId)
    .where('d.batch_id', '=', batch.batchId)
    .where('d.exception', 'is', null)
    .where('d.slot', 'is not', null)
    .$narrowType<{ slot: NotNull }>()
    .orderBy('d.slot')
    .execute()
}

function countedByType(
  events: readonly { readonly type: string; readonly subscriberId: number }[],
): Doubt['events'] {
  const readers = Map.groupBy(events, ({ type }) => type)
  return [...readers].map(([type, about]) => ({
    type,
    readers: new Set(about.map(({ subscriberId }) => subscriberId)).size,
  }))
}
