import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { sql } from 'kysely'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type CommandLine, ended, type Run, useCommandLine } from '../setup/cli.ts'
import { crowd } from '../setup/delivery.ts'
import { drafted } from '../setup/drafted.ts'
import { type FakeProvider, startFakeProvider } from '../setup/fake-provider.ts'
import { people } from '../setup/people.ts'
import { seeded } from '../setup/seeded.ts'

describe('a sender that is killed between the provider’s answer and the ledger', () => {
  const verdict = useCommandLine()

  it('leaves a batch in doubt, and the next one brings each reader exactly one mail', async () => {
    const week = '2099-W10'
    await readersAndIssue(verdict, 300, week)
    const slow = { kind: 'delay', ms: 1_500 } as const
    const provider = await startFakeProvider({ faults: (n) => (n === 1 || n === 2 ? slow : undefined) })
    onTestFinished(() => provider.close())
    const env = environmentOf(provider)

    const first = verdict.start(['send', week, '--now', '--json'], { env })
    await until(() => provider.accepted.length >= 100 && provider.received.length >= 2)
    await kill(first)
    // The call that was in flight is accepted now, and nobody is there to hear it.
    await until(() => provider.accepted.length >= 200)
    const acceptedInLedger = await acceptedBatches(verdict)
    const acceptedByProvider = new Set(provider.accepted.map(({ key }) => key)).size
    await endLeases(verdict)
    const second = await verdict.run(['send', week, '--now', '--json'], { env })
    const proof = await verdict.run(['reconcile', week, '--json'])

    expect(acceptedInLedger).toBeLessThan(acceptedByProvider)
    expect(second).toMatchObject({ code: 0, json: { state: 'sent', planned: 300, accepted: 300 } })
    expect(provider.accepted.map(({ to }) => to).toSorted()).toEqual(crowd(300))
    expect(proof).toMatchObject({ code: 0, json: { violations: [] } })
  })
})

describe('a sender that is asked to end', () => {
  const verdict = useCommandLine()

  it('ends its calls in flight, writes them down, and the next one goes on', async () => {
    const week = '2099-W10'
    await readersAndIssue(verdict, 450, week)
    const provider = await startFakeProvider({ latencyMs: 1_000 })
    onTestFinished(() => provider.close())
    const env = environmentOf(provider)

    const first = verdict.start(['send', week, '--now', '--json'], { env })
    await until(() => provider.accepted.length >= 100)
    first.kill('SIGTERM')
    const stopped = await endedInTime(first)
    const sentByThen = provider.accepted.length
    const inLedger = await acceptedBatches(verdict)
    const second = await verdict.run(['send', week, '--now', '--json'], { env })

    expect(stopped).toMatchObject({ code: 1, json: { week, state: 'sending' } })
    expect(sentByThen).toBeLessThan(450)
    expect(inLedger).toBe(sentByThen / 100)
    expect(second).toMatchObject({ code: 0, json: { state: 'sent', accepted: 450 } })
    expect(provider.accepted.map(({ to }) => to).toSorted()).toEqual(crowd(450))
  })
})

describe('a sender that is killed again and again', () => {
  const verdict = useCommandLine()

  it('has put one mail for each of 300 readers into the outbox after twenty kills, and no other', {
    timeout: 600_000,
  }, async () => {
    await verdict.withDatabase(async ({ db }) => {
      await drafted(db, weekOf(0))
      await people.crowd(db, 300)
    })
    const random = seeded(47)
    let weeks = 1

    for (let kills = 0; kills < 20; ) {
      const sender = verdict.start(['send', weekOf(weeks - 1), '--now'])
      if (await isKilledInTheMiddle(verdict, sender, random)) {
        kills += 1
        await endLeases(verdict)
        continue
      }
      await verdict.withDatabase(({ db }) => drafted(db, weekOf(weeks)))
      weeks += 1
    }
    const last = await verdict.run(['send', weekOf(weeks - 1), '--now', '--json'])

    expect(last).toMatchObject({ code: 0, json: { state: 'sent', accepted: 300 } })
    for (let n = 0; n < weeks; n += 1) {
      expect(readersOf(verdict, weekOf(n))).toEqual(crowd(300))
      expect(await verdict.run(['reconcile', weekOf(n)])).toMatchObject({ code: 0 })
    }
  })
})

