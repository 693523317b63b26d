import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rollUp } from '../../jobs/roll-up.ts'
import { reportOf } from '../../src/delivery/issue-report.ts'
import { recipientsOf } from '../../src/delivery/recipients.ts'
import { clicksOf, keptClicksOf } from '../../src/issue/clicks.ts'
import { findIssue, type Issue } from '../../src/issue/issue.ts'
import { rollUpClicks } from '../../src/issue/roll-up-clicks.ts'
import { explainDeparture } from '../../src/subscriber/departure.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { clockAt } from '../setup/clock.ts'
import { useDatabase } from '../setup/database.ts'
import { type DueIssue, deliverThroughWaits, friday, plannedIssue } from '../setup/delivery.ts'
import { drafted } from '../setup/drafted.ts'
import { newsletterWith } from '../setup/newsletter.ts'
import { people, reader } from '../setup/people.ts'
import { openPostOffice } from '../setup/post-office.ts'

const database = useDatabase()
const sent = Temporal.Instant.from(friday)

describe('the report on an issue', () => {
  it('puts whoever unsubscribed down to the issue before, for seven days and until the next one', async () => {
    const names = ['ann', 'bob', 'cleo', 'dora', 'emil'] as const
    const [ann, bob, cleo, dora, emil] = await Promise.all(names.map((name) => reader(database.db, name)))
    if (!ann || !bob || !cleo || !dora || !emil) throw new Error('somebody is missing')
    const due = await sentIssue()
    await leaves(ann, 'PT1H')
    await leaves(bob, 'P5DT1H')
    await nextIssue('2026-W48', 'P6D')
    await leaves(cleo, 'P6DT1H')
    await leaves(dora, 'P13D')
    await leaves(emil, '-PT1H')

    await roll('P14D')

    const [first, second] = [await report('2026-W47', 'P14D'), await report('2026-W48', 'P14D')]
    expect(first?.unsubscribed.readers).toBe(2)
    expect(second?.unsubscribed.readers).toBe(1)
    expect(second?.before?.week).toBe(due.issue.week)
    expect(second?.before?.unsubscribed.readers).toBe(2)
  })

  it('counts one who leaves later as well, while its time is not over, and nobody any more after that', async () => {
    const [ann, bob] = [await people.ann(database.db), await people.bob(database.db)]
    await sentIssue()
    const left = async (when: string) => {
      await roll(when)
      return (await report('2026-W47', when))?.unsubscribed.readers
    }

    expect(await left('PT1H')).toBe(0)
    await leaves(ann, 'PT2H')
    expect(await left('PT3H')).toBe(1)
    await leaves(bob, 'P8D')
    expect(await left('P9D')).toBe(1)
  })

  it('does not count a complaint as leaving besides', async () => {
    const ann = await people.ann(database.db)
    await sentIssue()
    await database.db
      .insertInto('consent_event')
      .values({
        ...{ subscriber_id: ann.id, kind: 'unsubscribed', at: inTime('PT1H'), method: 'complaint' },
        ...{ detail: null, wording: null, form_url: null, network: null },
      })
      .execute()

    await roll('PT2H')

    expect((await report('2026-W47', 'PT2H'))?.unsubscribed.readers).toBe(0)
  })

  it('has the reasons of those who said why, within its time', async () => {
    const [ann, bob] = [await people.ann(database.db), await people.bob(database.db)]
    await sentIssue()
    for (const [who, when] of [
      [ann, 'PT1H'],
      [bob, 'P9D'],
    ] as const) {
      await leaves(who, when)
      const told = { why: 'too often' as const, words: null }
      await explainDeparture({ db: database.db, clock: () => inTime(when) }, who.publicId, told)
    }

    expect((await report('2026-W47', 'P10D'))?.departures).toEqual([{ why: 'too often', readers: 1 }])
  })

  it('has the hours in which mails arrived and links were followed', async () => {
    const [ann, bob, cleo] = [
      await people.ann(database.db),
      await people.bob(database.db),
      await people.cleo(database.db),
    ]
    const { issue } = await sentIssue()
    await cameBack(issue, ann.id, 'delivered', 'PT2M')
    await cameBack(issue, bob.id, 'delivered', 'PT61M')
    await cameBack(issue, cleo.id, 'bounced hard', 'PT3M')
    await click(await linkOf(issue), 'PT70M', 1)
    await click(await linkOf(issue), 'PT47H59M', 2)
    await click(await linkOf(issue), 'PT49H', 3)

    await roll('P3D')

    const { hours } = (await report('2026-W47', 'P3D')) ?? {}
    expect(hours).toEqual([
      { hour: 0, delivered: 1, raw: 0, clicks: 0 },
      { hour: 1, delivered: 1, raw: 1, clicks: 1 },
      { hour: 47, delivered: 0, raw: 1, clicks: 1 },
    ])
  })

  it('has the votes on its tools as they stand now, and no share of too few', async () => {
    await people.ann(database.db)
    await sentIssue()
    await database.db
      .updateTable('comparison_tool')
      .set({ community_ship: 3, community_skip: 1 })
      .where('side', '=', 1)
      .execute()
    await database.db
      .updateTable('comparison_tool')
      .set({ community_ship: 3, community_skip: 2 })
      .where('side', '=', 2)
      .execute()

    const { votes } = (await report('2026-W47', 'P1D')) ?? {}

    expect(votes?.map(({ ship, skip, percent }) => [ship, skip, percent])).toEqual([
      [3, 1, null],
      [3, 2, 60],
    ])
  })

  it('is not there before an issue is planned', async () => {
    await drafted(database.db, '2026-W48')

    expect(await report('2026-W48', 'P1D')).toBeUndefined()
  })
})

