import type { Command } from 'commander'
import { openIssue, type Sent, sendIssue } from '../../jobs/send-issue.ts'
import { whatIsWrong } from '../delivery/epoch.ts'
import { accountOf } from '../delivery/report.ts'
import { retryFailed } from '../delivery/retry-failed.ts'
import { sendTest } from '../delivery/test-send.ts'
import { waysOut } from '../delivery/ways-out.ts'
import { findIssue } from '../issue/issue.ts'
import type { Newsletter } from '../newsletter.ts'
import { parseAddress } from '../subscriber/address.ts'
import { type Answer, answering, parseWeek, UsageError, withNewsletter } from './command.ts'
import { operator } from './operator.ts'
import { startProgress } from './progress.ts'
import { stopSignal } from './signals.ts'
import { accountLine, waysOutLines } from './words.ts'

type Options = { json?: true; now?: true; test?: string; retryFailed?: true }

/** `send WEEK [--now] [--test ADDRESS] [--retry-failed]` */
export function addSendCommand(program: Command): void {
  answering<Options>(
    program
      .command('send')
      .description('send an issue to its end, going on with whatever is unfinished; safe to run twice')
      .argument('<week>', 'ISO week')
      .option('--now', 'ahead of its time, or long after it')
      .option('--test <address>', 'send one marked copy to this address instead')
      .option('--retry-failed', 'first make the mails that were refused ready to be tried again, each once'),
    ([name], options) =>
      withNewsletter(async (newsletter) => {
        const week = parseWeek(name, newsletter).name
        if (options.test !== undefined) return sendOne(newsletter, week, options.test)
        return options.retryFailed ? retry(newsletter, week, options) : sendAll(newsletter, week, options)
      }),
  )
}

async function sendAll(newsletter: Newsletter, week: string, options: Options): Promise<Answer> {
  const ready = await openIssue(newsletter, week, { early: options.now ?? false })
  if (ready.kind === 'refused') return refusal(week, ready.problem)

  const account = await accountOf(newsletter.db, ready.issue.id)
  const progress = startProgress(week, account.notYetSent, { json: options.json ?? false })
  const sent = await sendIssue({ ...newsletter, onProgress: progress.step }, week, {
    early: true,
    toTheEnd: true,
    stop: stopSignal(),
  })
  progress.end()
  return report(newsletter, week, sent)
}

async function retry(newsletter: Newsletter, week: string, options: Options): Promise<Answer> {
  const foreign = await whatIsWrong(newsletter)
  if (foreign) return refusal(week, `${foreign} First: verdict adopt-database`)
  const retried = await retryFailed(newsletter, week, operator())
  return retried.ok ? sendAll(newsletter, week, options) : refusal(week, retried.problem)
}

async function report(newsletter: Newsletter, week: string, sent: Sent): Promise<Answer> {
  if (sent.kind === 'refused') return refusal(week, sent.problem)
  const issue = await findIssue(newsletter.db, week)
  if (!issue) throw new Error(`Issue ${week} has disappeared`)
  const account = await accountOf(newsletter.db, issue.id)
  const isDone = ['sent', 'partly sent'].includes(issue.state) && account.quarantined === 0
  return {
    json: { week, state: issue.state, reason: issue.reason, ...account },
    lines: [
      `${week} is ${issue.state}: ${accountLine(account)}`,
      ...(issue.state === 'paused' ? [`${issue.reason}. When that is mended: verdict release ${week}`] : []),
      ...(issue.state === 'partly sent' ? waysOutLines(waysOut(issue, account)) : []),
      ...(sent.kind === 'stopped' ? [`Stopped. To go on: verdict send ${week}`] : []),
    ],
    ok: isDone,
  }
}

async function sendOne(newsletter: Newsletter, week: string, input: string): Promise<Answer> {
  const parsed = parseAddress(input)
  if (!parsed.ok) throw new UsageError(`--test: "${input}" is no address: ${parsed.problem}`)
  const issue = await findIssue(newsletter.db, week)
  if (!issue?.edition_hash)
    return refusal(week, `${week} has no draft. Make one: verdict draft --week ${week}`)
  const outcome = await sendTest(newsletter, { week, editionHash: issue.edition_hash }, parsed.address)
  return outcome.kind === 'accepted'
    ? { json: { week, test: 'accepted', ids: outcome.providerIds }, lines: [`[Test] ${week} is on its way.`] }
    : refusal(week, `The test was not sent (${outcome.kind}): ${outcome.reason}`)
}

function refusal(week: string, problem: string): Answer {
  return { json: { week, error: problem }, lines: [problem], ok: false }
}
