import { parse } from 'csv-parse/sync'
import { describe, expect, it } from 'vitest'
import { rollUp } from '../../jobs/roll-up.ts'
import { deliverIssue } from '../../src/delivery/deliver.ts'
import { decide } from '../../src/issue/decide.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { clockAt, type MovableClock } from '../setup/clock.ts'
import { useDatabase } from '../setup/database.ts'
import { type DueIssue, deliverThroughWaits, friday, plannedIssue } from '../setup/delivery.ts'
import { type Browser, deskOn } from '../setup/desk.ts'
import { drafted } from '../setup/drafted.ts'
import { everything } from '../setup/everything.ts'
import { newsletterWith } from '../setup/newsletter.ts'
import { people, reader } from '../setup/people.ts'
import { openPostOffice } from '../setup/post-office.ts'

const database = useDatabase()
const week = '2026-W47'

describe('an issue on its way, on its page', () => {
  it('says how far it is, how fast it goes and how long it takes', async () => {
    const { eve } = await halfSent()

    const page = textOf(await eve.read(eve.get(`/desk/issues/${week}`)))

    expect(page).toContain('50 % 2 of 4 readers dealt with')
    expect(page).toContain('0.2 mails a second in the last minute')
    expect(page).toContain('Accepted 2')
    expect(page).toContain('Not yet sent 2')
    expect(page).toContain('Refresh')
  })

  it('says why it is paused', async () => {
    const { eve, due } = await halfSent()
    await decide(due.deps, week, 'hold', 'sam@example.test')

    expect(textOf(await eve.read(eve.get(`/desk/issues/${week}`)))).toContain('Paused by sam@example.test')
  })

  it('tells whoever watches in the words of the page, at once and again when it has gone on, until it is over', async () => {
    const { eve, due } = await halfSent()
    const events = eventsOf(await eve.get(`/desk/issues/${week}/progress`))

    expect(await events.next()).toMatchObject({ words: '2 of 4 readers dealt with', isLive: true })
    await decide(due.deps, week, 'hold', 'sam@example.test')
    expect(await events.next()).toMatchObject({ state: 'paused', left: 'Paused by sam@example.test' })
    await decide(due.deps, week, 'release', 'sam@example.test')
    await deliverThroughWaits(due)

    let last: Record<string, unknown> | undefined
    for (let event = await events.next(); event; event = await events.next()) last = event
    expect(last).toMatchObject({ state: 'sent', words: '4 of 4 readers dealt with', isLive: false })
  })

  it('tells no more to whoever has signed out', async () => {
    const { eve } = await halfSent()
    const events = eventsOf(await eve.get(`/desk/issues/${week}/progress`))
    await events.next()

    await eve.post('/desk/sign-out')

    for (let event = await events.next(); event; event = await events.next()) expect(event.isLive).toBe(true)
    expect(await events.next()).toBeUndefined()
  })

  it('lets so many watch in one process, and whoever comes after one has gone', async () => {
    const { eve } = await halfSent()
    const path = `/desk/issues/${week}/progress`
    const watching = await Promise.all(Array.from({ length: 50 }, async () => eventsOf(await eve.get(path))))
    for (const events of watching) await events.next()

    const refused = await eve.get(path)
    expect(refused.status).toBe(503)
    for (const events of watching) await events.stop()
    await expect.poll(async () => (await eve.get(path)).status).toBe(200)
  })

  it('is not there for who is not signed in, nor before anything is planned', async () => {
    await drafted(database.db, '2026-W48')
    const desk = deskOn(database)
    const eve = await desk.signedIn()

    expect((await eve.get('/desk/issues/2026-W48/progress')).status).toBe(404)
    expect((await desk.browser().get('/desk/issues/2026-W48/progress')).status).toBe(303)
  })
})

