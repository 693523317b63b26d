import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { describe, expect, it, onTestFinished } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { runTimetable, type WorkDeps } from '../../jobs/work.ts'
import { type Adopted, adoptDatabase } from '../../src/delivery/adopt.ts'
import { askProvider } from '../../src/delivery/ask-provider.ts'
import { batchesInDoubt } from '../../src/delivery/doubt.ts'
import { whyNotThisDatabase } from '../../src/delivery/epoch.ts'
import { openLedgerMark } from '../../src/delivery/ledger-mark.ts'
import { placeOf } from '../../src/delivery/ledger-place.ts'
import { resolveBatch } from '../../src/delivery/quarantine.ts'
import { reconcileIssue } from '../../src/delivery/reconcile.ts'
import { findIssue } from '../../src/issue/issue.ts'
import { resendTransport } from '../../src/mail/resend.ts'
import { openResendAccount } from '../../src/mail/resend-account.ts'
import { clockAt } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { isOnPostgres } from '../setup/database.ts'
import { crowd, friday, thursday } from '../setup/delivery.ts'
import { doubtOf } from '../setup/doubt.ts'
import { startFakeAccount } from '../setup/fake-account.ts'
import { type FakeProvider, startFakeProvider } from '../setup/fake-provider.ts'
import { type Home, makeHome } from '../setup/home.ts'
import { approvedIssue, newsletterWith } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'

const week = '2026-W47'
const vouched = { by: 'olga', nothingIsMissing: true }
const asking = { by: 'olga', nothingIsMissing: false }

describe('a backup that is put back after the rest has been sent', () => {
  it('does not send, on the machine that sent', async () => {
    const { home, provider } = await sentOnlyInPart()
    await home.copy()
    await at(home, provider, (deps) => sendIssue(deps, week))
    await home.restore()

    const refused = await at(home, provider, (deps) => sendIssue(deps, week))

    expect(refused).toMatchObject({
      kind: 'refused',
      problem: expect.stringMatching(/behind.*adopt-database/),
    })
    expect(sentTo(provider)).toEqual(crowd(250))
  })

  it('does not send on a machine with an empty disk either', async () => {
    const { home, provider } = await sentOnlyInPart()
    await home.copy()
    await at(home, provider, (deps) => sendIssue(deps, week))
    await home.restore()
    const other = await home.anotherMachine()
    onTestFinished(() => other.remove())

    const refused = await at(other, provider, (deps) => sendIssue(deps, week))

    expect(refused).toMatchObject({ kind: 'refused', problem: expect.stringContaining('it is a copy') })
    expect(sentTo(provider)).toEqual(crowd(250))
  })

  it('goes on once it is adopted and its batches are decided about, and nobody has two mails', async () => {
    const { home, provider } = await sentOnlyInPart()
    await home.copy()
    await at(home, provider, (deps) => sendIssue(deps, week))
    await home.restore()

    const adopted = await at(home, provider, (deps) => adoptDatabase(deps, asking))
    const after = await at(home, provider, async (deps) => {
      const sent = await sendIssue(deps, week)
      await confirmAll(deps, provider)
      return { sent, issue: await findIssue(deps.db, week), proof: await proofOf(deps) }
    })

    expect(adopted).toMatchObject({ kind: 'adopted', quarantined: 2, parked: [] })
    expect(after.sent).toEqual({ kind: 'finished', state: 'partly sent' })
    expect(after.issue?.state).toBe('sent')
    expect(after.proof).toMatchObject({ account: { accepted: 250 }, violations: [] })
    expect(sentTo(provider)).toEqual(crowd(250))
  })

  it('does not start an issue that it believes to be due: that waits for an editor', async () => {
    const { home, provider } = await approved()
    await home.copy()
    await at(home, provider, (deps) => sendIssue(deps, week))
    await home.restore()

    const adopted = await at(home, provider, (deps) => adoptDatabase(deps, asking))
    const ran = await at(home, provider, (deps) => runTimetable(deps))

    expect(adopted).toMatchObject({ quarantined: 0, parked: [week] })
    expect(ran).toEqual([])
    expect(sentTo(provider)).toEqual(crowd(250))
  })
})

describe('a backup of an issue that was then sent ahead of its time', () => {
  it('holds it back until an editor lets it go', async () => {
    const { home, provider } = await approved()
    await home.copy()
    const early = clockAt(thursday)
    await at(home, provider, (deps) => sendIssue({ ...deps, clock: early }, week, { early: true }))
    await home.restore()

    const adopted = await at(home, provider, (deps) => adoptDatabase({ ...deps, clock: early }, asking))
    const ran = await at(home, provider, (deps) => runTimetable(deps))

    expect(adopted).toMatchObject({ parked: [week] })
    expect(ran).toEqual([])
    expect(sentTo(provider)).toEqual(crowd(250))
  })
})

describe('a ledger that has lost its newest rows where it stands', () => {
  it('does not send: this machine has seen more of it', async () => {
    const { home, provider } = await sentOnlyInPart()

    const refused = await at(home, provider, async (deps) => {
      await sql`delete from attempt`.execute(deps.db)
      await sql`update batch set state = 'built', provider_ids = null, accepted_at = null`.execute(deps.db)
      return sendIssue(deps, week)
    })

    expect(refused).toMatchObject({ kind: 'refused', problem: expect.stringContaining('seen attempt 1') })
    expect(provider.accepted).toHaveLength(100)
  })
})

describe('a database that another one was put in the place of', () => {
  it('does not send before somebody says that it may', async () => {
    const { home, provider } = await sentOnlyInPart()
    await home.replace()

    const problem = await at(home, provider, (deps) => whyNotThisDatabase(deps))
    await at(home, provider, (deps) => adoptDatabase(deps, vouched))

    expect(problem).toContain('put in its place')
    expect(await at(home, provider, (deps) => whyNotThisDatabase(deps))).toBeUndefined()
  })
})

