import type { Command } from 'commander'
import type { ToolVotes } from '../issue/votes-of.ts'
import { flagReason, flagTitle } from '../vote/flag-words.ts'
import { type Flag, listFlags } from '../vote/list-flags.ts'
import { standingOfLatest } from '../vote/standing.ts'
import { answering, withNewsletter } from './command.ts'

/** `votes` */
export function addVotesCommand(program: Command): void {
  answering(
    program
      .command('votes')
      .description(
        'how readers vote on the tools of the latest issue, and the flags that wait for an editor',
      ),
    () =>
      withNewsletter(async ({ db, fewestVotes }) => {
        const standing = await standingOfLatest(db, fewestVotes)
        const flags = await listFlags(db, { which: 'open', most })
        return {
          json: { week: standing?.week ?? null, tools: standing?.tools ?? [], flags: flags.map(flagJson) },
          lines: [
            ...(standing
              ? [`Votes on ${standing.week}`, ...toolLines(standing.tools)]
              : ['No issue has gone out yet, so nobody has voted.']),
            '',
            ...flagLines(flags),
          ],
        }
      }),
  )
}

const most = 100

function toolLines(tools: readonly ToolVotes[]): readonly string[] {
  const width = Math.max(4, ...tools.map(({ name }) => name.length))
  const row = (name: string, cells: readonly string[]) =>
    `  ${name.padEnd(width)}${cells.map((cell) => cell.padStart(11)).join('')}`
  return [
    row('', ['ship it', 'panel', 'votes', 'set aside']),
    ...tools.map(({ name, percent, panel, ship, skip, setAside }) =>
      row(name, [percent === null ? '—' : `${percent}%`, `${panel}%`, String(ship + skip), String(setAside)]),
    ),
  ]
}

function flagLines(flags: readonly Flag[]): readonly string[] {
  if (flags.length === 0) return ['No flag is open.']
  return [
    flags.length === 1 ? 'One flag waits for an editor:' : `${flags.length} flags wait for an editor:`,
    ...flags.flatMap((flag) => [`  ${flag.id}  ${flagTitle(flag)}`, `      ${flagReason(flag)}`]),
    'All votes count until an editor sets them aside, at /desk/votes.',
  ]
}

function flagJson(flag: Flag) {
  const { id, rule, state, votes, setAside, foundAt, grownAt, evidence } = flag
  return { id, rule, state, what: flagTitle(flag), votes, setAside, foundAt, grownAt, evidence }
}