describe('a sender on the embedded database that is killed', () => {
  const verdict = useCommandLine({ embedded: true })

  it('is followed by one that brings each reader one mail', async () => {
    const week = '2099-W10'
    await readersAndIssue(verdict, 300, week)

    const first = verdict.start(['send', week, '--now'])
    await until(() => filesIn(verdict).length >= 150)
    await kill(first)
    const unfinished = await verdict.withDatabase(({ db }) =>
      db.selectFrom('issue').select('state').executeTakeFirstOrThrow(),
    )
    await endLeases(verdict)
    const second = await verdict.run(['send', week, '--now', '--json'])

    expect(unfinished).toEqual({ state: 'sending' })
    expect(second).toMatchObject({ code: 0, json: { state: 'sent', accepted: 300 } })
    expect(readersOf(verdict, week)).toEqual(crowd(300))
    expect(await verdict.run(['reconcile', week])).toMatchObject({ code: 0 })
  })
})

async function readersAndIssue(verdict: CommandLine, readers: number, week: string): Promise<void> {
  await verdict.withDatabase(async ({ db }) => {
    await drafted(db, week)
    await people.crowd(db, readers)
  })
}

function environmentOf({ url }: FakeProvider): Record<string, string> {
  return { MAIL_TRANSPORT: 'resend', RESEND_API_KEY: 're_test', RESEND_BASE_URL: url }
}

/** A lease lasts 90 s of real time. A test that may not wait for that moves its end instead: a dead worker does not mind. */
async function endLeases(verdict: CommandLine): Promise<void> {
  await verdict.withDatabase(({ db }) =>
    sql`update batch set lease_until = now() - interval '1 second' where state = 'attempting'`.execute(db),
  )
}

function acceptedBatches(verdict: CommandLine): Promise<number> {
  return verdict.withDatabase(async ({ db }) => {
    const rows = await db.selectFrom('batch').select('id').where('state', '=', 'accepted').execute()
    return rows.length
  })
}

/** Kills it once it has written so many files, or after some milliseconds; false when it was done before. */
async function isKilledInTheMiddle(
  verdict: CommandLine,
  sender: ChildProcess,
  random: () => number,
): Promise<boolean> {
  const before = filesIn(verdict).length
  const files = before + Math.floor(random() * 320)
  const patience = random() < 0.2 ? performance.now() + random() * 1_000 : Number.POSITIVE_INFINITY
  while (sender.exitCode === null) {
    if (filesIn(verdict).length >= files || performance.now() > patience) return kill(sender)
    await wait(2)
  }
  return false
}

async function kill(sender: ChildProcess): Promise<boolean> {
  const exit = once(sender, 'exit')
  sender.kill('SIGKILL')
  if (sender.exitCode === null && sender.signalCode === null) await exit
  return sender.signalCode === 'SIGKILL'
}

/** Twice as long as any call here takes; a process that has not ended by then is killed, and its code is null. */
async function endedInTime(sender: ChildProcess): Promise<Run> {
  const patience = setTimeout(() => sender.kill('SIGKILL'), 15_000)
  return await ended(sender).finally(() => clearTimeout(patience))
}

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 10_000; tries += 1) {
    if (isSo()) return
    await wait(5)
  }
  throw new Error('It never came to that')
}

function filesIn({ dataDir }: CommandLine): readonly string[] {
  try {
    return readdirSync(join(dataDir, 'outbox'))
  } catch {
    return []
  }
}

/** Who has a mail of that week, by the To: of each file. */
function readersOf(verdict: CommandLine, week: string): readonly string[] {
  return filesIn(verdict)
    .filter((file) => file.startsWith(`${week}.`))
    .map((file) => readFileSync(join(verdict.dataDir, 'outbox', file), 'utf8'))
    .map((mail) => /^To: <?([^\s<>]+)>?\r?$/m.exec(mail)?.[1] ?? 'nobody')
    .toSorted()
}

/** Weeks that are never due yet: 2099-W10 and those after it. */
function weekOf(n: number): string {
  return `2099-W${10 + n}`
}
