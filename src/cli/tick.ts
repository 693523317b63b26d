import type { Command } from 'commander'
import { runTimetable } from '../../jobs/work.ts'
import { answering, parseInstant, withNewsletter } from './command.ts'

/** `tick --at INSTANT` */
export function addTickCommand(program: Command): void {
  answering<{ json?: true; at?: string }>(
    program
      .command('tick')
      .description('do what the timetable would do at that instant, here and now')
      .option('--at <instant>', 'RFC 3339 (default: now)'),
    (_args, options) =>
      withNewsletter(
        async (newsletter) => {
          const ran = await runTimetable(newsletter)
          const lines = ran.map(({ job, week }) => `${job} ${week}`)
          return {
            json: { at: newsletter.clock(), ran },
            lines: lines.length > 0 ? lines : ['Nothing is due.'],
          }
        },
        { at: parseInstant('--at', options.at) },
      ),
  )
}
