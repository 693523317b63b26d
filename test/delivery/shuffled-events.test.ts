import { type Kysely, sql } from 'kysely'
import { expect, it } from 'vitest'
import type { Database } from '../../db/schema.ts'
import { applyEvents } from '../../src/delivery/apply-events.ts'
import { deliverIssue } from '../../src/delivery/deliver.ts'
import { type ProviderEvent, readEvent } from '../../src/delivery/event.ts'
import { keepEvents } from '../../src/delivery/keep-events.ts'
import type { Mail } from '../../src/mail/email.ts'
import { postLetter } from '../../src/subscriber/letter.ts'
import { isOnPostgres, useDatabase } from '../setup/database.ts'
import { type DueIssue, friday, plannedIssue } from '../setup/delivery.ts'
import { bounces, mailEvent, type SentEvent } from '../setup/events.ts'
import { reader } from '../setup/people.ts'
import { openPostOffice } from '../setup/post-office.ts'
import { seeded } from '../setup/seeded.ts'
import { type Restore, takeSnapshot } from '../setup/snapshot.ts'

const database = useDatabase()
/** A thousand with `SHUFFLES=1000`. */
const shuffles = Number(process.env.SHUFFLES ?? (isOnPostgres ? 200 : 50))

/** What each reader's mail comes to, in the order in which a provider would tell it; a time is hours after the send. */
const stories: Readonly<Record<string, readonly Told[]>> = {
  ann: [['sent'], ['delivered']],
  bob: [['sent'], ['delivery_delayed'], ['delivery_delayed', {}, 2], ['delivered', {}, 4]],
  cleo: [['sent'], ['bounced', bounces.hard]],
  dan: [['sent'], ['delivered'], ['complained', {}, 30]],
  eva: [['sent'], ['delivered'], ['bounced', bounces.hard, 1], ['complained', {}, 40]],
  finn: [['sent'], ['suppressed', { suppressed: { reason: 'previous_bounce' } }]],
  gus: [['sent'], ['failed', { failed: { reason: 'reached_monthly_quota' } }]],
  hal: [['sent'], ['delivery_delayed'], ['bounced', bounces.soft, 5]],
  ida: [['sent'], ['bounced', bounces.unclear, 5]],
  kim: [['sent'], ['delivery_delayed'], ['bounced', bounces.soft, 1], ['bounced', bounces.hard, 6]],
  // Whose events carry no tags, as if the provider had lost them.
  jon: [['sent'], ['delivered'], ['complained', {}, 3]],
}

type Told = readonly [type: string, more?: Readonly<Record<string, unknown>>, hoursLater?: number]

/** Soft bounces of letters, days before the issue: with the issue's own they are hal's third in thirty days, not ida's. */
const letters = [
  ['hal', 3],
  ['hal', 20],
  ['ida', 3],
  ['ida', 31],
] as const

it(`${shuffles} shuffles of a trace, doubled, late and between our own writes, come to one final state`, async () => {
  const start = Number(process.env.SEED ?? 1)
  const due = await theIssue()
  const early = await letterEvents(due)
  const restore = await takeSnapshot(database.db)
  const inOrder = await run(due, restore, early, undefined)

  for (let seed = start; seed < start + shuffles; seed += 1) {
    const shuffled = await run(due, restore, early, seed)
    expect(shuffled, `seed ${seed}: SEED=${seed} runs it first`).toEqual(inOrder)
  }
  console.log(`${shuffles} shuffles, seeds ${start} to ${start + shuffles - 1}: one final state`)

  // And that state is the right one.
  expect(inOrder.event_to_apply).toEqual([])
  expect(await suppressions()).toEqual([
    'cleo bounced',
    'dan complained',
    'eva complained',
    'finn bounced',
    'hal bounced',
    'jon complained',
    'kim bounced',
  ])
  expect(await counted()).toEqual({
    ...{ delayed: 0, delivered: 2, failed: 1, suppressed: 1 },
    ...{ bounced_soft: 2, bounced_hard: 2, complained: 3 },
  })
}, 900_000)

/** Eleven readers in batches of four, and nothing sent. */
async function theIssue(): Promise<DueIssue> {
  for (const name of Object.keys(stories)) await reader(database.db, name)
  return plannedIssue(database, { mail: openPostOffice({ most: { mails: 4, bytes: 4_000_000 } }) })
}

/**
 * The issue sent once from the start, its events told meanwhile and afterwards. Without a seed each is told once, in
 * order, when everything has been recorded; with one they come in any order and number, the first ones of each batch
 * before the answer to its call, and all of them through the hours after.
 */
