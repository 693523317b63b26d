/**
 * Four workers in four network namespaces against one PostgreSQL; the line of one is cut in the middle of a call, the others
 * finish, and it comes back: `node test/faults/namespaces.ts [--readers 2000]` (root; elsewhere through loopback proxies).
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Account, accountFor } from './field/account.ts'
import { startCluster } from './field/cluster.ts'
import { type Field, openField, stateOf } from './field/field.ts'
import { type Network, openNetwork } from './field/network.ts'
import { endLeases, workerName } from './field/workers.ts'

export type CutOff = {
  readonly kind: Network['kind']
  readonly state: string
  /** Calls that the one behind the cut line had claimed, and whose answers it never could write down. */
  readonly inItsHands: number
  /** When the others were done, and again when the one that was cut off had come back and ended. */
  readonly withoutIt: Account
  readonly afterIt: Account
  /** How the one that came back ended: 0 is by itself, with nothing left to do. */
  readonly exitCode: number | null
}

const lines = 4
const script = new URL('field/worker.ts', import.meta.url).pathname

/** Plays it once. */
export async function cutOneOff({ readers }: { readers: number }): Promise<CutOff> {
  await using made = new AsyncDisposableStack()
  const network = await openNetwork(lines)
  made.defer(network.close)
  const cluster = await startCluster({ host: network.host, network: network.clients })
  made.defer(cluster.close)
  const field = await openField({
    ...{ server: cluster.url, readers, perBatch: 25, environment: live },
    provider: ['--host', network.host, '--latency', '300'],
  })
  made.defer(field.close)
  const workers = await Promise.all(
    Array.from({ length: lines }, (_, line) => startBehind(network, field, line)),
  )
  made.defer(() => endAll(workers))
  const [lonely, ...others] = workers
  if (!lonely) throw new Error('Nobody is there')

  await untilItCalls(field, lonely)
  await network.cut(0)
  const inItsHands = await whatItHolds(field, lonely)
  await othersFinish(field, lonely, others)
  const [state, withoutIt] = [await stateOf(field), await accountFor(field)]
  await network.mend(0)
  const exitCode = await endedBy(lonely, 60_000)
  return { kind: network.kind, state, inItsHands, withoutIt, afterIt: await accountFor(field), exitCode }
}

/** The program only leaves this machine's loopback when it is told that this is meant. */
const live = {
  ...{ NODE_ENV: 'production', ALLOW_RESEND_BASE_URL: '1' },
  MAIL_FROM: 'Weekly AI Tool Verdicts <verdicts@news.example.com>',
  POSTAL_ADDRESS: 'Weekly AI Tool Verdicts, 1 Example Street, Example Town 00000',
}

async function startBehind(network: Network, field: Field, line: number): Promise<ChildProcess> {
  const [program = '', ...args] = [...network.prefix(line), process.execPath, script, field.week]
  const env = {
    ...field.environment,
    DATABASE_URL: await network.seenFrom(line, field.url),
    RESEND_BASE_URL: await network.seenFrom(line, field.provider.url),
  }
  return spawn(program, args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
}

/** A batch is in its hands, and the provider has had a third of a second's worth of time to get the call. */
async function untilItCalls(field: Field, worker: ChildProcess): Promise<void> {
  while ((await whatItHolds(field, worker)) === 0) {
    if (worker.exitCode !== null) throw new Error(`The worker ended with ${worker.exitCode}`)
    await wait(10)
  }
  await wait(100)
}

async function whatItHolds({ db }: Field, worker: ChildProcess): Promise<number> {
  const rows = await db
    .selectFrom('batch')
    .select('id')
    .where('state', '=', 'attempting')
    .where('lease_owner', '=', workerName(worker.pid ?? 0))
    .execute()
  return rows.length
}

/** Its lease is ended by hand, instead of after 90 s: the one behind the cut line cannot know. */
async function othersFinish(
  field: Field,
  lonely: ChildProcess,
  others: readonly ChildProcess[],
): Promise<void> {
  while (others.some((other) => other.exitCode === null && other.signalCode === null)) {
    await endLeases(field, [workerName(lonely.pid ?? 0)])
    await wait(200)
  }
}

async function endedBy(worker: ChildProcess, patience: number): Promise<number | null> {
  const isOver = () => worker.exitCode !== null || worker.signalCode !== null
  if (!isOver()) await Promise.race([once(worker, 'exit'), wait(patience, undefined, { ref: false })])
  return worker.exitCode
}

async function endAll(workers: readonly ChildProcess[]): Promise<void> {
  for (const worker of workers) {
    if (worker.exitCode !== null || worker.signalCode !== null) continue
    const exit = once(worker, 'exit')
    worker.kill('SIGKILL')
    await exit
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { readers: { type: 'string', default: '2000' } } })
  const { kind, state, inItsHands, withoutIt, afterIt, exitCode } = await cutOneOff({
    readers: Number(values.readers),
  })
  console.log(
    `${lines} workers, each behind a line of its own (${kind}); one was cut off with ${inItsHands} calls under way.`,
  )
  for (const [when, one] of [
    ['without it', withoutIt],
    ['after it came back', afterIt],
  ] as const)
    console.log(
      `${when}: ${state}, ${one.accepted} accepted, ${one.duplicates} duplicates, ${one.unaccounted} unaccounted, ` +
        `${one.quarantined} quarantined, ${one.violations.length} violations`,
    )
  console.log(`The one that came back ended with ${exitCode}.`)
  const isSound = [withoutIt, afterIt].every(
    (one) => one.accepted === Number(values.readers) && one.duplicates === 0,
  )
  if (!isSound || exitCode !== 0) process.exitCode = 1
}
