import type { Command } from 'commander'
import { leftToday } from '../delivery/daily-limit.ts'
import { whatIsWrong } from '../delivery/epoch.ts'
import { type Feedback, feedbackOf } from '../delivery/feedback.ts'
import { type Account, accountOf } from '../delivery/report.ts'
import { waysOut } from '../delivery/ways-out.ts'
import { type Clicks, clicksOf } from '../issue/clicks.ts'
import { findIssue, type Issue, nextIssueWeek } from '../issue/issue.ts'
import type { Week } from '../issue/week.ts'
import type { Newsletter } from '../newsletter.ts'
import { type Answer, answering, Problem, parseWeek, withNewsletter } from './command.ts'
import { accountLine, clickLines, feedbackLines, fromNow, waysOutLines, whenInZone } from './words.ts'

/** `status [WEEK]` */
export function addStatusCommand(program: Command): void {
  answering(
    program
      .command('status')
      .description('where each issue stands, with its counts, and what happens next')
      .argument('[week]', 'ISO week (default: the newest ten)'),
    ([name]) =>
      withNewsletter(async (newsletter) => {
        const issues = name
          ? [await one(newsletter, parseWeek(name, newsletter).name)]
          : await newest(newsletter)
        const accounts = await Promise.all(issues.map((issue) => accountOf(newsletter.db, issue.id)))
        const feedback = await Promise.all(issues.map((issue) => feedbackOf(newsletter.db, issue.id)))
        const mailsLeft = newsletter.dailyLimit
          ? await leftToday(newsletter.db, newsletter.dailyLimit, newsletter.clock())
          : undefined
        const next = await nextIssueWeek(newsletter.db, newsletter.clock(), newsletter.calendar)
        const [only] = issues
        const clicks = name && only ? await clicksOf(newsletter.db, only.id) : undefined
        const foreign = await whatIsWrong(newsletter)
        const said = withMailsLeft(say(newsletter, issues, accounts, feedback, next, clicks), mailsLeft)
        return foreign ? withWarning(said, foreign) : said
      }),
  )
}

/** Said where a day has a limit. */
function withMailsLeft({ json, lines }: Answer, left: number | undefined): Answer {
  if (left === undefined) return { json, lines }
  const line = `Today: ${left} mail${left === 1 ? '' : 's'} left of the day’s limit (the day is UTC’s)`
  return { json: { ...json, mailsLeftToday: left }, lines: [...lines, line] }
}

/** Said first: whatever else stands here, nothing is sent. */
function withWarning({ json, lines }: Answer, foreign: string): Answer {
  const warning = `Nothing is sent: ${foreign} See: verdict adopt-database --help`
  return { json: { ...json, mayNotSend: foreign }, lines: [warning, '', ...lines] }
}

async function one({ db }: Newsletter, week: string): Promise<Issue> {
  const issue = await findIssue(db, week)
  if (!issue) throw new Problem(`There is no issue for ${week}. Make one: verdict draft --week ${week}`)
  return issue
}

function newest({ db }: Newsletter): Promise<Issue[]> {
  return db.selectFrom('issue').selectAll().orderBy('week', 'desc').limit(10).execute()
}

function say(
  { clock }: Newsletter,
  issues: readonly Issue[],
  accounts: readonly Account[],
  feedback: readonly Feedback[],
  next: Week,
  clicks: Clicks | undefined,
): Answer {
  return {
    json: {
      issues: issues.map((issue, index) => ({
        ...{ week: issue.week, state: issue.state, reason: issue.reason, dueAt: issue.due_at },
        ...{ draftAt: issue.draft_at, cutoff: issue.cutoff_at, editionHash: issue.edition_hash },
        ...{ approvedBy: issue.approved_by, timezone: issue.timezone, deliveries: accounts[index] },
        feedback: feedback[index],
        waysOut: accounts[index] ? waysOut(issue, accounts[index]) : [],
        ...(clicks && { clicks }),
      })),
      next: { week: next.name, draftAt: next.draftAt, dueAt: next.dueAt, timezone: next.zone },
    },
    lines: [
      ...issues.flatMap((issue, index) => issueLines(issue, accounts[index], feedback[index], clock())),
      ...(clicks ? clickLines(clicks) : []),
      ...(issues.length === 0 ? ['No issue yet. Make one: verdict draft'] : []),
      '',
      ...nextLines(next, clock()),
    ],
  }
}

function issueLines(
  issue: Issue,
  account: Account | undefined,
  feedback: Feedback | undefined,
  now: Temporal.Instant,
): readonly string[] {
  const reason = issue.reason ? ` (${issue.reason})` : ''
  const due = `${whenInZone(issue.due_at, issue.timezone)}, ${fromNow(issue.due_at, now)}`
  const isPlanned = issue.planned_at !== null && account !== undefined
  return [
    `${issue.week}  ${issue.state}${reason}`,
    `  due ${due}`,
    ...(isPlanned ? [`  ${accountLine(account)}`] : []),
    ...(feedback ? feedbackLines(feedback) : []),
    ...(account ? waysOutLines(waysOut(issue, account)) : []),
  ]
}

function nextLines(next: Week, now: Temporal.Instant): readonly string[] {
  const isDrafted = Temporal.Instant.compare(next.draftAt, now) <= 0
  const line = (what: string, at: Temporal.Instant) =>
    `  ${what} ${whenInZone(at, next.zone)}, ${fromNow(at, now)}`
  return [
    `Next: ${next.name}`,
    ...(isDrafted ? [] : [line('drafted', next.draftAt)]),
    line('due', next.dueAt),
  ]
}