async function run(
  due: DueIssue,
  restore: Restore,
  early: readonly SentEvent[],
  seed: number | undefined,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const random = seeded(seed ?? 0)
  const pool: SentEvent[] = []
  const add = (events: readonly SentEvent[]) => {
    for (const event of events)
      pool.push(...Array<SentEvent>(seed === undefined ? 1 : 1 + Math.floor(3 * random() ** 2)).fill(event))
  }
  const tellSome = async (share: number) => {
    for (let left = Math.ceil(pool.length * share); left > 0; ) {
      const some = Array.from({ length: Math.min(left, 1 + Math.floor(random() * 12)) }, () =>
        draw(pool, random),
      )
      left -= some.length
      await keepEvents(database.db, read(due, some))
      due.clock.pass(`PT${Math.floor(random() * 20)}M`)
      if (random() < 0.4) await applyEvents(due.deps)
    }
  }

  await restore()
  due.clock.moveTo(friday)
  if (seed !== undefined) add(early)
  const mail = openPostOffice({ most: due.mail.most })
  const deps = { ...due.deps, transport: { ...mail, send } }
  async function send(mails: readonly Mail[], key: string) {
    const outcome = await mail.send(mails, key)
    if (seed === undefined) return outcome
    add(mails.flatMap(eventsOf))
    await tellSome(random() * 0.6)
    return outcome
  }
  await deliverIssue(deps, due.issue.id)

  if (seed !== undefined) await tellSome(1)
  else await keepEvents(database.db, read(due, [...early, ...mail.accepted.flatMap(eventsOf)]))
  await applyEvents(due.deps)
  // What belongs to nobody is given up by now.
  due.clock.pass('PT25H')
  await applyEvents(due.deps)
  return finalTables(database.db)
}

/** Any of them when shuffled; the id that they were sent under is always the same. */
function draw(pool: SentEvent[], random: () => number): SentEvent {
  const [event] = pool.splice(Math.floor(random() * pool.length), 1)
  if (!event) throw new Error('The pool is empty')
  return event
}

function eventsOf(sent: Mail): readonly SentEvent[] {
  const name = sent.to.replace('@example.test', '')
  const mail = { emailId: `id-${sent.id}`, to: sent.to, ...(name !== 'jon' && { tags: sent.tags }) }
  const events = (stories[name] ?? []).map(([type, more = {}, hours = 0], at) => ({
    ...mailEvent(type, mail, { ...more, at: later(hours, at) }),
    svixId: `msg_${name}_${at}`,
  }))
  const foreign = mailEvent('complained', { emailId: 'not-ours', to: sent.to })
  return name === 'ann' ? [...events, { ...foreign, svixId: 'msg_foreign' }] : events
}

function later(hours: number, seconds: number): string {
  return Temporal.Instant.from(friday).add({ hours, seconds }).toString()
}

async function letterEvents({ deps }: DueIssue): Promise<readonly SentEvent[]> {
  const events: SentEvent[] = []
  for (const [name, daysBefore] of letters) {
    const to = `${name}@example.test`
    const { id } = await database.db
      .selectFrom('subscriber')
      .select('id')
      .where('address', '=', to)
      .executeTakeFirstOrThrow()
    const letter = await database.db
      .transaction()
      .execute((trx) => postLetter(trx, deps, { subscriberId: id, kind: 'welcome' }))
    const mail = { emailId: `l-${letter}`, to, tags: { letter, kind: 'welcome' } }
    const at = later(-24 * daysBefore, 0)
    events.push({ ...mailEvent('bounced', mail, { ...bounces.soft, at }), svixId: `msg_${letter}` })
  }
  return events
}

function read({ clock }: DueIssue, events: readonly SentEvent[]): readonly ProviderEvent[] {
  return events.map(({ svixId, document }) => {
    const result = readEvent(document, { svixId, receivedAt: clock() })
    if (!result.ok) throw new Error(result.problem)
    return result.event
  })
}

/** When we heard of something, and the numbers that rows are given as they come: those do tell the order. */
const ours: Readonly<Record<string, readonly string[]>> = {
  provider_event: ['received_at'],
  suppression: ['id', 'since'],
  subscriber: ['unsubscribed_at'],
  consent_event: ['id', 'at'],
  batch: ['accepted_at', 'first_used_at', 'fence', 'lease_owner'],
  delivery: [],
  feedback: [],
  issue_feedback: [],
  letter: [],
  event_to_apply: [],
}

async function finalTables(db: Kysely<Database>): Promise<Readonly<Record<string, readonly string[]>>> {
  const { rows } = await sql<{ name: string; content: string[] }>`
    ${sql.join(
      Object.entries(ours).map(
        ([table, columns]) => sql`
          select ${sql.lit(table)} as name,
                 array(select (to_jsonb(t) - ${[...columns]}::text[])::text from ${sql.table(table)} t order by 1) as content`,
      ),
      sql` union all `,
    )}`.execute(db)
  return Object.fromEntries(rows.map(({ name, content }) => [name, content]))
}

async function suppressions(): Promise<readonly string[]> {
  const rows = await database.db
    .selectFrom('suppression')
    .select(['address', 'reason'])
    .orderBy('address')
    .execute()
  return rows.map(({ address, reason }) => `${address?.replace('@example.test', '')} ${reason}`)
}

async function counted() {
  const { issue_id: _issue, ...counts } = await database.db
    .selectFrom('issue_feedback')
    .selectAll()
    .executeTakeFirstOrThrow()
  return counts
}