describe('the report on an issue', () => {
  it('has what was sent, what came of it beside the issue before, the clicks, the votes and the files', async () => {
    const { eve } = await reported()

    const page = textOf(await eve.read(eve.get(`/desk/issues/${week}/report`)))

    expect(page).toMatch(/Accepted 3 Rejected 0 Excluded 1 1 unsubscribed Quarantined 0 Not yet sent 0/)
    expect(page).toMatch(/Delivered 2 66.7 % up from 50.0 %/)
    expect(page).toMatch(/Bounced hard 1 33.3 % as before|Bounced hard 1 33.3 % up from/)
    expect(page).toMatch(/Unsubscribed 1 33.3 % up from 0 %/)
    expect(page).toMatch(/Clicks, without programs 1 33.3 % .* Clicks, all of them 2 66.7 %/)
    expect(page).toContain('1 by what they call themselves')
    expect(page).toContain('Opens are not tracked')
    expect(page).toMatch(/Ship Skip Share .* 0 0 —/)
    expect(page).toMatch(/By the hour after it was planned Hour Delivered Clicks of people 1 2 1/)
  })

  it('changes nothing by being read', async () => {
    const { eve } = await reported()
    const before = await everything(database.db)

    for (const name of ['report', 'report.csv', 'clicks.csv', 'recipients.csv'])
      expect((await eve.get(`/desk/issues/${week}/${name}`)).status).toBe(200)

    const { editor_session: _, ...after } = await everything(database.db)
    expect(before).toMatchObject(after)
  })

  it('is summed up on the issue’s own page and in the list of issues', async () => {
    const { eve } = await reported()

    expect(textOf(await eve.read(eve.get(`/desk/issues/${week}`)))).toMatch(
      /Delivered 2 66.7 % Bounced hard 1 33.3 % Complained 0 0 % Unsubscribed 1 33.3 % Clicks, without programs 1/,
    )
    expect(textOf(await eve.read(eve.get('/desk/issues')))).toMatch(/2026-W47 .* sent .* 4 2 1 0 1 1 /)
  })

  it('comes as files that a spreadsheet can open without running what is in them', async () => {
    const { eve } = await reported('=cmd|calc')
    const file = async (name: string) => {
      const answer = await eve.get(`/desk/issues/${week}/${name}.csv`)
      expect(answer.headers.get('content-type')).toContain('text/csv')
      expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="${week}-${name}.csv"`)
      return parse(await answer.text(), { columns: true })
    }

    expect(await file('report')).toContainEqual({ what: 'excluded', why: 'unsubscribed', count: '1' })
    const [link] = await file('clicks')
    expect(link).toMatchObject({
      place: '1',
      comparison: "'=cmd|calc",
      'all clicks': '2',
      'without programs': '1',
    })
    const recipients = await file('recipients')
    expect(recipients).toHaveLength(4)
    expect(recipients).toContainEqual(
      expect.objectContaining({ address: 'bob@example.test', outcome: 'excluded', why: 'unsubscribed' }),
    )
    expect(recipients).toContainEqual(
      expect.objectContaining({ address: 'ann@example.test', outcome: 'accepted', 'came back': 'delivered' }),
    )
  })

  it('says so where there is none', async () => {
    await drafted(database.db, '2026-W48')
    const eve = await deskOn(database).signedIn()

    for (const path of ['2026-W48/report', '2026-W49/report', 'nonsense/recipients.csv'])
      expect((await eve.get(`/desk/issues/${path}`)).status).toBe(404)
  })
})

describe('the growth of the list', () => {
  it('is a table by week or day, with how readers came and went, and a file', async () => {
    const bob = await people.bob(database.db)
    await people.ann(database.db)
    const clock = clockAt('2026-01-07T15:00:00Z')
    await unsubscribe({ db: database.db, clock }, bob.publicId, 'page')
    clock.pass('PT1H')
    await rollUp(newsletterWith(database, { clock, transport: openPostOffice() }))
    const eve = await deskOn(database, { clock }).signedIn()

    const weeks = textOf(await eve.read(eve.get('/desk/growth')))
    const days = textOf(await eve.read(eve.get('/desk/growth?by=day')))
    const file = parse(await eve.read(eve.get('/desk/growth.csv?by=day')), { columns: true })

    expect(weeks).toMatch(/2026-W02 2 1 \+1 1 All of these 2 1 \+1 1/)
    expect(days).toMatch(/7 Jan 2026 0 1 −1 1 6 Jan 2026 0 0 0 2 5 Jan 2026 2 0 \+2 2/)
    expect(days).toMatch(/Imported from another list 2 .* Unsubscribed 1/)
    expect(file.at(-1)).toMatchObject({ day: '2026-01-07', unsubscribed: '1', net: '-1', 'on the list': '1' })
  })

  it('teaches the next step while there is nobody, and takes no nonsense for a day', async () => {
    const clock = clockAt(friday)
    await rollUp(newsletterWith(database, { clock, transport: openPostOffice() }))
    const eve = await deskOn(database, { clock }).signedIn()

    for (const query of ['', '?before=2026-13-45', '?by=moon&before=9999-99-99', '?by=day&before=2020-01-01'])
      expect((await eve.get(`/desk/growth${query}`)).status, query).toBe(200)
    expect(textOf(await eve.read(eve.get('/desk/growth')))).toContain('is being counted')
  })

  it('is found from this week and from the readers', async () => {
    const eve = await deskOn(database).signedIn()

    for (const path of ['/desk', '/desk/readers'])
      expect(await eve.read(eve.get(path))).toContain('href="/desk/growth"')
  })
})

/** Four readers in batches of two, of which the first has gone out; ten seconds after the plan. */
async function halfSent(): Promise<{ eve: Browser; due: DueIssue }> {
  await people.crowd(database.db, 4)
  const due = await plannedIssue(database, { mail: openPostOffice({ most: { mails: 2, bytes: 4_000_000 } }) })
  due.mail.answerNext((mails) => {
    due.clock.pass('PT10S')
    const providerIds = mails.map(({ id }) => id)
    return { outcome: { kind: 'accepted', providerIds }, deliver: true }
  })
  const stop = new AbortController()
  await deliverIssue({ ...due.deps, onProgress: () => stop.abort() }, due.issue.id, stop.signal)
  const eve = await deskOn(database, { clock: due.clock }).signedIn()
  return { eve, due }
}

/** Week 47, a day after it went to three of four, one of whom is gone by now; and a week before it. */
async function reported(title = 'Anvil vs Bellow'): Promise<{ eve: Browser }> {
  const { db } = database
  const [ann, bob] = [await people.ann(db), await people.bob(db)]
  const [cleo, dora] = [await people.cleo(db), await reader(db, 'dora')]
  await weekBefore()
  const due = await plannedIssue(database)
  await unsubscribe(due.deps, bob.publicId, 'page')
  await deliverThroughWaits(due)
  const sent = Temporal.Instant.from(friday)
  for (const [who, state] of [
    [ann, 'delivered'],
    [cleo, 'delivered'],
    [dora, 'bounced hard'],
  ] as const)
    await db
      .insertInto('feedback')
      .values({
        issue_id: due.issue.id,
        subscriber_id: who.id,
        state,
        at: sent.add({ minutes: 2 }),
        soft_at: null,
      })
      .execute()
  await counts(due.issue.id, 2, 1)
  const link = await db
    .selectFrom('link')
    .select(['id', 'comparison_id'])
    .where('kind', '=', 'comparison')
    .where('issue_id', '=', due.issue.id)
    .executeTakeFirstOrThrow()
  await db.updateTable('comparison').set({ title }).where('id', '=', link.comparison_id).execute()
  for (const agent of ['browser', 'program'] as const)
    await db
      .insertInto('click')
      .values({ link_id: link.id, at: sent.add({ minutes: 5 }), network: 1, visitor: 1, agent, head: false })
      .execute()
  await rolled(due.clock)
  return { eve: await deskOn(database, { clock: due.clock }).signedIn() }
}

async function rolled(clock: MovableClock): Promise<void> {
  clock.pass('PT24H')
  await rollUp(newsletterWith(database, { clock, transport: openPostOffice() }))
}

/** Two mails, one of which arrived. */
async function weekBefore(): Promise<void> {
  const { db } = database
  const at = Temporal.Instant.from('2026-11-13T14:00:00Z')
  await drafted(db, '2026-W46')
  const { id, edition_hash } = await db
    .updateTable('issue')
    .set({ state: 'sent', planned_at: at, planned: 2, finished_at: at })
    .where('week', '=', '2026-W46')
    .returning(['id', 'edition_hash'])
    .executeTakeFirstOrThrow()
  await db
    .insertInto('batch')
    .values({
      ...{ id: '00000000-0000-4000-8000-000000000046', issue_id: id, edition_hash: edition_hash ?? '' },
      ...{ ordinal: 1, size: 2, state: 'accepted', idempotency_key: 'wv1/2026-W46/x/1', key_id: 'k1' },
      ...{ first_used_at: at, accepted_at: at, provider_ids: ['a', 'b'] },
    })
    .execute()
  await counts(id, 1, 0)
}

async function counts(issueId: number, delivered: number, hard: number): Promise<void> {
  await database.db
    .insertInto('issue_feedback')
    .values({
      ...{ issue_id: issueId, delayed: 0, delivered, failed: 0, suppressed: 0 },
      ...{ bounced_soft: 0, bounced_hard: hard, complained: 0 },
    })
    .execute()
}

function textOf(page: string): string {
  return page.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
}

/** The data of server-sent events, one after another; undefined once there are no more. */
function eventsOf(answer: Response): {
  next(): Promise<Record<string, unknown> | undefined>
  stop(): Promise<void>
} {
  const bytes = answer.body?.getReader()
  const decoder = new TextDecoder()
  let kept = ''
  return {
    stop: async () => bytes?.cancel(),
    async next() {
      for (;;) {
        const [event, ...rest] = kept.split('\n\n')
        if (rest.length > 0) {
          kept = rest.join('\n\n')
          const data = /^data: (.*)$/m.exec(event ?? '')?.[1]
          if (data) return JSON.parse(data)
          continue
        }
        const { done, value } = (await bytes?.read()) ?? { done: true }
        if (done) return undefined
        kept += decoder.decode(value, { stream: true })
      }
    },
  }
}
