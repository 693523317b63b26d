import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ConsentKind, ListChange } from '../../db/schema.ts'
import { growthOf } from '../../src/subscriber/growth.ts'
import { rollUpList } from '../../src/subscriber/roll-up-list.ts'
import { clockAt } from '../setup/clock.ts'
import { emptyDatabase, useDatabase } from '../setup/database.ts'
import { newYork } from '../setup/newsletter.ts'

const database = useDatabase()

describe('the growth of the list', () => {
  it('has who came and who went on each day of the newsletter’s zone, with the reason', async () => {
    const ann = await somebody('ann', [['confirmed', '2026-11-02T15:00Z']])
    const bob = await somebody('bob', [['imported', '2026-11-02T15:00Z']])
    await somebody('cleo', [
      ['signed up', '2026-11-02T15:00Z'],
      // Half past eleven at night in New York.
      ['confirmed', '2026-11-04T04:30Z'],
      ['unsubscribed', '2026-11-05T15:00Z'],
    ])
    await say(ann, 'paused', '2026-11-05T16:00Z')
    await bar('bob', 'bounced', '2026-11-05T17:00Z')
    await somebody('dora', [['signed up', '2026-11-05T17:00Z']])

    expect(await daysAt('2026-11-10T12:00Z')).toEqual([
      ['2026-11-02', { confirmed: 1, imported: 1 }],
      ['2026-11-03', { confirmed: 1 }],
      ['2026-11-05', { unsubscribed: 1, paused: 1, bounced: 1 }],
    ])
    expect(bob).toBeGreaterThan(0)
  })

  it('counts nobody out who had gone already', async () => {
    const ann = await somebody('ann', [
      ['confirmed', '2026-11-02T15:00Z'],
      ['paused', '2026-11-03T15:00Z'],
      ['unsubscribed', '2026-11-04T15:00Z'],
      ['erased', '2026-11-05T15:00Z'],
    ])
    await somebody('bob', [['confirmed', '2026-11-02T15:00Z']])
    await bar('bob', 'complained', '2026-11-03T15:00Z')
    const bob = await idOf('bob')
    await say(bob, 'unsubscribed', '2026-11-03T15:00Z', 'complaint')
    await somebody('cleo', [['signed up', '2026-11-03T15:00Z']])
    await bar('cleo', 'by hand', '2026-11-03T16:00Z')
    await bar('stranger', 'bounced', '2026-11-03T16:00Z')

    expect(await daysAt('2026-11-10T12:00Z')).toEqual([
      ['2026-11-02', { confirmed: 2 }],
      ['2026-11-03', { paused: 1, complained: 1 }],
    ])
    expect(ann).not.toBe(bob)
  })

  it('has today’s as well, though no job has counted them yet', async () => {
    await somebody('ann', [['confirmed', '2026-11-09T15:00Z']])
    await roll('2026-11-10T15:00Z')
    await somebody('bob', [['confirmed', '2026-11-10T15:01Z']])

    expect(await pageAt('2026-11-10T15:02Z')).toEqual([
      ['2026-11-09', { confirmed: 1 }],
      ['2026-11-10', { confirmed: 1 }],
    ])
  })

  it('finds what was committed late, once its day is over', async () => {
    await somebody('ann', [['confirmed', '2026-11-09T15:00Z']])
    await roll('2026-11-09T16:00Z')
    await somebody('bob', [['confirmed', '2026-11-09T15:30Z']])
    await roll('2026-11-09T17:00Z')

    expect(await pageAt('2026-11-09T17:00Z')).toEqual([['2026-11-09', { confirmed: 1 }]])
    expect(await daysAt('2026-11-10T12:00Z')).toEqual([['2026-11-09', { confirmed: 2 }]])
  })

  it('says that it is not there yet while the first count has not been made', async () => {
    await somebody('ann', [['confirmed', '2026-11-02T15:00Z']])

    const growth = await growthOf(database.db, at('2026-11-10T12:00Z'), newYork, { by: 'day', most: 31 })

    expect(growth).toMatchObject({ isBehind: true, rows: [] })
  })

  it('adds up by weeks to the list as it is, and goes back as far as there is anything', async () => {
    await somebody('ann', [['confirmed', '2026-10-05T15:00Z']])
    await somebody('bob', [['confirmed', '2026-10-13T15:00Z']])
    await somebody('cleo', [
      ['confirmed', '2026-10-14T15:00Z'],
      ['unsubscribed', '2026-10-20T15:00Z'],
    ])
    await roll('2026-10-30T15:00Z')
    const look = (before?: string) =>
      growthOf(database.db, at('2026-10-30T15:00Z'), newYork, { by: 'week', most: 3, before })

    const newest = await look()
    const oldest = await look(newest.older)

    expect(newest.rows.map(({ begins, net, total }) => [begins, net, total])).toEqual([
      ['2026-10-12', 2, 3],
      ['2026-10-19', -1, 2],
      ['2026-10-26', 0, 2],
    ])
    expect(oldest.rows.map(({ begins, net, total }) => [begins, net, total])).toEqual([['2026-10-05', 1, 1]])
    expect(oldest.older).toBeUndefined()
    expect(newest.isEstimate).toBe(false)
  })

  it('comes to the same however often and whenever it was counted on the way, and its net to who is on the list', async () => {
    const steps = fc.array(
      fc.record({
        who: fc.constantFrom('ann', 'bob', 'cleo'),
        hours: fc.integer({ min: 1, max: 30 }),
        what: fc.constantFrom('leave', 'pause', 'return', 'bounce' as const),
        isCounted: fc.boolean(),
      }),
      { maxLength: 12 },
    )

    await fc.assert(
      fc.asyncProperty(steps, async (given) => {
        await emptyDatabase(database.db)
        let now = at('2026-11-02T15:00:00Z')
        const list = new Set(['ann', 'bob', 'cleo'])
        const barred = new Set<string>()
        for (const name of list) await somebody(name, [['confirmed', now.toString()]])
        for (const { who, hours, what, isCounted } of given) {
          now = now.add({ hours })
          if (what === 'bounce') {
            if (!barred.has(who)) await bar(who, 'bounced', now.toString())
            barred.add(who)
          } else {
            const kind = { leave: 'unsubscribed', pause: 'paused', return: 'resubscribed' } as const
            await say(await idOf(who), kind[what], now.toString())
          }
          if (what === 'return' && !barred.has(who)) list.add(who)
          if (what !== 'return') list.delete(who)
          if (isCounted) await roll(now.toString())
        }
        const end = now.add({ hours: 60 }).toString()

        const kept = await daysAt(end)
        await database.db.deleteFrom('list_day').execute()
        await database.db.deleteFrom('list_mark').execute()
        expect(await daysAt(end)).toEqual(kept)
        const came = ['confirmed', 'resubscribed']
        const net = kept
          .flatMap(([, changes]) => Object.entries(changes))
          .reduce((sum, [what, readers]) => sum + (came.includes(what) ? readers : -readers), 0)
        expect(net).toBe(list.size)
      }),
      { numRuns: 25 },
    )
  })
})

