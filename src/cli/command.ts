import { type Command, Option } from 'commander'
import { standingClock, systemClock } from '../clock.ts'
import { type Config, readConfig } from '../config.ts'
import { type Week, weekNamed } from '../issue/week.ts'
import { createLog } from '../log.ts'
import { type Newsletter, openNewsletter } from '../newsletter.ts'

/** What a command has to say: one JSON document for programs, or lines for people; and whether it worked (exit 0 or 1). */
export type Answer = { readonly json: object; readonly lines: readonly string[]; readonly ok?: boolean }

/** Bad usage, found after the flags were parsed: exit 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Something the operator can mend, said in one line: exit 1. */
export class Problem extends Error {
  override readonly name = 'Problem'
}

/** Adds `--json` and says the command's answer in the form that was asked for. */
export function answering<Options extends { json?: true }>(
  command: Command,
  run: (args: readonly string[], options: Options) => Promise<Answer>,
): Command {
  return command.addOption(new Option('--json', 'one JSON document on stdout')).action(async () => {
    const options = command.opts<Options>()
    const answer = await run(command.args, options)
    process.stdout.write(
      options.json
        ? `${JSON.stringify(answer.json, null, 2)}\n`
        : answer.lines.map((line) => `${line}\n`).join(''),
    )
    if (answer.ok === false) process.exitCode = 1
  })
}

/** Opens the newsletter for one command and closes it again. `at` stands the clock still (`--as-of`, `--at`). */
export async function withNewsletter<T>(
  run: (newsletter: Newsletter) => Promise<T>,
  { at, quiet = true }: { at?: Temporal.Instant | undefined; quiet?: boolean } = {},
): Promise<T> {
  const config = readConfig(process.env)
  const clock = at ? standingClock(at) : systemClock
  const newsletter = await openNewsletter(config, clock, createLog(quiet ? 'error' : config.logLevel))
  try {
    return await run(newsletter)
  } finally {
    await newsletter.close()
  }
}

/** An RFC 3339 instant from a flag, or a usage error that names the flag. */
export function parseInstant(flag: string, value: string | undefined): Temporal.Instant | undefined {
  if (value === undefined) return undefined
  try {
    return Temporal.Instant.from(value)
  } catch {
    throw new UsageError(`${flag}: "${value}" is no instant; expected RFC 3339 such as 2026-11-19T14:00:00Z`)
  }
}

/** An ISO week from an argument, or a usage error. */
export function parseWeek(value: string | undefined, { calendar }: Pick<Config, 'calendar'>): Week {
  const week = weekNamed(value ?? '', calendar)
  if (week) return week
  throw new UsageError(
    `"${value}" is no ISO week; expected year and week such as 2026-W47 (53 only in long years)`,
  )
}
