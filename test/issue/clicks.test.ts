import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AgentClass } from '../../db/schema.ts'
import { runDraft } from '../../jobs/draft-issue.ts'
import { forgetClickKeys } from '../../src/issue/click-key.ts'
import { clicksOf } from '../../src/issue/clicks.ts'
import { collectClicks, type Hit } from '../../src/issue/collect-clicks.ts'
import { findIssue } from '../../src/issue/issue.ts'
import { clockAt } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { friday, thursday } from '../setup/delivery.ts'
import { everything, tablesWith } from '../setup/everything.ts'
import { newsletterWith } from '../setup/newsletter.ts'
import { openPostOffice } from '../setup/post-office.ts'

const database = useDatabase()
const sent = Temporal.Instant.from(friday)
const iphone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)'
const chrome = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130.0.0.0'
const slugs = ['anvil', 'bellow', 'chisel', 'drill', 'easel', 'file']

describe('the clicks of an issue', () => {
  it('are counted for each comparison, in the order of the mail', async () => {
    const issue = await sentIssue(['anvil', 'bellow'])
    const [first, second] = issue.comparisons
    await count(issue, [hit(first, '10s'), hit(first, '2m', { network: 'b' }), hit(second, '1h')])

    const clicks = await clicksOf(database.db, issue.id)

    expect(clicks).toMatchObject({ raw: 3, filtered: 3, flagged: { agent: 0, trap: 0, burst: 0 } })
    expect(clicks.links.map(({ place, raw, filtered }) => [place, raw, filtered])).toEqual([
      [1, 2, 2],
      [2, 1, 1],
    ])
    expect(clicks.links[0]).toMatchObject({
      id: first,
      target: expect.stringMatching(/\/compare\//),
      title: expect.stringContaining(' vs '),
    })
  })

  it('are none before it is out: editors look at previews', async () => {
    const issue = await sentIssue(['anvil'])
    await count(issue, [hit(issue.comparisons[0], '-1s'), hit(issue.comparisons[0], '0s')])

    expect(await clicksOf(database.db, issue.id)).toMatchObject({ raw: 1 })
  })

  it.each<[AgentClass, number]>([
    ['browser', 1],
    ['program', 0],
    ['prefetch', 0],
    ['none', 0],
  ])('by an agent that is "%s" are %i', async (agent, people) => {
    const issue = await sentIssue(['anvil'])
    await count(issue, [hit(issue.comparisons[0], '10s', { agent })])

    expect(await clicksOf(database.db, issue.id)).toMatchObject({
      ...{ raw: 1, filtered: people, flagged: { agent: 1 - people } },
    })
  })

  it('by one who followed the hidden link within ten minutes, before or after, are a program’s', async () => {
    const issue = await sentIssue(['anvil'])
    const [link] = issue.comparisons
    await count(issue, [
      hit(link, '4m'),
      hit(issue.trap, '10m'),
      hit(link, '20m'),
      hit(link, '21m'),
      hit(link, '10m', { userAgent: iphone }),
      hit(link, '10m', { network: 'b' }),
    ])

    expect(await clicksOf(database.db, issue.id)).toMatchObject({
      ...{ raw: 5, filtered: 3, flagged: { agent: 0, trap: 2, burst: 0 } },
    })
  })

  it('are no HEAD requests, and who makes one is a program', async () => {
    const issue = await sentIssue(['anvil'])
    const [link] = issue.comparisons
    await count(issue, [hit(link, '10s', { head: true }), hit(link, '20s'), hit(link, '1h')])

    expect(await clicksOf(database.db, issue.id)).toMatchObject({ raw: 2, filtered: 1 })
  })

  it('that are most of the issue from one network within seconds are a program’s', async () => {
    const issue = await sentIssue(slugs)
    const [a, b, c, d, e] = issue.comparisons
    await count(issue, [
      ...[a, b, c, d].map((link, n) => hit(link, `${n * 2}s`, { network: 'scanner', userAgent: `${n}` })),
      hit(e, '5m', { network: 'scanner' }),
      ...[a, b, c].map((link, n) => hit(link, `${n}s`, { network: 'keen reader' })),
      ...[a, b, c, d].map((link, n) => hit(link, `${n * 20}s`, { network: 'slow reader' })),
      ...[a, a, a, a].map((link, n) => hit(link, `${n}s`, { network: 'impatient reader' })),
    ])

    expect(await clicksOf(database.db, issue.id)).toMatchObject({
      ...{ raw: 16, filtered: 12, flagged: { agent: 0, trap: 0, burst: 4 } },
    })
  })

  it('come to the same in whatever order they were stored, and however often they are asked for', async () => {
    const issue = await sentIssue(slugs)
    const hits = fc.array(
      fc.record({
        link: fc.constantFrom(issue.trap, ...issue.comparisons),
        seconds: fc.integer({ min: 0, max: 1_500 }),
        network: fc.constantFrom('a', 'b'),
        userAgent: fc.constantFrom(chrome, iphone),
        head: fc.nat(20).map((n) => n === 0),
      }),
      { minLength: 5, maxLength: 40 },
    )

    await fc.assert(
      fc.asyncProperty(hits, fc.infiniteStream(fc.nat()), async (given, order) => {
        const all = given.map(({ link, seconds, ...rest }) => hit(link, `${seconds}s`, rest))
        const shuffled = all.toSorted(() => ((order.next().value ?? 0) % 3) - 1)
        const [one, other] = [await freshly(issue, all), await freshly(issue, shuffled)]
        expect(other).toEqual(one)
        expect(await clicksOf(database.db, issue.id)).toEqual(one)
      }),
      { numRuns: 15 },
    )
  })
})

describe('what is kept of a click', () => {
  it('is no address, no network, and no user agent', async () => {
    const issue = await sentIssue(['anvil'])
    await count(issue, [hit(issue.comparisons[0], '1s', { network: '192.0.2.0/24', userAgent: chrome })])

    for (const words of ['192.0.2', 'Chrome/130']) expect(await tablesWith(database.db, words)).toEqual([])
    expect((await everything(database.db)).click).toHaveLength(1)
  })

  it('tells nothing across days: the key of a day is thrown away when it is over', async () => {
    const issue = await sentIssue(['anvil'])
    const [link] = issue.comparisons
    await count(issue, [hit(link, '1s'), hit(link, '2s')])
    await count(issue, [hit(link, '24h')])

    const visitors = await database.db.selectFrom('click').select('visitor').orderBy('at').execute()
    expect(visitors[0]).toEqual(visitors[1])
    expect(visitors[2]).not.toEqual(visitors[0])
    expect((await everything(database.db)).click_key).toHaveLength(1)

    await forgetClickKeys({ db: database.db, clock: () => sent.add({ hours: 48 }) })
    expect((await everything(database.db)).click_key).toEqual([])
  })

  it('is lost, and nobody is kept waiting, while the database does not answer', async () => {
    const issue = await sentIssue(['anvil'])
    const warnings: unknown[] = []
    const log = { ...issue.deps.log, warn: (facts: unknown) => void warnings.push(facts) }
    const collector = collectClicks({ ...issue.deps, log: Object.assign(Object.create(issue.deps.log), log) })

    collector.count({ ...hit(issue.comparisons[0], '1s'), link: 'nowhere' })
    await collector.settled()
    collector.count(hit(issue.comparisons[0], '2s'))
    await collector.settled()

    expect(warnings).toMatchObject([{ clicks: 1 }])
    expect((await everything(database.db)).click).toHaveLength(1)
  })
})

async function sentIssue(which: readonly string[]) {
  const clock = clockAt(thursday)
  const deps = newsletterWith(database, { clock, transport: openPostOffice() })
  for (const slug of which) await publish(database.db, documentFor(slug))
  await runDraft(deps, '2026-W47')
  await database.db.updateTable('issue').set({ state: 'sent', planned_at: sent, finished_at: sent }).execute()
  const issue = await findIssue(database.db, '2026-W47')
  if (!issue) throw new Error('not drafted')
  const links = await database.db.selectFrom('link').selectAll().orderBy('position').execute()
  const of = (kind: string) => links.filter((link) => link.kind === kind).map(({ id }) => id)
  return { id: issue.id, deps, comparisons: of('comparison'), trap: of('trap')[0] ?? '' }
}

/** A hit so long after the issue went out: "10s", "4m", "1h". */
function hit(link: string | undefined, after: string, changes: Partial<Hit> = {}): Hit {
  const [, sign, amount, unit] = /^(-?)(\d+)([smh])$/.exec(after) ?? []
  const seconds = Number(`${sign}${amount}`) * { s: 1, m: 60, h: 3600 }[unit as 's' | 'm' | 'h']
  return {
    ...{ link: link ?? '', at: sent.add({ seconds }), network: 'a', userAgent: chrome },
    ...{ agent: 'browser', head: false, ...changes },
  }
}

/** Stores them as of the first one's day. */
async function count({ deps }: Awaited<ReturnType<typeof sentIssue>>, hits: readonly Hit[]): Promise<void> {
  const collector = collectClicks({ ...deps, clock: () => hits[0]?.at ?? sent })
  for (const one of hits) collector.count(one)
  await collector.settled()
}

async function freshly(issue: Awaited<ReturnType<typeof sentIssue>>, hits: readonly Hit[]) {
  await database.db.deleteFrom('click').execute()
  await count(issue, hits)
  return clicksOf(database.db, issue.id)
}
