import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../src/clock.ts'
import { readConfig } from '../../src/config.ts'
import { createApp } from '../../src/http/app.ts'
import { createLog } from '../../src/log.ts'
import { openNewsletter } from '../../src/newsletter.ts'
import { startQueue } from '../../src/queue.ts'
import { wakeThrough } from '../../src/wake.ts'
import { startWeb } from '../../src/web.ts'
import { type Load, percentile } from './socket-load.ts'

/** Starts a bench again as a server, in a process of its own with `BENCH_ROLE` and `BENCH_URL`; resolves when it listens. */
export async function startServer(bench: string, role: string, url: string) {
  const child = fork(fileURLToPath(bench), { env: { ...process.env, BENCH_ROLE: role, BENCH_URL: url } })
  const port = await new Promise<number>((resolve) =>
    child.once('message', (message) => resolve(Number(message))),
  )
  const stop = () =>
    new Promise((resolve) => {
      child.once('exit', resolve)
      child.send('stop')
    })
  return { port, stop }
}

/** Serves the real web side on the database of the bench until it is told to stop, and says on which port. */
export async function serveOurs(environment: Readonly<Record<string, string>> = {}): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'wv-bench-'))
  const log = createLog('error')
  const config = readConfig({
    ...environment,
    ...{ DATABASE_URL: process.env.BENCH_URL, DATA_DIR: dataDir, PUBLIC_URL: 'http://127.0.0.1:3000' },
  })
  const newsletter = await openNewsletter(config, systemClock, log)
  const queue = await startQueue(newsletter.connection, log)
  const stopping = new AbortController()
  const web = await startWeb(createApp(newsletter, wakeThrough(queue, log, stopping.signal)), {
    host: '127.0.0.1',
    port: 0,
  })
  process.send?.(web.port)
  process.once('message', async () => {
    stopping.abort()
    await web.stop()
    await queue.stop()
    await newsletter.close()
    rmSync(dataDir, { recursive: true })
    process.exit(0)
  })
}

/** Requests a second and their latencies: the medians of several runs. */
export function printLoad(name: string, runs: readonly Load[]): void {
  const perSecond = median(runs.map((run) => run.perSecond))
  const [p50, p99] = [0.5, 0.99].map((share) => median(runs.map((run) => percentile(run.latencies, share))))
  console.log(
    `${name.padEnd(28)}${perSecond.toFixed(0).padStart(7)}/s   p50 ${p50?.toFixed(2)} ms   p99 ${p99?.toFixed(2)} ms`,
  )
}

export function median(values: readonly number[]): number {
  return percentile(
    values.toSorted((a, b) => a - b),
    0.5,
  )
}
