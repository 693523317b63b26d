import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { type Kysely, sql } from 'kysely'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Database } from '../../db/schema.ts'
import { reconcileIssue, type Violation } from '../../src/delivery/reconcile.ts'
import { findIssue } from '../../src/issue/issue.ts'
import { useCommandLine } from '../setup/cli.ts'
import { drafted } from '../setup/drafted.ts'
import { type FakeProvider, type Fault, startFakeProvider } from '../setup/fake-provider.ts'
import { people } from '../setup/people.ts'

const verdict = useCommandLine()
const readers = ['ann@example.test', 'bob@example.test', 'cleo@example.test']

type Window = {
  readonly name: string
  readonly where: string
  /** The faults of the provider's first calls, where it accepts the batch at first and where it does not. */
  readonly accepted: readonly Fault[]
  readonly refused: readonly Fault[]
  /** What the ledger holds when the sender is dead: deliveries planned, attempts as `state: outcomes`. */
  readonly planned: number
  readonly attempts: { readonly accepted: string; readonly refused: string }
  /** Calls that the provider has had, and mails it has taken, when the sender is dead. */
  readonly calls: number
  readonly taken: { readonly accepted: number; readonly refused: number }
  /** Calls in the end. */
  readonly inTheEnd: { readonly accepted: number; readonly refused: number }
}

const lostAfter: readonly Fault[] = [{ kind: 'accept-and-reset' }]
const lostBefore: readonly Fault[] = [{ kind: 'reset-before' }]
const failing: readonly Fault[] = [{ kind: '500-before' }]
const nothingYet = { accepted: 0, refused: 0 }
const twice = { accepted: 2, refused: 2 }

/** RELIABILITY 3.2. Up to W2 no call was made: there it is the next sender's first call whose answer is lost. */
const windows: readonly Window[] = [
  {
    ...{ name: 'W0', where: 'before the audience is frozen', accepted: lostAfter, refused: lostBefore },
    ...{ planned: 0, attempts: { accepted: '', refused: '' }, calls: 0, taken: nothingYet, inTheEnd: twice },
  },
  {
    ...{ name: 'W1', where: 'with batches, and no attempt', accepted: lostAfter, refused: lostBefore },
    ...{ planned: 3, attempts: { accepted: 'built:', refused: 'built:' } },
    ...{ calls: 0, taken: nothingYet, inTheEnd: twice },
  },
  {
    ...{
      name: 'W2',
      where: 'with an attempt, and nothing written',
      accepted: lostAfter,
      refused: lostBefore,
    },
    ...{ planned: 3, attempts: { accepted: 'attempting: open', refused: 'attempting: open' } },
    ...{ calls: 0, taken: nothingYet, inTheEnd: twice },
  },
  {
    ...{ name: 'W3', where: 'with the request written, and no answer' },
    ...{ accepted: [{ kind: 'accept-and-hang' }], refused: [{ kind: 'hang' }] },
    ...{ planned: 3, attempts: { accepted: 'attempting: open', refused: 'attempting: open' } },
    ...{ calls: 1, taken: { accepted: 3, refused: 0 }, inTheEnd: twice },
  },
  {
    ...{ name: 'W4', where: 'with the answer read, and not written down', accepted: [], refused: failing },
    ...{ planned: 3, attempts: { accepted: 'attempting: open', refused: 'attempting: open' } },
    ...{ calls: 1, taken: { accepted: 3, refused: 0 }, inTheEnd: twice },
  },
  {
    ...{ name: 'W5', where: 'with the answer written down', accepted: [], refused: failing },
    ...{ planned: 3, attempts: { accepted: 'accepted: accepted', refused: 'unknown: unknown' } },
    ...{ calls: 1, taken: { accepted: 3, refused: 0 }, inTheEnd: { accepted: 1, refused: 2 } },
  },
  {
    ...{ name: 'W6', where: 'with an event come in, and the answer not committed', accepted: [] },
    ...{ refused: failing, planned: 3 },
    ...{ attempts: { accepted: 'attempting: open', refused: 'attempting: open' } },
    ...{ calls: 1, taken: { accepted: 3, refused: 0 }, inTheEnd: twice },
  },
]

beforeAll(async () => {
  await verdict.withDatabase(async ({ db }) => {
    await drafted(db, weekOf('W0', 'accepted'))
    await people.ann(db)
    await people.bob(db)
    await people.cleo(db)
  })
})

