import type { Command } from 'commander'
import { lookAtTimetable } from '../../jobs/tick.ts'
import { type Adopted, adoptDatabase } from '../delivery/adopt.ts'
import { whatIsWrong } from '../delivery/epoch.ts'
import { asksYes } from './ask.ts'
import { type Answer, answering, withNewsletter } from './command.ts'
import { operator } from './operator.ts'

type Options = { json?: true; yes?: true; nothingIsMissing?: true }

/** `adopt-database [--nothing-is-missing] [--yes]` */
export function addAdoptCommand(program: Command): void {
  answering<Options>(
    program
      .command('adopt-database')
      .description('let a restored, copied or moved database send, after somebody has looked')
      .option(
        '--nothing-is-missing',
        'it was moved, or taken over without loss, and the old one is stopped: go on as if nothing had been',
      )
      .option('--yes', 'you have compared it with the provider, and no other copy of it sends'),
    (_args, options) =>
      withNewsletter(async (newsletter): Promise<Answer> => {
        const found = await whatIsWrong(newsletter)
        if (!found) return say({ kind: 'nothing to adopt' })
        const nothingIsMissing = options.nothingIsMissing ?? false
        const question = [found, whatWouldHappen(nothingIsMissing)].join('\n')
        const agreed = options.yes ?? (!options.json && (await asksYes(`${question}\n`)))
        if (!agreed) return refuse(question)
        await lookAtTimetable(newsletter)
        return say(await adoptDatabase(newsletter, { by: operator(), nothingIsMissing }))
      }),
  )
}

function whatWouldHappen(nothingIsMissing: boolean): string {
  return nothingIsMissing
    ? 'Adopted so, it goes on where it stands: what went out elsewhere since it was copied goes out again.'
    : 'Adopted, its unfinished batches go into quarantine, and its drafted issues wait for you: nothing is sent by itself. ' +
        'Who unsubscribed, bounced or complained since it was copied is not in it: bring that over first.'
}

function refuse(question: string): Answer {
  const lines = [
    question,
    'If no other copy of it sends, and you want that: verdict adopt-database --yes',
    'Nothing was changed.',
  ]
  return { json: { adopted: false, error: question, needsYes: true }, lines, ok: false }
}

function say(adopted: Adopted): Answer {
  if (adopted.kind === 'nothing to adopt')
    return {
      json: { adopted: false, problem: null },
      lines: ['Nothing speaks against this database: it may send.'],
    }
  const { found, quarantined, parked } = adopted
  return {
    json: { adopted: true, found, quarantined, parked },
    lines: [
      'This database is adopted: it may send.',
      ...(quarantined > 0 ? [`In quarantine now: ${quarantined} batches. See: verdict quarantine list`] : []),
      ...parked.map((week) => `${week} may have been sent. What you can do: verdict status ${week}`),
    ],
  }
}