describe('a machine that remembers a database from before its adoption', () => {
  it('takes the adoption from the database', async () => {
    const { home, provider } = await sentOnlyInPart()
    const mark = join(home.dataDir, 'ledger-mark.json')
    const before = readFileSync(mark, 'utf8')
    await at(home, provider, async ({ db }) => {
      await sql`delete from attempt`.execute(db)
    })
    await at(home, provider, (deps) => adoptDatabase(deps, vouched))
    writeFileSync(mark, before)

    expect(await at(home, provider, (deps) => whyNotThisDatabase(deps))).toBeUndefined()
  })
})

describe('a database that is where it was', () => {
  it('sends to the end, however often it is opened, and there is nothing to adopt', async () => {
    const { home, provider } = await sentOnlyInPart()

    const adopted = await at<Adopted>(home, provider, (deps) => adoptDatabase(deps, asking))
    await at(home, provider, (deps) => sendIssue(deps, week))

    expect(adopted).toEqual({ kind: 'nothing to adopt' })
    expect(sentTo(provider)).toEqual(crowd(250))
  })

  it('does not send when what this machine remembers cannot be read', async () => {
    const { home, provider } = await sentOnlyInPart()
    writeFileSync(join(home.dataDir, 'ledger-mark.json'), 'not ours')

    const problem = await at(home, provider, (deps) => whyNotThisDatabase(deps))

    expect(problem).toContain('ledger-mark.json, this machine')
  })
})

describe.runIf(isOnPostgres)('a database that was moved with everything in it', () => {
  it('asks, and then goes on where it stopped', async () => {
    const { home, provider } = await sentOnlyInPart()
    await home.copy()
    await home.restore()

    const refused = await at(home, provider, (deps) => sendIssue(deps, week))
    const adopted = await at(home, provider, (deps) => adoptDatabase(deps, vouched))
    const sent = await at(home, provider, (deps) => sendIssue(deps, week))

    expect(refused).toMatchObject({ kind: 'refused', problem: expect.stringContaining('from another place') })
    expect(adopted).toMatchObject({ quarantined: 0, parked: [] })
    expect(sent).toEqual({ kind: 'finished', state: 'sent' })
    expect(sentTo(provider)).toEqual(crowd(250))
  })

  it('has no place where its role may not ask the server for one', async () => {
    const { home, provider } = await approved()

    const places = await at(home, provider, async ({ db }) => {
      const before = await placeOf(db)
      const trx = await db.startTransaction().execute()
      await sql`revoke execute on function pg_catalog.pg_control_system() from public`.execute(trx)
      await sql`set local role pg_monitor`.execute(trx)
      const after = await placeOf(trx)
      await trx.rollback().execute()
      return [before, after]
    })

    expect(places).toEqual([expect.stringContaining('timeline'), undefined])
  })
})

/** 250 readers and an approved issue that is due; nothing is planned. `then` is what the same process does next. */
async function approved(
  then: (deps: WorkDeps) => Promise<unknown> = async () => {},
): Promise<{ home: Home; provider: FakeProvider }> {
  const [home, provider] = [await makeHome(), await startFakeProvider()]
  onTestFinished(() => home.remove())
  onTestFinished(() => provider.close())
  await at(home, provider, async (deps) => {
    await people.crowd(deps.db, 250)
    await publish(deps.db, documentFor('glyphmoor-vs-kernwick'))
    await approvedIssue({ ...deps, clock: clockAt(thursday) })
    await then(deps)
  })
  return { home, provider }
}

/** The same with the first hundred sent. */
async function sentOnlyInPart(): Promise<{ home: Home; provider: FakeProvider }> {
  const stop = new AbortController()
  const made = await approved((deps) =>
    sendIssue({ ...deps, onProgress: () => stop.abort() }, week, { stop: stop.signal }),
  )
  expect(made.provider.accepted).toHaveLength(100)
  return made
}

/** One process's life: opens the database, does something, and closes it. */
async function at<T>(home: Home, provider: FakeProvider, run: (deps: WorkDeps) => Promise<T>): Promise<T> {
  const connection = await home.open()
  const { perSecond: _, ...transport } = resendTransport({ apiKey: 're_test', baseUrl: provider.url })
  try {
    return await run({
      ...newsletterWith(connection, {
        clock: clockAt(friday),
        transport: { ...transport, concurrency: 1 },
        ledgerMark: openLedgerMark(home.dataDir, connection.driver),
      }),
    })
  } finally {
    await connection.close()
  }
}

/** An operator who asks the provider about each batch, and records what it says. */
async function confirmAll(deps: WorkDeps, provider: FakeProvider): Promise<void> {
  const server = await startFakeAccount(() => provider.accepted.map((mail) => ({ ...mail, at: friday })))
  onTestFinished(() => server.close())
  const account = openResendAccount({ fullAccessKey: 're_full', baseUrl: server.url })
  for (const id of await batchesInDoubt(deps.db)) {
    const doubt = await askProvider({ ...deps, now: deps.clock(), account }, await doubtOf(deps.db, id))
    expect(doubt.members.every(({ proof }) => proof !== null)).toBe(true)
    await resolveBatch(deps, doubt, 'confirm', { by: 'olga', yes: false })
  }
}

async function proofOf({ db }: WorkDeps) {
  const issue = await findIssue(db, week)
  if (!issue) throw new Error('Week 47 has no issue')
  return reconcileIssue(db, issue)
}

function sentTo(provider: FakeProvider): readonly string[] {
  return provider.accepted.map(({ to }) => to).toSorted()
}
