import { sql } from 'kysely'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { startQueue } from '../../src/queue.ts'
import { addSubscriber } from '../../src/subscriber/subscriber.ts'
import { appOn } from '../setup/app.ts'
import { openPolls } from '../setup/crowd.ts'
import { isOnPostgres, useDatabase } from '../setup/database.ts'
import { dueIssue, friday } from '../setup/delivery.ts'
import { flaggedVotes } from '../setup/flagged.ts'
import { people } from '../setup/people.ts'
import { openPostOffice } from '../setup/post-office.ts'

const database = useDatabase()
const clock = () => Temporal.Instant.from(friday)
const appLog = pino({ level: 'silent' })
const token = 'a-token-of-the-operators'
const here = { incoming: { socket: { remoteAddress: '127.0.0.1' } } }
const elsewhere = { incoming: { socket: { remoteAddress: '198.51.100.7' } } }

describe('who may read the metrics', () => {
  const live = {
    ...{
      NODE_ENV: 'production',
      MAIL_TRANSPORT: 'smtp',
      SMTP_URL: 'smtp://127.0.0.1',
      EDITORS: 'eve@example.com',
    },
    ...{
      DATABASE_URL: 'postgres://db.example.com/x',
      MAIL_FROM: 'v@example.com',
      POSTAL_ADDRESS: '1 Street',
    },
    SIGNING_KEYS: `k1:${Buffer.alloc(32, 1).toString('base64')}`,
  }

  it.each([
    ['on this machine', {}, here, {}, 200],
    ['on this machine, by IPv6', {}, { incoming: { socket: { remoteAddress: '::1' } } }, {}, 200],
    ['on this machine, through a proxy', {}, here, { 'x-forwarded-for': '198.51.100.7' }, 403],
    ['elsewhere', {}, elsewhere, {}, 403],
    ['nobody knows where', {}, {}, {}, 403],
    ['on this machine, in production', live, here, {}, 403],
    ['elsewhere, without the token', { API_TOKEN: token }, elsewhere, {}, 401],
    ['elsewhere, with the token', { API_TOKEN: token }, elsewhere, { authorization: `Bearer ${token}` }, 200],
    [
      'in production, with the token',
      { ...live, API_TOKEN: token },
      here,
      { authorization: `bearer ${token}` },
      200,
    ],
    ['with another token', { API_TOKEN: token }, here, { authorization: `Bearer ${token}x` }, 401],
    ['with a token where there is none', {}, here, { authorization: 'Bearer undefined' }, 403],
  ])('%s', async (_, environment, env, headers, status) => {
    const app = appOn(database, { environment })

    const answer = await app.request('/metrics', { headers: headers as Record<string, string> }, env)

    expect(answer.status).toBe(status)
    expect((await answer.text()).includes('verdict_readers')).toBe(status === 200)
  })
})