function at(instant: string): Temporal.Instant {
  return Temporal.Instant.from(instant)
}

async function somebody(name: string, said: readonly (readonly [ConsentKind, string])[]): Promise<number> {
  const { id } = await database.db
    .insertInto('subscriber')
    .values({
      ...{
        address: `${name}@example.test`,
        status: said.some(([kind]) => kind === 'unsubscribed')
          ? 'unsubscribed'
          : said.some(([kind]) => kind !== 'signed up')
            ? 'confirmed'
            : 'pending',
      },
      ...{ created_at: at('2026-01-05T12:00Z'), confirmed_at: at('2026-01-05T12:00Z') },
      unsubscribed_at: said.some(([kind]) => kind === 'unsubscribed') ? at('2026-11-05T15:00Z') : null,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  for (const [kind, when] of said) await say(id, kind, when)
  return id
}

async function say(id: number, kind: ConsentKind, when: string, method = 'page'): Promise<void> {
  await database.db
    .insertInto('consent_event')
    .values({
      ...{ subscriber_id: id, kind, at: at(when), method },
      ...{ detail: null, wording: null, form_url: null, network: null },
    })
    .execute()
}

async function bar(name: string, reason: 'bounced' | 'complained' | 'by hand', when: string): Promise<void> {
  await database.db
    .insertInto('suppression')
    .values({ address: `${name}@example.test`, address_hash: null, key_id: null, reason, since: at(when) })
    .execute()
}

async function idOf(name: string): Promise<number> {
  const { id } = await database.db
    .selectFrom('subscriber')
    .select('id')
    .where('address', '=', `${name}@example.test`)
    .executeTakeFirstOrThrow()
  return id
}

function roll(now: string): Promise<void> {
  return rollUpList({ db: database.db, clock: clockAt(now), calendar: newYork })
}

/** What the page shows, without days on which nothing happened. */
async function pageAt(now: string) {
  const { rows } = await growthOf(database.db, at(now), newYork, { by: 'day', most: 60 })
  return rows
    .filter(({ changes }) => Object.keys(changes).length > 0)
    .map(({ begins, changes }): [string, Partial<Record<ListChange, number>>] => [begins, changes])
}

async function daysAt(now: string) {
  await roll(now)
  return pageAt(now)
}
