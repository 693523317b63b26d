import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { rollUp } from '../../jobs/roll-up.ts'
import { preparePartition } from '../../src/delivery/plan.ts'
import { clockAt } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { friday } from '../setup/delivery.ts'
import { drafted } from '../setup/drafted.ts'
import { newsletterWith } from '../setup/newsletter.ts'
import { openPostOffice } from '../setup/post-office.ts'

type Size = {
  readonly readers: number
  readonly issues: number
  readonly events: number
  /** Lines of the log from before. */
  readonly decisions?: number
}

/** The week of the newest issue that went out, and of the one that is being drafted. */
export const newestSent = '2026-W46'
export const coming = '2026-W48'

/**
 * A newsletter that has been going for a year: readers who came and went, issues that went out a week apart, each with its
 * batches, and the newest with its deliveries too; events, three fifths of which are feedback and the rest clicks; and
 * everything counted that a job counts.
 */
export async function fillDesk(
  db: Kysely<Database>,
  { readers, issues, events, decisions = 100_000 }: Size,
): Promise<void> {
  await drafted(db, coming)
  await fillReaders(db, readers)
  await fillIssues(db, { readers, issues })
  await fillFeedback(db, { readers, each: Math.round((events * 0.6) / issues) })
  await fillClicks(db, Math.round((events * 0.4) / issues))
  await sql`
    insert into decision (at, by, what) select '2026-01-01', 'eve@example.test', 'test send'
      from generate_series(1, ${decisions}::int)`.execute(db)
  await sql`vacuum analyze`.execute(db)
  await rollUp(newsletterWith({ db }, { clock: clockAt(friday), transport: openPostOffice() }))
  await sql`vacuum analyze`.execute(db)
}

/** One in ten has left, one in fifty is suppressed, and one departure in five says why. */
async function fillReaders(db: Kysely<Database>, readers: number): Promise<void> {
  await sql`
    insert into subscriber (address, status, created_at, confirmed_at, unsubscribed_at)
    select 'reader-' || n || '@example.test', case when n % 10 = 0 then 'unsubscribed' else 'confirmed' end,
           '2026-01-05', '2026-01-05', case when n % 10 = 0 then timestamptz '2026-06-01' end
      from generate_series(1, ${readers}::int) n`.execute(db)
  await sql`
    insert into consent_event (subscriber_id, kind, at, method)
    select id, 'confirmed', timestamptz '2026-11-20 13:00Z' - (200 + id % 160) * interval '1 day', 'link' from subscriber`.execute(
    db,
  )
  await sql`
    insert into consent_event (subscriber_id, kind, at, method)
    select id, 'unsubscribed', timestamptz '2026-11-20 13:00Z' - (id / 10 % 180) * interval '1 day', 'page'
      from subscriber where status = 'unsubscribed'`.execute(db)
  await sql`
    insert into departure (subscriber_id, at, why)
    select id, timestamptz '2026-11-20 13:01Z' - (id / 10 % 180) * interval '1 day',
           (array['too often', 'not for me', 'other'])[1 + id / 50 % 3]
      from subscriber where id % 50 = 0`.execute(db)
  await sql`
    insert into suppression (address, reason, since)
    select 'reader-' || n * 50 - 1 || '@example.test', 'bounced',
           timestamptz '2026-11-20 13:00Z' - n * interval '20 minutes'
      from generate_series(1, ${Math.floor(readers / 50)}::int) n`.execute(db)
}