describe('clicks that are counted as they come in', () => {
  it('are none the less those that are counted afresh, whenever they were counted on the way', async () => {
    await people.ann(database.db)
    const { issue } = await sentIssue()
    const links = await database.db.selectFrom('link').select(['id', 'kind']).execute()
    const steps = fc.array(
      fc.record({
        link: fc.constantFrom(...links.map(({ id }) => id)),
        seconds: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 4_000 })),
        visitor: fc.integer({ min: 1, max: 2 }),
        isLate: fc.boolean(),
        isCounted: fc.boolean(),
      }),
      { minLength: 3, maxLength: 40 },
    )

    await fc.assert(
      fc.asyncProperty(steps, async (given) => {
        await database.db.deleteFrom('click').execute()
        await database.db.deleteFrom('click_hour').execute()
        await database.db.deleteFrom('issue_tally').execute()
        let now = sent
        for (const { link, seconds, visitor, isLate, isCounted } of given) {
          now = now.add({ seconds })
          await click(
            link,
            sent.until(isLate ? later(sent, now.subtract({ minutes: 40 })) : now).toString(),
            visitor,
          )
          if (isCounted) await rollUpClicks({ db: database.db, clock: clockAt(now.toString()) })
        }
        await rollUpClicks({ db: database.db, clock: clockAt(now.toString()) })

        const fresh = await clicksOf(database.db, issue.id)
        expect(await keptClicksOf(database.db, issue.id)).toEqual(fresh)
        const tally = await database.db.selectFrom('issue_tally').selectAll().executeTakeFirstOrThrow()
        expect([tally.clicks_raw, tally.clicks]).toEqual([fresh.raw, fresh.filtered])
      }),
      { numRuns: 20 },
    )
  })

  it('are a program’s after all once it follows the hidden link, though they were counted as a person’s', async () => {
    await people.ann(database.db)
    const { issue } = await sentIssue()
    await click(await linkOf(issue), 'PT59M', 1)
    await roll('PT61M')
    expect(await keptClicksOf(database.db, issue.id)).toMatchObject({ raw: 1, filtered: 1 })

    await click(await linkOf(issue, 'trap'), 'PT65M', 1)
    await roll('PT66M')

    expect(await keptClicksOf(database.db, issue.id)).toMatchObject({
      raw: 1,
      filtered: 0,
      flagged: { trap: 1 },
    })
  })
})

