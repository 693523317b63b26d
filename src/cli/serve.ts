import type { Command } from 'commander'
import { answering } from './command.ts'

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

async function serve(parts: { web: boolean; work: boolean }): Promise<void> {
  await (await loadParts()).runParts(parts)
}

async function drainOnce() {
  const ran = await (await loadParts()).drainOnce()
  return { json: { ran }, lines: [`${ran} jobs ran.`] }
}

/** Only now, because the web side is more than all the other commands have to load together. */
function loadParts() {
  return import('./run-parts.ts')
}