describe('the metrics', () => {
  it('are in the format of Prometheus, with the process’s own', async () => {
    const answer = await appOn(database).request('/metrics', {}, here)

    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    const text = await answer.text()
    expect(text).toContain('# TYPE verdict_database_up gauge')
    expect(text).toMatch(/^process_resident_memory_bytes \d+/m)
    for (const line of text.split('\n').filter((one) => one !== ''))
      expect(line).toMatch(/^(?:# (?:HELP|TYPE) |\w+(?:\{[^}]*\})? \S+$)/)
  })

  it('tell what an operator is woken for', async () => {
    const { db } = database
    await people.ann(db)
    await people.bobWhoComplained(db)
    for (const name of ['cleo', 'dan'])
      await addSubscriber({ db, clock }, `${name}@example.test`, { method: 'by hand', detail: 'a test' })
    const mail = openPostOffice({ most: { mails: 2, bytes: 4_000_000 } })
    mail.answerNext(
      { kind: 'accepted', providerIds: ['a', 'b'] },
      { kind: 'halt', reason: 'the key was taken back' },
    )
    const { deps, issue } = await dueIssue(database, { mail })
    await sendIssue(deps, issue.week)
    await db
      .insertInto('issue_feedback')
      .values({
        ...{ issue_id: issue.id, delayed: 0, delivered: 1, failed: 0, suppressed: 0 },
        ...{ bounced_soft: 0, bounced_hard: 0, complained: 1 },
      })
      .execute()
    await db
      .insertInto('event_to_apply')
      .values({
        ...{
          svix_id: 'msg_1',
          at: clock(),
          received_at: clock().subtract({ seconds: 90 }),
          not_before: clock(),
        },
        ...{ email_id: null, batch_id: null, reader: null, letter_id: null, address: null },
        ...{ state: null, bars: null },
      })
      .execute()

    const shown = await metricsOf(appOn(database))

    expect(shown).toMatchObject({
      verdict_database_up: 1,
      'verdict_batches{issue="2026-W47",state="accepted"}': 1,
      'verdict_batches{issue="2026-W47",state="built"}': 1,
      'verdict_mails{issue="2026-W47",state="accepted"}': 2,
      'verdict_mails{issue="2026-W47",state="built"}': 1,
      verdict_quarantined_mails: 0,
      verdict_event_wait_seconds: 90,
      verdict_letters_waiting: 0,
      'verdict_readers{status="confirmed"}': 4,
      verdict_complaint_ratio: 0.5,
      ...{ verdict_votes: 0, verdict_vote_flags_open: 0 },
    })
    expect(shown).not.toHaveProperty('verdict_due_in_seconds')
  })

  it('tell how long it is until the next issue, and that it is late', async () => {
    const { clock: moving, deps } = await dueIssue(database)
    moving.pass('-PT1H')
    const early = await metricsOf(appOn(database, { clock: deps.clock }))
    moving.pass('PT1H30M')
    const late = await metricsOf(appOn(database, { clock: deps.clock }))

    expect(early).toMatchObject({ verdict_due_in_seconds: 3_600 })
    expect(late).toMatchObject({ verdict_due_in_seconds: -1_800 })
  })

  it('tell how many votes stand, and that a flag on some of them waits', async () => {
    await openPolls(database.db, { issues: 1, comparisons: 1 })
    await flaggedVotes(database.db)

    expect(await metricsOf(appOn(database))).toMatchObject({
      ...{ verdict_votes: 134, verdict_vote_flags_open: 1 },
    })
  })

  it('tell what waits in the queue', async () => {
    const queue = await startQueue(database.connection, appLog)
    await queue.enqueue('send-issue', '2026-W47')
    await queue.enqueue('send-issue', '2026-W48')

    const shown = await metricsOf(appOn(database))

    await queue.drain(async () => {})
    await queue.stop()
    expect(shown).toMatchObject({
      'verdict_queue_jobs{job="send-issue"}': 2,
      'verdict_queue_jobs{job="tick"}': 0,
    })
  })

  it.runIf(isOnPostgres)('estimate readers where there are very many', async () => {
    const { db } = database
    await people.crowd(db, 100_100)
    await sql`update subscriber set status = 'unsubscribed', unsubscribed_at = now() where id % 4 = 0`.execute(
      db,
    )
    await sql`analyze subscriber`.execute(db)

    const shown = await metricsOf(appOn(database))

    expect(shown['verdict_readers{status="confirmed"}']).toBeGreaterThan(70_000)
    expect(shown['verdict_readers{status="unsubscribed"}']).toBeGreaterThan(20_000)
  })

  it('time requests by their route, and no reader’s token is in them', async () => {
    const app = appOn(database)
    for (const path of [
      '/',
      '/unsubscribe/token-of-ann',
      '/unsubscribe/token-of-bob',
      '/nowhere/ann',
      '/go/none',
    ])
      await app.request(path)
    await app.request('/nowhere', { method: 'BREW' })

    const text = await (await app.request('/metrics', {}, here)).text()
    const shown = numbersIn(text)

    const of = (route: string, status: number, method = 'GET') =>
      shown[
        `verdict_http_request_duration_seconds_count{route="${route}",method="${method}",status="${status}"}`
      ]
    expect(of('/', 200)).toBe(1)
    expect(of('/unsubscribe/:token/:step?', 404)).toBe(2)
    expect(of('/go/:id', 404)).toBe(1)
    expect(of('none', 404)).toBe(1)
    expect(of('none', 404, 'other')).toBe(1)
    expect(text).not.toMatch(/token-of|nowhere/)
  })

  it('ask the database once for many who ask', async () => {
    const app = appOn(database)
    await metricsOf(app)
    await people.ann(database.db)

    expect(await metricsOf(app)).not.toHaveProperty('verdict_readers{status="confirmed"}')
  })

  it('are there while the database does not answer, and say so', async () => {
    const app = appOn(database)
    await database.db.schema.alterTable('event_to_apply').renameTo('away').execute()

    const shown = await metricsOf(app)

    await database.db.schema.alterTable('away').renameTo('event_to_apply').execute()
    expect(shown).toMatchObject({ verdict_database_up: 0 })
    expect(Object.keys(shown).filter((name) => /quarantined|letters|readers|due/.test(name))).toEqual([])
  })
})

async function metricsOf(app: ReturnType<typeof appOn>): Promise<Readonly<Record<string, number>>> {
  return numbersIn(await (await app.request('/metrics', {}, here)).text())
}

function numbersIn(text: string): Readonly<Record<string, number>> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  )
}
