import type { Command } from 'commander'
import { type Decided, type Decision, decide } from '../issue/decide.ts'
import { answering, parseWeek, withNewsletter } from './command.ts'

const decisions: Record<Decision, string> = {
  approve: 'let the draft go out at its time, with the edition as it is now',
  hold: 'keep the issue back; while it is being sent, stop after the calls in flight',
  release: 'let a held or paused issue go on',
  cancel: 'send nothing (more) of it; unsent comparisons go to a later issue',
}

/** `approve WEEK` · `hold WEEK` · `release WEEK` · `cancel WEEK` */
export function addDecisionCommands(program: Command): void {
  for (const [name, description] of Object.entries(decisions)) {
    answering(program.command(name).description(description).argument('<week>', 'ISO week'), ([week]) =>
      withNewsletter(async (newsletter) => {
        const decided = await decide(
          newsletter,
          parseWeek(week, newsletter).name,
          name as Decision,
          'operator',
        )
        return decided.ok
          ? { json: decided, lines: [`${decided.week} is ${decided.state}.${whoGoesOn(decided)}`] }
          : { json: decided, lines: [`${decided.problem}. Nothing was changed.`], ok: false }
      }),
    )
  }
}

function whoGoesOn({ week, state }: Decided): string {
  return state === 'sending' ? ` A running worker goes on with it; without one: verdict send ${week}` : ''
}
