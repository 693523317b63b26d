import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { BatchState, Database, SubscriberStatus } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'

/** What an operator is woken for, one cheap query each: no reader, delivery or event is counted row by row. */
export type VitalSigns = {
  /**
   * Batches and the mails in them, of what is unfinished and of the newest issue that went out. Mails are members as
   * planned: who left before the claim is among them, so the exact account is `accountOf`.
   */
  readonly batches: readonly {
    readonly week: string
    readonly state: BatchState
    readonly batches: number
    readonly mails: number
  }[]
  readonly quarantinedMails: number
  /** Since the oldest webhook event that is not applied was received; 0 when none waits. */
  readonly eventWaitSeconds: number
  /** Jobs that wait in the queue, by name. */
  readonly jobs: readonly { readonly name: string; readonly waiting: number }[]
  readonly lettersWaiting: number
  /** Exact up to a hundred thousand; beyond that PostgreSQL's own estimate, as fresh as its last ANALYZE. */
  readonly readers: readonly { readonly status: SubscriberStatus; readonly count: number }[]
  /** Complaints on the newest issue that went out, of its mails that were accepted. */
  readonly complaintRatio: number
  /** Readers' votes that stand, those that were set aside among them, and flags on votes that wait for an editor. */
  readonly votes: number
  readonly openFlags: number
  /** Until the next issue is due; negative when it is late. Undefined when there is none. */
  readonly secondsUntilDue: number | undefined
}

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock }

/** Above this many readers they are estimated. */
const mostCounted = 100_000

/**
 * Takes the newsletter's pulse, one query after another so that it never has more than one connection. Cheap, yet not
 * free: ask every few seconds, not on every request.
 */
export async function vitalSigns({ db, clock }: Deps): Promise<VitalSigns> {
  const now = clock()
  const batches = await batchesOf(db)
  const event = await oldestEvent(db)
  const due = await nextDue(db)
  return {
    batches,
    quarantinedMails: await numberOf(db, quarantined),
    eventWaitSeconds: event ? Math.max(0, event.received_at.until(now).total('seconds')) : 0,
    jobs: await jobsOf(db),
    lettersWaiting: await numberOf(db, lettersToSend),
    readers: await readersOf(db),
    complaintRatio: ratioOf(await complaintsOfNewest(db), batches),
    votes: await numberOf(db, standingVotes),
    openFlags: await numberOf(db, flagsToJudge),
    secondsUntilDue: due && now.until(due.due_at).total('seconds'),
  }
}

type Count = { readonly n: number }

const quarantined = sql<Count>`
  select coalesce(sum(size), 0) as n from batch where state = 'quarantined'`

const lettersToSend = sql<Count>`
  select count(*) as n from letter where sent_at is null and given_up_at is null`

const standingVotes = sql<Count>`
  select coalesce(sum(ship + skip + set_aside), 0) as n from vote_tally`

const flagsToJudge = sql<Count>`
  select count(*) as n from vote_flag where state = 'open'`

const readersThereMayBe = sql<Count>`
  select reltuples::float8 as n from pg_class where oid = 'subscriber'::regclass`

async function numberOf(db: Kysely<Database>, query: RawBuilder<Count>): Promise<number> {
  const { rows } = await query.execute(db)
  return rows[0]?.n ?? 0
}

async function batchesOf(db: Kysely<Database>): Promise<VitalSigns['batches']> {
  const { rows } = await sql<VitalSigns['batches'][number]>`
    select i.week, b.state, count(*) as batches, sum(b.size) as mails
      from issue i join batch b on b.issue_id = i.id
     where i.state in ('sending', 'paused')
        or i.id = (select id from issue where planned_at is not null order by planned_at desc limit 1)
     group by i.week, b.state
     order by i.week, b.state`.execute(db)
  return rows
}

/** The queue makes its tables by itself, and may not have yet. */
async function jobsOf(db: Kysely<Database>): Promise<VitalSigns['jobs']> {
  const { rows } = await sql<{ is_there: boolean }>`
    select to_regclass('pgboss.job') is not null as is_there`.execute(db)
  if (!rows[0]?.is_there) return []
  const waiting = await sql<VitalSigns['jobs'][number]>`
    select q.name, count(j.id) as waiting
      from pgboss.queue q left join pgboss.job j on j.name = q.name and j.state in ('created', 'retry')
     group by q.name order by q.name`.execute(db)
  return waiting.rows
}

async function readersOf(db: Kysely<Database>): Promise<VitalSigns['readers']> {
  const about = await numberOf(db, readersThereMayBe)
  const { rows } = await (about > mostCounted ? estimatedReaders : countedReaders).execute(db)
  return rows
}

const countedReaders = sql<VitalSigns['readers'][number]>`
  select status, count(*) as count from subscriber group by status order by status`

const estimatedReaders = sql<VitalSigns['readers'][number]>`
  select value as status, round(c.reltuples * frequency)::int as count
    from pg_class c, pg_stats s,
         unnest(s.most_common_vals::text::text[], s.most_common_freqs) as common(value, frequency)
   where c.oid = 'subscriber'::regclass and s.schemaname = 'public'
     and s.tablename = 'subscriber' and s.attname = 'status'
   order by value`

type Complaints = { readonly week: string; readonly count: number }

/** The issue's own counter of them, beside the newest issue that went out. */
function complaintsOfNewest(db: Kysely<Database>): Promise<Complaints | undefined> {
  return db
    .selectFrom('issue as i')
    .leftJoin('issue_feedback as f', 'f.issue_id', 'i.id')
    .select((eb) => ['i.week', eb.fn.coalesce('f.complained', sql<number>`0`).as('count')])
    .where('i.planned_at', 'is not', null)
    .orderBy('i.planned_at', 'desc')
    .limit(1)
    .executeTakeFirst()
}

function ratioOf(complaints: Complaints | undefined, batches: VitalSigns['batches']): number {
  const accepted = batches.find(({ week, state }) => week === complaints?.week && state === 'accepted')
  return complaints && accepted ? complaints.count / accepted.mails : 0
}

function oldestEvent(db: Kysely<Database>) {
  return db.selectFrom('event_to_apply').select('received_at').orderBy('id').limit(1).executeTakeFirst()
}

function nextDue(db: Kysely<Database>) {
  return db
    .selectFrom('issue')
    .select('due_at')
    .where('state', 'in', ['scheduled', 'draft', 'approved', 'held'])
    .orderBy('due_at')
    .limit(1)
    .executeTakeFirst()
}