describe('everybody whom an issue went to', () => {
  it('is there with what we did and what came back', async () => {
    const ann = await people.ann(database.db)
    const bob = await people.bob(database.db)
    const due = await plannedIssue(database)
    await unsubscribe(due.deps, bob.publicId, 'page')
    await deliverThroughWaits(due)
    await cameBack(due.issue, ann.id, 'delivered', 'PT2M')

    const pages = await Array.fromAsync(recipientsOf(database.db, due.issue.id))

    expect(pages.flat()).toEqual([
      {
        ...{ id: ann.id, address: ann.address, state: 'accepted', reason: null },
        ...{ providerId: expect.stringContaining('id-'), cameBack: 'delivered', cameBackAt: inTime('PT2M') },
      },
      {
        ...{ id: bob.id, address: bob.address, state: 'excluded', reason: 'unsubscribed' },
        ...{ providerId: null, cameBack: null, cameBackAt: null },
      },
    ])
  })
})

function inTime(time: string): Temporal.Instant {
  return sent.add(Temporal.Duration.from(time).round({ largestUnit: 'hours', relativeTo: '2026-11-20' }))
}

function later(a: Temporal.Instant, b: Temporal.Instant): Temporal.Instant {
  return Temporal.Instant.compare(a, b) > 0 ? a : b
}

async function sentIssue(): Promise<DueIssue> {
  const due = await plannedIssue(database)
  await deliverThroughWaits(due)
  return due
}

async function nextIssue(week: string, when: string): Promise<void> {
  await drafted(database.db, week)
  await database.db
    .updateTable('issue')
    .set({ state: 'sent', planned_at: inTime(when), finished_at: inTime(when) })
    .where('week', '=', week)
    .execute()
}

function leaves({ publicId }: { publicId: string }, when: string): Promise<boolean> {
  return unsubscribe({ db: database.db, clock: () => inTime(when) }, publicId, 'page')
}

async function cameBack(
  { id }: Issue,
  subscriberId: number,
  state: 'delivered' | 'bounced hard',
  when: string,
): Promise<void> {
  const none = {
    delayed: 0,
    delivered: 0,
    failed: 0,
    suppressed: 0,
    bounced_soft: 0,
    bounced_hard: 0,
    complained: 0,
  }
  const one = state === 'delivered' ? 'delivered' : 'bounced_hard'
  await database.db
    .insertInto('feedback')
    .values({ issue_id: id, subscriber_id: subscriberId, state, at: inTime(when), soft_at: null })
    .execute()
  await database.db
    .insertInto('issue_feedback')
    .values({ issue_id: id, ...none, [one]: 1 })
    .onConflict((oc) =>
      oc.column('issue_id').doUpdateSet((eb) => ({ [one]: eb(`issue_feedback.${one}`, '+', 1) })),
    )
    .execute()
}

async function linkOf({ id }: Issue, kind: 'comparison' | 'trap' = 'comparison'): Promise<string> {
  const link = await database.db
    .selectFrom('link')
    .select('id')
    .where('issue_id', '=', id)
    .where('kind', '=', kind)
    .executeTakeFirstOrThrow()
  return link.id
}

async function click(link: string, when: string, visitor: number): Promise<void> {
  await database.db
    .insertInto('click')
    .values({ link_id: link, at: inTime(when), network: visitor, visitor, agent: 'browser', head: false })
    .execute()
}

function roll(when: string): Promise<void> {
  const deps = newsletterWith(database, { clock: () => inTime(when), transport: openPostOffice() })
  return rollUp(deps)
}

async function report(week: string, when: string) {
  const issue = await findIssue(database.db, week)
  return issue && reportOf(database.db, issue, inTime(when))
}
