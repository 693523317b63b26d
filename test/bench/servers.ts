import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
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
