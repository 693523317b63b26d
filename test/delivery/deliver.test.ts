import { setTimeout as sleep } from 'node:timers/promises'
import { type Kysely, sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import type { Database } from '../../db/schema.ts'
import { sendIssue } from '../../jobs/send-issue.ts'
import { deliverIssue, deliverToTheEnd } from '../../src/delivery/deliver.ts'
import { accountOf } from '../../src/delivery/report.ts'
import { decide } from '../../src/issue/decide.ts'
import type { SendOutcome, Transport } from '../../src/mail/email.ts'
import { openTestDatabase, useDatabase } from '../setup/database.ts'
import {
  batches,
  crowd,
  deliverThroughWaits,
  dueIssue,
  friday,
  lostAnswer,
  plannedIssue,
  takesAll,
} from '../setup/delivery.ts'
import { people } from '../setup/people.ts'
import { type Answer, openPostOffice } from '../setup/post-office.ts'

const database = useDatabase()
const oneByOne = { mails: 1, bytes: 4_000_000 }
const halted: SendOutcome = { kind: 'halt', reason: 'the daily quota is used up' }
const taken: Answer = (mails) => ({ outcome: takesAll(mails), deliver: true })

describe('delivering an issue', () => {
  it('brings each reader one mail, and the issue is sent', async () => {
    await people.crowd(database.db, 250)
    const { deps, mail, issue } = await dueIssue(database)

    const sent = await sendIssue(deps, '2026-W47')

    expect(sent).toEqual({ kind: 'finished', state: 'sent' })
    expect(mail.sentTo()).toEqual(crowd(250))
    expect(await accountOf(database.db, issue.id)).toMatchObject({
      ...{ planned: 250, accepted: 250, rejected: 0, excluded: 0, quarantined: 0, notYetSent: 0 },
    })
  })

  it('may be asked for again: nobody has a second mail', async () => {
    await people.crowd(database.db, 5)
    const { deps, mail } = await dueIssue(database)
    await sendIssue(deps, '2026-W47')

    const again = await sendIssue(deps, '2026-W47')

    expect(again).toEqual({ kind: 'finished', state: 'sent' })
    expect(mail.sentTo()).toEqual(crowd(5))
  })

  it('is shared by any number of workers', async () => {
    await people.crowd(database.db, 40)
    const { deps, mail, issue } = await plannedIssue(database, { mail: openPostOffice({ most: oneByOne }) })

    await Promise.all(
      ['one', 'two', 'three', 'four'].map((worker) => deliverIssue({ ...deps, worker }, issue.id)),
    )

    expect(mail.sentTo()).toEqual(crowd(40))
    expect(mail.calls).toHaveLength(40)
  })

  it('is over when the last call is answered, also where another lane of the worker waited for that one', async () => {
    await people.crowd(database.db, 2)
    const mail = openPostOffice({ most: oneByOne, concurrency: 2 })
    const { deps, issue } = await plannedIssue(database, { mail })
    mail.answerNext(async (mails) => {
      while (mail.calls.length < 2) await sleep(5)
      await sleep(300)
      return { outcome: takesAll(mails), deliver: true }
    })

    expect(await deliverIssue(deps, issue.id)).toEqual({ kind: 'finished', state: 'sent' })
  })

  it('keeps as many calls in flight as the transport allows, and no more', async () => {
    await people.crowd(database.db, 9)
    const mail = openPostOffice({ most: oneByOne, concurrency: 3 })
    const { deps, issue } = await plannedIssue(database, { mail })
    const watched = watch(mail, 3)

    await deliverIssue({ ...deps, transport: watched }, issue.id)

    expect(watched.peak()).toBe(3)
    expect(mail.sentTo()).toEqual(crowd(9))
  })

  it('tells of each batch that was written down', async () => {
    await people.crowd(database.db, 5)
    const due = await plannedIssue(database, {
      mail: openPostOffice({ most: { mails: 2, bytes: 4_000_000 } }),
    })
    const told: [number, string][] = []
    const deps = { ...due.deps, onProgress: (mails: number, kind: string) => told.push([mails, kind]) }
    due.mail.answerNext(lostAnswer('after they were taken'))

    await deliverThroughWaits({ ...due, deps })

    expect(told).toEqual([
      [2, 'unknown'],
      [2, 'accepted'],
      [1, 'accepted'],
      [2, 'accepted'],
    ])
  })

  it('waits for what the provider asked to wait for, and then ends', async () => {
    await people.crowd(database.db, 3)
    const begun = performance.now()
    const clock = () =>
      Temporal.Instant.from(friday).add({ milliseconds: Math.ceil(performance.now() - begun) })
    const { deps, mail, issue } = await plannedIssue(database, { mail: openPostOffice({ most: oneByOne }) })
    mail.answerNext({ kind: 'retry', after: Temporal.Duration.from('PT0.2S'), reason: 'too many requests' })

    const delivered = await deliverToTheEnd({ ...deps, clock }, issue.id)

    expect(delivered).toEqual({ kind: 'finished', state: 'sent' })
    expect(mail.sentTo()).toEqual(crowd(3))
  })

  it('is partly sent where a batch needs a person', async () => {
    await people.crowd(database.db, 2)
    const due = await plannedIssue(database, { mail: openPostOffice({ most: oneByOne, repeatable: false }) })
    due.mail.answerNext(lostAnswer('before they were taken'))

    const delivered = await deliverThroughWaits(due)

    expect(delivered).toEqual({ kind: 'finished', state: 'partly sent' })
    expect(due.mail.sentTo()).toEqual(['reader-000002@example.test'])
    expect(await accountOf(database.db, due.issue.id)).toMatchObject({ accepted: 1, quarantined: 1 })
  })
})

describe('an issue that was stopped by the provider', () => {
  it('stays where it is until it is released, and then goes on from there', async () => {
    await people.crowd(database.db, 5)
    const { deps, mail } = await dueIssue(database, { mail: openPostOffice({ most: oneByOne }) })
    mail.answerNext(taken, taken, halted)

    const first = await sendIssue(deps, '2026-W47')
    const unreleased = await sendIssue(deps, '2026-W47')
    await decide(deps, '2026-W47', 'release', 'eve@example.test')
    const second = await sendIssue(deps, '2026-W47')

    expect(first).toEqual({ kind: 'finished', state: 'paused' })
    expect(unreleased).toMatchObject({
      kind: 'refused',
      problem:
        '2026-W47 is paused: the daily quota is used up. When that is mended: verdict release 2026-W47',
    })
    expect(second).toEqual({ kind: 'finished', state: 'sent' })
    expect(mail.sentTo()).toEqual(crowd(5))
    expect(mail.calls[3]).toEqual(mail.calls[2])
  })
})

describe('an editor, while the issue is on its way,', () => {
  it('holds it: what is in flight ends, nothing else leaves until it is released', async () => {
    await people.crowd(database.db, 4)
    const { deps, mail } = await dueIssue(database, { mail: openPostOffice({ most: oneByOne }) })
    mail.answerNext(taken, async (mails) => {
      await decide(deps, '2026-W47', 'hold', 'eve@example.test')
      return { outcome: takesAll(mails), deliver: true }
    })

    const held = await sendIssue(deps, '2026-W47')
    const sentByThen = mail.sentTo()
    await decide(deps, '2026-W47', 'release', 'eve@example.test')
    await sendIssue(deps, '2026-W47')

    expect(held).toEqual({ kind: 'finished', state: 'paused' })
    expect(sentByThen).toEqual(crowd(2))
    expect(mail.sentTo()).toEqual(crowd(4))
  })

  it('cancels it: what is in flight ends, and nothing more ever leaves', async () => {
    await people.crowd(database.db, 4)
    const { deps, mail, issue } = await dueIssue(database, { mail: openPostOffice({ most: oneByOne }) })
    mail.answerNext(taken, async (mails) => {
      await decide(deps, '2026-W47', 'cancel', 'eve@example.test')
      return { outcome: takesAll(mails), deliver: true }
    })

    const cancelled = await sendIssue(deps, '2026-W47')
    const again = await sendIssue(deps, '2026-W47')

    expect(cancelled).toEqual({ kind: 'finished', state: 'cancelled' })
    expect(again).toMatchObject({ kind: 'refused', problem: expect.stringContaining('was cancelled') })
    expect(mail.sentTo()).toEqual(crowd(2))
    expect(await accountOf(database.db, issue.id)).toMatchObject({ accepted: 2, notYetSent: 2 })
  })
})

describe('a process that is asked to stop', () => {
  it('ends its call, claims nothing more, and leaves the rest to the next one', async () => {
    await people.crowd(database.db, 4)
    const stop = new AbortController()
    const { deps, mail, issue } = await plannedIssue(database, { mail: openPostOffice({ most: oneByOne }) })
    mail.answerNext(taken, (mails) => {
      stop.abort()
      return { outcome: takesAll(mails), deliver: true }
    })

    const stopped = await deliverIssue(deps, issue.id, stop.signal)
    const left = await batches(database.db)
    await deliverIssue(deps, issue.id)

    expect(stopped).toEqual({ kind: 'stopped' })
    expect(left.map(({ state }) => state)).toEqual(['accepted', 'accepted', 'built', 'built'])
    expect(mail.sentTo()).toEqual(crowd(4))
  })

  it('does not sit out the pause that a provider asked for', async () => {
    await people.crowd(database.db, 2)
    const stop = new AbortController()
    const { deps, mail, issue } = await plannedIssue(database, { mail: openPostOffice({ most: oneByOne }) })
    mail.answerNext(() => {
      setTimeout(() => stop.abort(), 20)
      const after = Temporal.Duration.from('PT10M')
      return { outcome: { kind: 'retry', after, reason: 'too many requests' }, deliver: false }
    })

    expect(await deliverIssue(deps, issue.id, stop.signal)).toEqual({ kind: 'stopped' })
  })
})

describe('an issue that must not go out as it is', () => {
  it('stops where the key that made its links is gone', async () => {
    await people.ann(database.db)
    const { deps, mail, issue } = await plannedIssue(database)
    const keys = [{ id: 'k2', secret: Buffer.alloc(32, 9) }]

    const delivered = await deliverIssue({ ...deps, keys }, issue.id)

    expect(delivered).toEqual({ kind: 'finished', state: 'paused' })
    expect(mail.calls).toEqual([])
  })

  it('is not sent when its stored bytes are no longer those that were approved', async () => {
    await using own = await databaseOfItsOwn()
    await people.ann(own.db)
    const { deps, mail } = await dueIssue(own)
    await sql`alter table edition disable trigger edition_is_frozen`.execute(own.db)
    await sql`alter table edition drop constraint edition_check`.execute(own.db)
    await own.db.updateTable('edition').set({ subject: 'Other words' }).execute()

    await expect(sendIssue(deps, '2026-W47')).rejects.toThrow('does not match its hash')

    expect(mail.calls).toEqual([])
  })
})

/** For what cannot be undone by emptying the tables. */
async function databaseOfItsOwn(): Promise<AsyncDisposable & { db: Kysely<Database> }> {
  const { connection, close } = await openTestDatabase()
  return { db: connection.db, [Symbol.asyncDispose]: close }
}

/** Counts the calls under way at once; each waits until so many are. */
function watch(mail: Transport, together: number): Transport & { peak(): number } {
  let under = 0
  let peak = 0
  let waiting: (() => void)[] = []
  return {
    ...mail,
    peak: () => peak,
    async send(...call) {
      under += 1
      peak = Math.max(peak, under)
      await new Promise<void>((go) => {
        waiting.push(go)
        if (waiting.length < together) return
        for (const one of waiting) one()
        waiting = []
      })
      const outcome = await mail.send(...call)
      under -= 1
      return outcome
    },
  }
}

describe('a machine that sleeps between its claim and its call', () => {
  it('does not make the call: by now the batch is somebody else’s', async () => {
    await people.ann(database.db)
    const { deps, clock, mail, issue } = await plannedIssue(database)
    let naps = 0
    const ledgerMark = {
      ...{ isEmbedded: false, file: 'none', triedAt: undefined },
      read: () => ({ here: undefined, elsewhere: [] }),
      write: () => {
        naps += 1
        if (naps === 1) clock.pass('PT25H')
      },
    }

    await deliverIssue({ ...deps, ledgerMark }, issue.id)

    const attempts = await database.db.selectFrom('attempt').select(['outcome', 'reason']).execute()
    expect(attempts).toEqual([
      { outcome: 'retry', reason: 'its lease had ended before the call' },
      { outcome: 'accepted', reason: null },
    ])
    expect(mail.calls).toHaveLength(1)
  })
})
