import { firstStart } from '../../jobs/first-start.ts'
import { startSchedule } from '../../jobs/schedule.ts'
import { startWorker, workOnce } from '../../jobs/work.ts'
import { systemClock } from '../clock.ts'
import { readConfig } from '../config.ts'
import { createApp } from '../http/app.ts'
import { createLog } from '../log.ts'
import { type Newsletter, openNewsletter } from '../newsletter.ts'
import { type Queue, startQueue } from '../queue.ts'
import { wakeThrough } from '../wake.ts'
import { startWeb } from '../web.ts'
import { withNewsletter } from './command.ts'
import { stopSignal } from './signals.ts'
import { startScreen } from './start-screen.ts'

/** Runs until SIGINT or SIGTERM, then stops cleanly: no new claims, calls in flight end, within 35 s. */
export async function runParts(parts: { web: boolean; work: boolean }): Promise<void> {
  const config = readConfig(process.env)
  const isTogether = parts.web && parts.work
  const log = createLog(isTogether && !config.production ? 'warn' : config.logLevel)
  await using opened = new AsyncDisposableStack()
  const newsletter = await openNewsletter(config, systemClock, log)
  opened.defer(newsletter.close)
  const stop = stopSignal()
  // Now, because later it would hold up whoever is being answered.
  newsletter.templates.prepare()
  newsletter.letterTemplates.prepare()

  const queue = await startQueue(newsletter.connection, log)
  opened.defer(queue.stop)
  if (parts.web) {
    const web = await startWeb(createApp(newsletter, wakeThrough(queue, log, stop)), config)
    opened.defer(web.stop)
  }
  if (isTogether) process.stdout.write(await startScreen(newsletter, await firstStart(newsletter)))
  if (parts.work) await startWork(newsletter, queue, stop, opened)
  if (!isTogether) log.info({ web: parts.web, work: parts.work, port: config.port }, 'started')

  await aborted(stop)
  if (isTogether) process.stdout.write('\n  Stopping: calls in flight end, nothing new begins.\n')
}

async function startWork(
  newsletter: Newsletter,
  queue: Queue,
  stop: AbortSignal,
  opened: AsyncDisposableStack,
): Promise<void> {
  await startWorker(newsletter, queue, stop)
  opened.defer(await startSchedule(queue, newsletter.log))
}

/** Runs the jobs that wait, and returns how many there were. */
export function drainOnce(): Promise<number> {
  return withNewsletter(async (newsletter) => {
    const queue = await startQueue(newsletter.connection, newsletter.log)
    try {
      return await workOnce(newsletter, queue, stopSignal())
    } finally {
      await queue.stop()
    }
  })
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
