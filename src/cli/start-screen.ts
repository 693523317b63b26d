import type { FirstStart } from '../../jobs/first-start.ts'
import { accountOf } from '../delivery/report.ts'
import { editorsOf } from '../editor/editors.ts'
import { findIssue, nextIssueWeek } from '../issue/issue.ts'
import type { Newsletter } from '../newsletter.ts'
import { accountLine, fromNow, whenInZone } from './words.ts'

/** What a person sees after `start`: what happened, where to look, and what production needs. */
export async function startScreen(newsletter: Newsletter, first: FirstStart | undefined): Promise<string> {
  const { config, clock, calendar } = newsletter
  const next = await nextIssueWeek(newsletter.db, clock(), calendar)
  const site = `http://${config.host === '0.0.0.0' || config.host === '127.0.0.1' ? 'localhost' : config.host}:${config.port}`
  const isTrial = newsletter.transport.name === 'outbox' && !config.production
  const latest = await latestSent(newsletter)
  return [
    '',
    '  Weekly Verdict',
    '',
    ...(first
      ? [
          `  First start: ${first.comparisons} sample comparisons and ${first.readers} example readers are in.`,
          `  ${first.week} was drafted ${await accountWords(newsletter, first.week)}.`,
        ]
      : ['  Started again: nothing is repeated, nothing is lost.']),
    `  Next: ${next.name}, due ${whenInZone(next.dueAt, next.zone)}, ${fromNow(next.dueAt, clock())}.`,
    '',
    `  Front page   ${site}/`,
    `  Sign up      ${site}/subscribe`,
    ...(latest ? [`  The issue    ${site}/issues/${latest}`] : []),
    ...(isTrial ? [`  Outbox       ${site}/outbox`] : []),
    ...deskLines(config, isTrial, site),
    '',
    `  Database     ${newsletter.connection.driver.kind === 'embedded' ? `embedded, in ${config.dataDir}` : 'PostgreSQL'}`,
    `  Mail         ${isTrial ? 'kept in files; nothing leaves this machine' : newsletter.transport.name}`,
    ...(isTrial
      ? [
          '',
          '  For production set NODE_ENV=production, DATABASE_URL, PUBLIC_URL, MAIL_TRANSPORT=resend, RESEND_API_KEY,',
          '  MAIL_FROM, POSTAL_ADDRESS and SIGNING_KEYS; then `npx verdict doctor` says what is missing.',
        ]
      : []),
    '',
    '  Ctrl-C stops.',
    '',
  ].join('\n')
}

/** Where the desk is, and how to get in; where it is closed, what opens it. */
function deskLines(config: Newsletter['config'], isTrial: boolean, site: string): readonly string[] {
  const [editor] = editorsOf(config)
  if (!editor) return ['  The desk     closed: set EDITORS to the addresses that may sign in']
  if (config.editors.length > 0) return [`  The desk     ${site}/desk`]
  return [
    `  The desk     ${site}/desk`,
    `               sign in as ${editor}${isTrial ? '; the code is in the outbox' : ''}`,
  ]
}

async function accountWords({ db }: Newsletter, week: string): Promise<string> {
  const issue = await findIssue(db, week)
  if (!issue?.planned_at) return `and waits: it is ${issue?.state ?? 'not there'}`
  return `and delivered to the outbox: ${accountLine(await accountOf(db, issue.id))}`
}

async function latestSent({ db }: Newsletter): Promise<string | undefined> {
  const row = await db
    .selectFrom('issue')
    .select('week')
    .where('state', 'in', ['sending', 'sent', 'partly sent'])
    .orderBy('week', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.week
}