/** Ten comparisons, which all of them have; in batches of a hundred. */
async function fillIssues(
  db: Kysely<Database>,
  { readers, issues }: Pick<Size, 'readers' | 'issues'>,
): Promise<void> {
  for (let n = 0; n < 10; n += 1) await publish(db, documentFor(`tool-${n}-vs-other`))
  await db.transaction().execute(async (trx) => {
    await sql`
      with week as (
        select timestamptz '2026-11-20 14:00Z' - n * interval '7 days' as due, 'Week ' || n as subject,
               e.preheader, e.html, e.text
          from generate_series(1, ${issues}::int) n cross join (select * from edition limit 1) e
      ), made as (
        insert into issue (week, state, timezone, draft_at, due_at, planned_at, planned, finished_at, edition_hash,
                           approved_hash, approved_at, approved_by)
        select to_char(due, 'IYYY-"W"IW'), 'sent', 'America/New_York', due - interval '1 day', due, due, ${readers}::int,
               due + interval '2 hours', hash, hash, due, 'schedule'
          from week, lateral (select encode(sha256(convert_to(
                 subject || E'\\x1e' || preheader || E'\\x1e' || html || E'\\x1e' || text, 'UTF8')), 'hex') as hash) h
        returning id, edition_hash, due_at
      )
      insert into edition (hash, issue_id, subject, preheader, html, text, frozen_at)
      select m.edition_hash, m.id, w.subject, w.preheader, w.html, w.text, w.due from made m join week w on w.due = m.due_at`.execute(
      trx,
    )
  })
  await sql`
    insert into issue_comparison (issue_id, comparison_id, position, revision, counts)
    select i.id, c.id, row_number() over (partition by i.id order by c.id), 1, false
      from issue i cross join (select id from comparison where slug like 'tool-%') c where i.state = 'sent'`.execute(
    db,
  )
  await sql`
    insert into link (id, issue_id, kind, comparison_id, position, target)
    select left(md5(ic.issue_id || '/' || ic.position), 12), ic.issue_id, 'comparison', ic.comparison_id, ic.position,
           'https://news.example.com/compare/' || c.slug
      from issue_comparison ic join comparison c on c.id = ic.comparison_id join issue i on i.id = ic.issue_id
     where i.state = 'sent'`.execute(db)
  await sql`
    insert into batch (id, issue_id, edition_hash, ordinal, size, state, idempotency_key, key_id, accepted_at,
                       first_used_at, provider_ids)
    select gen_random_uuid(), i.id, i.edition_hash, n, 100, 'accepted', i.id || '/' || n, 'k1',
           i.planned_at + n * interval '600 ms', i.planned_at, '{}'
      from issue i cross join generate_series(1, ${Math.floor(readers / 100)}::int) n where i.state = 'sent'`.execute(
    db,
  )
  await fillNewest(db)
}

/** The newest has a row for each of its readers; one in five hundred had left before their batch. */
async function fillNewest(db: Kysely<Database>): Promise<void> {
  const { id } = await db
    .selectFrom('issue')
    .select('id')
    .where('week', '=', newestSent)
    .executeTakeFirstOrThrow()
  await preparePartition(db, id)
  await sql`
    update batch set provider_ids = (select array_agg(gen_random_uuid()::text) from generate_series(1, 100))
     where issue_id = ${id}`.execute(db)
  await sql`
    insert into delivery (issue_id, subscriber_id, batch_id, slot, address, exception, reason)
    select ${id}, s.id, b.id, (s.id - 1) % 100 + 1, s.address,
           case when s.id % 500 = 0 then 'excluded' end, case when s.id % 500 = 0 then 'unsubscribed' end
      from subscriber s join batch b on b.issue_id = ${id} and b.ordinal = (s.id - 1) / 100 + 1`.execute(db)
}

async function fillFeedback(
  db: Kysely<Database>,
  { readers, each }: { readers: number; each: number },
): Promise<void> {
  await sql`
    insert into feedback (issue_id, subscriber_id, state, at)
    select i.id, n, (case when n % 100 = 0 then 'bounced hard' else 'delivered' end)::feedback_state,
           i.planned_at + power(random(), 4) * interval '47 hours'
      from issue i cross join generate_series(1, ${Math.min(readers, each)}::int) n where i.state = 'sent'`.execute(
    db,
  )
  await sql`
    insert into issue_feedback (issue_id, delayed, delivered, failed, suppressed, bounced_soft, bounced_hard, complained)
    select issue_id, 0, count(*) filter (where state = 'delivered'), 0, 0, 0,
           count(*) filter (where state = 'bounced hard'), 0
      from feedback group by issue_id`.execute(db)
}

async function fillClicks(db: Kysely<Database>, each: number): Promise<void> {
  await sql`
    insert into click (link_id, at, network, visitor, agent, head)
    select left(md5(i.id || '/' || 1 + floor(power(random(), 2) * 10)::int), 12),
           i.planned_at + power(random(), 4) * interval '6 days', (random() * 60000)::int, (random() * 100000)::int,
           case when random() < 0.2 then 'program' else 'browser' end, false
      from issue i cross join generate_series(1, ${each}::int) where i.state = 'sent'`.execute(db)
}
