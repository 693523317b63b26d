/**
 * The desk's pages with a million readers, fifty issues and their batches: `TEST_DATABASE_URL=postgres://… node
 * test/bench/desk.bench.ts`. Each page p50 and p99, one at a time and signed in, beside `/readyz`, which asks `select 1`.
 */
import { sql } from 'kysely'
import { openTestDatabase } from '../setup/database.ts'
import { deskOn } from '../setup/desk.ts'
import { drafted } from '../setup/drafted.ts'

const readers = 1_000_000
const issues = 50
const requests = 100
const database = await openTestDatabase()
const { db } = database.connection

try {
  await fill()
  const eve = await deskOn({ ...database, db }).signedIn()
  const base = await timed(() => eve.get('/readyz'))
  print('/readyz', base, base)
  for (const path of [
    '/desk',
    '/desk/issues',
    '/desk/issues/2026-W48',
    '/desk/log',
    '/desk/log?before=50000',
  ])
    print(path, await timed(() => eve.get(path)), base)
} finally {
  await database.close()
}

async function fill(): Promise<void> {
  await drafted(db, '2026-W48')
  await sql`
    insert into subscriber (address, status, created_at, confirmed_at, unsubscribed_at)
    select 'reader-' || n || '@example.test', case when n % 10 = 0 then 'unsubscribed' else 'confirmed' end,
           '2026-01-05', '2026-01-05', case when n % 10 = 0 then timestamptz '2026-06-01' end
      from generate_series(1, ${readers}::int) n`.execute(db)
  await sql`
    insert into consent_event (subscriber_id, kind, at, method)
    select id, 'confirmed', timestamptz '2026-11-20 14:00Z' - (id % 300) * interval '1 day', 'link'
      from subscriber`.execute(db)
  await sql`
    insert into suppression (address, reason, since)
    select 'reader-' || n * 50 || '@example.test', 'bounced', timestamptz '2026-11-20 14:00Z' - n * interval '20 minutes'
      from generate_series(1, ${readers / 50}::int) n`.execute(db)
  await sql`
    insert into issue (week, state, timezone, draft_at, due_at, planned_at, planned, finished_at)
    select '2025-W' || lpad(n::text, 2, '0'), 'cancelled', 'America/New_York', '2025-01-01', '2025-01-02', '2025-01-02',
           ${readers}::int, '2025-01-03'
      from generate_series(1, ${issues - 1}::int) n`.execute(db)
  await sql`
    insert into issue_feedback (issue_id, delayed, delivered, failed, suppressed, bounced_soft, bounced_hard, complained)
    select id, 0, planned, 0, 0, 0, 0, 0 from issue`.execute(db)
  await sql`
    insert into batch (id, issue_id, edition_hash, ordinal, size, state, idempotency_key, key_id, accepted_at,
                       first_used_at, provider_ids)
    select gen_random_uuid(), i.id, i.edition_hash, n, 100, 'accepted', i.id || '/' || n, 'k1', now(), now(), '{}'
      from issue i cross join generate_series(1, ${readers / 100}::int) n where i.edition_hash is not null`.execute(
    db,
  )
  await sql`
    insert into decision (at, by, what) select '2026-01-01', 'eve@example.test', 'test send'
      from generate_series(1, 100000)`.execute(db)
  await sql`vacuum analyze`.execute(db)
}

/** Milliseconds of each request, in order of size, after some to warm up. */
async function timed(ask: () => Promise<Response>): Promise<number[]> {
  const took: number[] = []
  for (let n = -10; n < requests; n += 1) {
    const started = performance.now()
    const answer = await ask()
    await answer.text()
    if (answer.status !== 200) throw new Error(`It answers ${answer.status}`)
    if (n >= 0) took.push(performance.now() - started)
  }
  return took.toSorted((a, b) => a - b)
}

function print(name: string, took: readonly number[], base: readonly number[]): void {
  const at = (times: readonly number[], share: number) => times[Math.floor(times.length * share)] ?? 0
  const figure = (share: number) =>
    `${at(took, share).toFixed(1).padStart(6)} ms (×${(at(took, share) / at(base, share)).toFixed(1)})`
  console.log(`${name.padEnd(26)} p50 ${figure(0.5)}   p99 ${figure(0.99)}`)
}
