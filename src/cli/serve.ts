import type { Command } from 'commander'
import { firstStart } from '../../jobs/first-start.ts'
import { startSchedule } from '../../jobs/schedule.ts'
import { startWorker, workOnce } from '../../jobs/work.ts'
import { systemClock } from '../clock.ts'
import { readConfig } from '../config.ts'
import { createApp } from '../http/app.ts'
import { createLog } from '../log.ts'
import { type Newsletter, openNewsletter } from '../newsletter.ts'
import { startQueue } from '../queue.ts'
import { startWeb } from '../web.ts'
import { answering, withNewsletter } from './command.ts'
import { stopSignal } from './signals.ts'
import { startScreen } from './start-screen.ts'

/** `start` · `web` · `work` */
export function addServeCommands(program: Command): void {
  program
    .command('start')
    .description('the web side and the worker in one process')
    .action(() => serve({ web: true, work: true }))
  program
    .command('web')
    .description('the web side only')
    .action(() => serve({ web: true, work: false }))
  answering<{ json?: true; once?: true }>(
    program
      .command('work')
      .description('the scheduler and the worker only')
      .option('--once', 'run what is queued, then stop'),
    async (_args, { once }) => {
      if (once) return drainOnce()
      await serve({ web: false, work: true })
      return { json: { stopped: true }, lines: [] }
    },
  )
}

/** Runs until SIGINT or SIGTERM, then stops cleanly: no new claims, calls in flight end, within 35 s. */
async function serve(parts: { web: boolean; work: boolean }): Promise<void> {
  const config = readConfig(process.env)
  const isScreen = parts.web && parts.work
  const log = createLog(isScreen && !config.production ? 'warn' : config.logLevel)
  const newsletter = await openNewsletter(config, systemClock, log)
  try {
    const stop = stopSignal()
    const web = parts.web ? await startWeb(createApp(newsletter), config) : undefined
    const worker = parts.work ? await work(newsletter, stop, isScreen) : undefined
    if (!isScreen) log.info({ port: web?.port, worker: parts.work }, 'started')
    await aborted(stop)
    if (isScreen) process.stdout.write('\nStopping: no further batch is claimed, calls in flight end.\n')
    await web?.stop()
    await worker?.()
  } finally {
    await newsletter.close()
  }
}

/** Starts scheduler and worker and returns how to stop them. In a trial installation the first start shows what the product does. */
async function work(
  newsletter: Newsletter,
  stop: AbortSignal,
  isScreen: boolean,
): Promise<() => Promise<void>> {
  if (isScreen) {
    const shown = await firstStart(newsletter)
    process.stdout.write(await startScreen(newsletter, shown))
  }
  const queue = await startQueue(newsletter.connection, newsletter.log)
  await startWorker(newsletter, queue, stop)
  const stopSchedule = await startSchedule(queue, newsletter.log)
  return async () => {
    await stopSchedule()
    await queue.stop()
  }
}

function drainOnce() {
  return withNewsletter(async (newsletter) => {
    const queue = await startQueue(newsletter.connection, newsletter.log)
    try {
      const ran = await workOnce(newsletter, queue, stopSignal())
      return { json: { ran }, lines: [`${ran} jobs ran.`] }
    } finally {
      await queue.stop()
    }
  })
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
