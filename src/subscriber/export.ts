import type { Kysely, Selectable } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { choicesOf } from './preferences.ts'

/** Everything we hold about one reader, in words of our own tables; instants become RFC 3339 in JSON (GDPR art. 15, 20). */
export type ReaderExport = {
  readonly reader: Omit<Selectable<Database['subscriber']>, 'id'>
  readonly follows: object
  readonly votes: readonly object[]
  readonly departure: object | null
  readonly suppression: readonly object[]
  readonly consent: readonly object[]
  readonly deliveries: readonly object[]
  readonly letters: readonly object[]
  readonly events: readonly object[]
}

/** What is held about a reader, read at one instant; undefined when there is none of that id. */
export async function exportReader(
  db: Kysely<Database>,
  publicId: string,
): Promise<ReaderExport | undefined> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (trx) => {
      const reader = await trx
        .selectFrom('subscriber')
        .selectAll()
        .where('public_id', '=', publicId)
        .executeTakeFirst()
      if (!reader) return undefined
      const { id, ...row } = reader
      const { categories, tools } = await choicesOf(trx, reader)
      return {
        reader: row,
        follows: { categories, tools },
        votes: await votesBy(trx, id),
        departure: await departureOf(trx, id),
        suppression: await suppressionOf(trx, reader.address),
        consent: await consentOf(trx, id),
        deliveries: await deliveriesOf(trx, id),
        letters: await lettersOf(trx, id),
        events: await eventsOf(trx, publicId, id),
      }
    })
}

function votesBy(db: Kysely<Database>, subscriberId: number) {
  return db
    .selectFrom('vote as v')
    .innerJoin('tool as t', 't.id', 'v.tool_id')
    .innerJoin('comparison as c', 'c.id', 'v.comparison_id')
    .select(['t.slug as tool', 'c.slug as comparison', 'v.verdict', 'v.cast_at', 'v.changed_at'])
    .select(['v.network', 'v.set_aside'])
    .where('v.subscriber_id', '=', subscriberId)
    .orderBy('v.cast_at')
    .orderBy('t.slug')
    .execute()
}

async function departureOf(db: Kysely<Database>, subscriberId: number): Promise<object | null> {
  const row = await db
    .selectFrom('departure')
    .select(['at', 'why', 'words'])
    .where('subscriber_id', '=', subscriberId)
    .executeTakeFirst()
  return row ?? null
}

function suppressionOf(db: Kysely<Database>, address: string | null) {
  return db
    .selectFrom('suppression')
    .select(['reason', 'since'])
    .where('address', '=', address ?? '')
    .execute()
}

function consentOf(db: Kysely<Database>, subscriberId: number) {
  return db
    .selectFrom('consent_event')
    .select(['kind', 'at', 'method', 'detail', 'wording', 'form_url', 'network'])
    .where('subscriber_id', '=', subscriberId)
    .orderBy('id')
    .execute()
}

/** Issues first, so that each partition is read by its key and not to its end. */
async function deliveriesOf(db: Kysely<Database>, subscriberId: number) {
  const issues = await db.selectFrom('issue').select('id').where('planned_at', 'is not', null).execute()
  if (issues.length === 0) return []
  return db
    .selectFrom('delivery_state as d')
    .innerJoin('issue as i', 'i.id', 'd.issue_id')
    .leftJoin('feedback as f', (join) =>
      join.onRef('f.issue_id', '=', 'd.issue_id').onRef('f.subscriber_id', '=', 'd.subscriber_id'),
    )
    .select(['i.week', 'i.planned_at', 'd.address', 'd.state', 'd.reason', 'd.provider_id'])
    .select(['f.state as feedback', 'f.at as feedback_at'])
    .where('d.subscriber_id', '=', subscriberId)
    .where(
      'd.issue_id',
      'in',
      issues.map((issue) => issue.id),
    )
    .orderBy('i.week')
    .execute()
}

function lettersOf(db: Kysely<Database>, subscriberId: number) {
  return db
    .selectFrom('letter')
    .select([
      'kind',
      'to_address',
      'created_at',
      'sent_at',
      'given_up_at',
      'reason',
      'feedback',
      'feedback_at',
      'follow_name',
    ])
    .where('subscriber_id', '=', subscriberId)
    .orderBy('created_at')
    .orderBy('id')
    .execute()
}

/** What the provider reported on their mails, with all that it said. */
function eventsOf(db: Kysely<Database>, publicId: string, subscriberId: number) {
  return db
    .selectFrom('provider_event as e')
    .select(['e.type', 'e.email_id', 'e.occurred_at', 'e.received_at', 'e.body'])
    .where('e.subscriber_public_id', '=', publicId)
    .where((eb) =>
      eb.or([
        eb('e.batch_id', 'is', null),
        eb(
          'e.batch_id',
          'in',
          eb.selectFrom('delivery as d').select('d.batch_id').where('d.subscriber_id', '=', subscriberId),
        ),
      ]),
    )
    .orderBy('e.occurred_at')
    .orderBy('e.svix_id')
    .execute()
}
