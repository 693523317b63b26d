import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { SendOutcome } from '../../src/mail/email.ts'
import { openPacer, type Pacer } from '../../src/mail/pace.ts'
import { useDatabase } from '../setup/database.ts'

const database = useDatabase()
const accepted: SendOutcome = { kind: 'accepted', providerIds: [] }

describe('workers that share a provider', () => {
  it('share its rate: two make no more calls than one', async () => {
    const [one, two] = [pacer(20), pacer(20)]

    const calls = (await Promise.all([callsOf(one, 10), callsOf(two, 10)])).flat().sort((a, b) => a - b)

    // 20 a second: the twentieth call comes no earlier than 19 gaps after the first, give or take a timer's millisecond.
    expect((calls.at(-1) ?? 0) - (calls[0] ?? 0)).toBeGreaterThan(900)
  })

  it('follow the rate that the provider names, and keep it for those who come later', async () => {
    const first = pacer(2)
    await first.heard({ ...accepted, perSecond: 500 })

    await callsOf(pacer(2), 40)

    expect(await rate()).toBe(500)
  })

  it('begin low again after ten quiet minutes', async () => {
    await pacer(2).heard({ ...accepted, perSecond: 500 })
    await database.db
      .updateTable('pace')
      .set({ heard_at: Temporal.Now.instant().subtract({ minutes: 11 }) })
      .execute()

    await callsOf(pacer(2), 1)

    expect(await rate()).toBe(2)
  })

  it('all rest when one of them is asked to, and leave more room afterwards', async () => {
    const [one, late] = [pacer(1000), pacer(1000)]
    await callsOf(one, 1)
    const before = await slack()
    const began = performance.now()
    await one.heard({ kind: 'retry', after: Temporal.Duration.from('PT0.6S'), reason: 'too many calls' })

    const [call = 0] = await callsOf(late, 1)

    expect(call - began).toBeGreaterThan(550)
    expect(await slack()).toBeGreaterThan(before)
  })

  it('keep their pace while they are at it, however long ago they were told of it', async () => {
    const busy = pacer(2)
    await busy.heard({ ...accepted, perSecond: 500 })
    await database.db
      .updateTable('pace')
      .set({ heard_at: Temporal.Now.instant().subtract({ minutes: 11 }) })
      .execute()
    await callsOf(busy, 1)

    await callsOf(pacer(2), 1)

    expect(await rate()).toBe(500)
  })

  it('never make more calls within a second than are allowed, however late the first of them were', async () => {
    const late = pacer(2)
    const goes = [await late.turn(), await late.turn(), await late.turn()]
    await wait(1200)

    const calls: number[] = []
    for (const go of goes) {
      await go()
      calls.push(performance.now())
    }
    const [first = 0, , third = 0] = calls

    // A timer may be a millisecond early.
    expect(third - first).toBeGreaterThan(990)
  })

  it('take no harm from a rate that nobody could mean', async () => {
    const told = pacer(2)
    await told.heard({ ...accepted, perSecond: 1e12 })

    expect(await callsOf(told, 3)).toHaveLength(3)
  })

  it('stop waiting when they are told to', async () => {
    const slow = pacer(0.01)
    await callsOf(slow, 1)
    const stop = new AbortController()

    const turn = slow.turn(stop.signal)
    stop.abort()

    expect(await Promise.race([turn.then(() => 'let go'), wait(5_000, 'kept')])).toBe('let go')
  })
})

describe('where nobody counts', () => {
  it('no call waits, and no table is asked', async () => {
    const free = openPacer({ db: database.db, transport: { name: 'outbox' } })

    await callsOf(free, 100)

    expect(await database.db.selectFrom('pace').selectAll().execute()).toEqual([])
  })
})

function pacer(perSecond: number): Pacer {
  return openPacer({ db: database.db, transport: { name: 'resend', perSecond } })
}

/** The instants of so many calls, one after the other. */
async function callsOf(one: Pacer, calls: number): Promise<number[]> {
  const instants: number[] = []
  for (let n = 0; n < calls; n += 1) {
    const go = await one.turn()
    await go()
    instants.push(performance.now())
  }
  return instants
}

async function rate(): Promise<number | undefined> {
  return (await database.db.selectFrom('pace').select('per_second').executeTakeFirst())?.per_second
}

async function slack(): Promise<number> {
  return (await database.db.selectFrom('pace').select('slack').executeTakeFirstOrThrow()).slack
}
