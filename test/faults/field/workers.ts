import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Field } from './field.ts'

/** A few worker processes on one issue, each replaced as soon as it is gone, until the issue is finished. */
export type Workers = {
  /** Resolves once every one of them has ended by itself, after which nothing is left to send. */
  readonly finished: Promise<void>
  isFinished(): boolean
  /** Kills one that is at work, as `pick` (0 to 1) says; false when none is just now. */
  killOne(pick: number): boolean
  /** How many were replaced, for whatever reason. */
  replaced(): number
  /** Ends what still runs. */
  end(): Promise<void>
}

/** How a worker process is started; a test with networks of its own starts it elsewhere. */
export type Start = (field: Field, slot: number) => ChildProcess

const script = new URL('worker.ts', import.meta.url).pathname

/** How a worker of a storm is called in the ledger. */
export function workerName(pid: number): string {
  return `storm/${pid}`
}

/** Starts a worker as a plain process of this machine. */
export const startHere: Start = (field) =>
  spawn(process.execPath, [script, field.week], {
    env: field.environment,
    stdio: ['ignore', 'pipe', 'ignore'],
  })

/** Puts so many workers on the field. */
export function startWorkers(field: Field, count: number, start: Start = startHere): Workers {
  const atWork = new Set<ChildProcess>()
  const running = new Set<ChildProcess>()
  const dead: string[] = []
  let isOver = false
  let replaced = 0

  async function fill(slot: number): Promise<void> {
    while (!isOver) {
      const child = start(field, slot)
      running.add(child)
      child.stdout?.once('data', () => atWork.add(child))
      await once(child, 'exit')
      atWork.delete(child)
      running.delete(child)
      if (child.exitCode === 0) return
      dead.push(workerName(child.pid ?? 0))
      replaced += 1
      if (child.exitCode !== null) await wait(100)
    }
  }

  const finished = Promise.all(Array.from({ length: count }, (_, slot) => fill(slot))).then(() => {
    isOver = true
  })
  endLeasesOf(field, dead, () => isOver)
  return {
    finished,
    isFinished: () => isOver,
    replaced: () => replaced,
    killOne(pick) {
      const child = [...atWork][Math.floor(pick * atWork.size)]
      atWork.delete(child as ChildProcess)
      return child?.kill('SIGKILL') ?? false
    },
    async end() {
      isOver = true
      for (const child of running) child.kill('SIGKILL')
      await finished
    },
  }
}

/**
 * A lease lasts 90 s, which a dead worker does not mind: it is ended here, for the dead only. Again and again, because
 * PostgreSQL may commit a claim a moment after the process that asked for it is gone.
 */
async function endLeasesOf(field: Field, dead: readonly string[], isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await wait(150)
    await endLeases(field, dead).catch(() => {})
  }
}

/** Ends the leases of these workers. */
export async function endLeases({ db }: Pick<Field, 'db'>, workers: readonly string[]): Promise<void> {
  await sql`
    update batch set lease_until = now() - interval '1 second'
     where state = 'attempting' and lease_until > now() and lease_owner = any (${workers}::text[])`.execute(
    db,
  )
}
