import type { Command } from 'commander'
import { runDraft } from '../../jobs/draft-issue.ts'
import type { DraftResult } from '../issue/draft.ts'
import { findIssue } from '../issue/issue.ts'
import { type Week, weekAfter, weekOf } from '../issue/week.ts'
import type { Newsletter } from '../newsletter.ts'
import { type Answer, answering, parseInstant, parseWeek, withNewsletter } from './command.ts'
import { whenInZone } from './words.ts'

type Options = { json?: true; week?: string; asOf?: string }

/** `draft [--week W] [--as-of INSTANT]` */
export function addDraftCommand(program: Command): void {
  answering<Options>(
    program
      .command('draft')
      .description("select, compose, render and save a week's issue")
      .option(
        '--week <week>',
        'ISO week such as 2026-W47 (default: the current one, or the next once that is out)',
      )
      .option('--as-of <instant>', 'as if it were that instant'),
    async (_args, options) => {
      const at = parseInstant('--as-of', options.asOf)
      return withNewsletter(
        async (newsletter) => {
          const week = options.week ? parseWeek(options.week, newsletter) : await currentWeek(newsletter)
          return say(await runDraft(newsletter, week.name), week)
        },
        { at },
      )
    },
  )
}

/** This week's issue while it is open; the next week's once it has gone out or was dropped. */
async function currentWeek({ db, clock, calendar }: Newsletter): Promise<Week> {
  const week = weekOf(clock(), calendar)
  const issue = await findIssue(db, week.name)
  const isOver = issue && ['sent', 'partly sent', 'cancelled', 'missed'].includes(issue.state)
  return isOver ? weekAfter(week, calendar) : week
}

function say(result: DraftResult, week: Week): Answer {
  const { edition, chosen, leftOut, corrections } = result
  const json = {
    ...{ week: result.week, outcome: result.outcome, state: result.state, reason: result.reason },
    ...{ cutoff: result.cutoff, dueAt: week.dueAt, timezone: week.zone },
    edition: edition && { hash: edition.hash, subject: edition.subject, preheader: edition.preheader },
    comparisons: chosen.map(({ slug, title, publishedAt, revision }) => ({
      slug,
      title,
      publishedAt,
      revision,
    })),
    leftOut,
    corrections: corrections.map(({ slug, title, told, now, isPrimary: isNews }) => ({
      slug,
      title,
      told,
      now,
      isNews,
    })),
  }
  return { json, lines: [...headline(result, week), ...listing(result)] }
}

function headline(result: DraftResult, week: Week): readonly string[] {
  switch (result.outcome) {
    case 'drafted':
      return [
        `${result.week} drafted, due ${whenInZone(week.dueAt, week.zone)}`,
        `  ${result.edition?.subject}`,
        `  ${result.edition?.preheader}`,
      ]
    case 'quiet week':
      return [`${result.week} is a quiet week: ${result.reason}. Nothing will be sent.`]
    case 'unchanged':
      return [
        `${result.week} is ${result.state}${result.reason ? ` (${result.reason})` : ''}: left as it is.`,
      ]
  }
}

function listing({ chosen, leftOut, corrections }: DraftResult): readonly string[] {
  return [
    ...(chosen.length > 0 ? ['', `In this issue (${chosen.length}):`] : []),
    ...chosen.map(({ title, slug }) => `  ${title}  [${slug}]`),
    ...(corrections.length > 0
      ? ['', `Corrected for those who were told otherwise (${corrections.length}):`]
      : []),
    ...corrections.map(({ title, told, now }) => `  ${title}: ${told} ${now}`),
    ...(leftOut.length > 0 ? ['', `Left out (${leftOut.length}):`] : []),
    ...leftOut.filter(({ reason }) => !isOld(reason)).map(({ title, reason }) => `  ${title}: ${reason}`),
    ...oldLine(leftOut),
  ]
}

/** What was in an earlier issue, or before the first, is counted rather than listed; `--json` has every one. */
function oldLine(leftOut: DraftResult['leftOut']): readonly string[] {
  const old = leftOut.filter(({ reason }) => isOld(reason)).length
  return old > 0 ? [`  ${old} from earlier: in an issue already, or archive (--json lists them)`] : []
}

function isOld(reason: string): boolean {
  return reason.startsWith('in issue') || reason.startsWith('archive')
}