describe.each(windows)('a sender that is killed in $name, $where,', (window) => {
  it.each(['accepted', 'refused'] as const)(
    'is followed by one that brings each reader one mail, where the first call was %s',
    async (fate) => {
      const week = weekOf(window.name, fate)
      const { provider, env } = await issueAndProvider(week, [...window[fate]])

      await diesIn(window, week, provider, env)
      const left = await ledgerOf(week)
      const seen = { calls: provider.received.length, taken: provider.accepted.length }
      await endLeases()
      const next = await verdict.run(['send', week, '--now', '--json'], { env })
      const broken = await verdict.withDatabase(({ db }) => violationsOf(db, week))

      expect(left).toEqual({ planned: window.planned, attempts: window.attempts[fate] })
      expect(seen).toEqual({ calls: window.calls, taken: window.taken[fate] })
      expect(next).toMatchObject({ code: 0, json: { state: 'sent', planned: 3, accepted: 3 } })
      expect(provider.accepted.map(({ to }) => to).toSorted()).toEqual(readers)
      expect(provider.received).toHaveLength(window.inTheEnd[fate])
      expect(provider.carryOut({}).otherBytes).toBe(0)
      expect(new Set(provider.received.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
      expect(broken).toEqual([])
    },
  )
})

async function issueAndProvider(week: string, faults: Fault[]) {
  await verdict.withDatabase(({ db }) => drafted(db, week))
  const provider = await startFakeProvider({ faults })
  onTestFinished(() => provider.close())
  const env = { MAIL_TRANSPORT: 'resend', RESEND_API_KEY: 're_test', RESEND_BASE_URL: provider.url }
  return { provider, env }
}

/** Runs the sender to its death. */
async function diesIn(
  { name }: Window,
  week: string,
  provider: FakeProvider,
  env: Record<string, string>,
): Promise<void> {
  const script = new URL('worker.ts', import.meta.url).pathname
  const sender = spawn(process.execPath, [script, name, week], {
    env: { ...verdict.environment, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const exit = once(sender, 'exit')
  if (name === 'W3') await killOnce(sender, () => provider.received.length > 0)
  const [code, signal] = await exit
  expect({ code, signal }).toEqual({ code: null, signal: 'SIGKILL' })
}

async function killOnce(sender: ChildProcess, isTime: () => boolean): Promise<void> {
  while (sender.exitCode === null && !isTime()) await wait(5)
  sender.kill('SIGKILL')
}

/** PostgreSQL notices a moment later that the sender is gone; the ledger is read once its sessions have ended. */
function ledgerOf(week: string): Promise<{ planned: number; attempts: string }> {
  return verdict.withDatabase(async ({ db }) => {
    for (let tries = 0; tries < 400; tries += 1) {
      const { rows } = await sql`
        select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`.execute(
        db,
      )
      if (rows.length === 0) break
      await wait(25)
    }
    const { rows } = await sql<{ planned: number; attempts: string }>`
      select i.planned, coalesce(string_agg(b.state || ':' || coalesce(' ' || a.outcomes, ''), ', '), '') as attempts
        from issue i left join batch b on b.issue_id = i.id
        left join lateral (
          select string_agg(coalesce(outcome, 'open'), ', ' order by fence) as outcomes
            from attempt where batch_id = b.id) a on true
       where i.week = ${week} group by i.id`.execute(db)
    const [row] = rows
    if (!row) throw new Error(`There is no issue for ${week}`)
    return row
  })
}

async function violationsOf(db: Kysely<Database>, week: string): Promise<readonly Violation[]> {
  const issue = await findIssue(db, week)
  if (!issue) throw new Error(`There is no issue for ${week}`)
  return (await reconcileIssue(db, issue)).violations
}

/** A lease lasts 90 s of real time; a dead worker does not mind when it is ended. */
function endLeases(): Promise<unknown> {
  return verdict.withDatabase(({ db }) =>
    sql`update batch set lease_until = now() - interval '1 second' where state = 'attempting'`.execute(db),
  )
}

/** A week of its own for each of the fourteen, never due yet. */
function weekOf(name: string, fate: 'accepted' | 'refused'): string {
  return `2099-W${10 + Number(name.slice(1)) * 2 + (fate === 'accepted' ? 0 : 1)}`
}
