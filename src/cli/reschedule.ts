import type { Command } from 'commander'
import { type ApprovalAfter, changeTime, type NewTime, type Retimed } from '../issue/change-time.ts'
import type { Newsletter } from '../newsletter.ts'
import { asksYes } from './ask.ts'
import { type Answer, answering, parseInstant, parseWeek, UsageError, withNewsletter } from './command.ts'
import { operator } from './operator.ts'
import { whenInZone } from './words.ts'

type Options = { json?: true; at?: string; draftAt?: string; yes?: true }

/** `reschedule WEEK [--at INSTANT] [--draft-at INSTANT] [--yes]` */
export function addRescheduleCommand(program: Command): void {
  answering<Options>(
    program
      .command('reschedule')
      .description('give one issue another time, until it is being sent')
      .argument('<week>', 'ISO week')
      .option('--at <instant>', 'when it goes out, RFC 3339')
      .option('--draft-at <instant>', 'when it is drafted, while it still has to be')
      .option('--yes', 'you have read what it warns of'),
    ([name], options) =>
      withNewsletter(async (newsletter) => {
        const week = parseWeek(name, newsletter).name
        const wish = wishOf(options)
        const first = await changeTime(newsletter, week, wish, { by: operator(), yes: options.yes ?? false })
        const isAgreed = !first.ok && first.warned && !options.json && (await asksYes(`${first.problem}.\n`))
        if (!isAgreed) return say(newsletter, week, first)
        return say(newsletter, week, await changeTime(newsletter, week, wish, { by: operator(), yes: true }))
      }),
  )
}

function wishOf({ at, draftAt }: Options): NewTime {
  const [due, draft] = [parseInstant('--at', at), parseInstant('--draft-at', draftAt)]
  if (!due && !draft)
    throw new UsageError('Say when: --at 2026-11-21T14:00:00Z, or --draft-at with an instant')
  return { ...(due && { due }), ...(draft && { draft }) }
}

function say({ clock }: Newsletter, week: string, retimed: Retimed): Answer {
  if (!retimed.ok) {
    const { problem, state, warned } = retimed
    const way = warned ? ['To do it all the same, repeat it with --yes.'] : []
    const lines = [`${problem.charAt(0).toUpperCase()}${problem.slice(1)}.`, ...way, 'Nothing was changed.']
    return { json: { week, state, error: problem, needsYes: warned }, lines, ok: false }
  }
  const { issue, approval, already } = retimed
  const { state, due_at: dueAt, draft_at: draftAt, timezone } = issue
  const when = `${week} is ${state}, and due ${whenInZone(dueAt, timezone)}.`
  const drafted =
    state === 'scheduled' && Temporal.Instant.compare(draftAt, clock()) > 0
      ? [`It is drafted ${whenInZone(draftAt, timezone)}.`]
      : []
  const lines = [already ? `${when} It was before.` : when, ...drafted, ...wordsOf[approval]]
  return { json: { week, state, dueAt, draftAt, timezone, approval, changed: !already }, lines }
}

const wordsOf: Record<ApprovalAfter, readonly string[]> = {
  none: [],
  stands: ['The approval stands.'],
  gone: ['Its edition has the new date, so that it is another one: the approval is gone.'],
  'is back': ['Its edition is the approved one again.'],
}
