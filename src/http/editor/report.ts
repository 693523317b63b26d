import type { Context, Hono } from 'hono'
import { type IssueReport, reportOf } from '../../delivery/issue-report.ts'
import { type Recipient, recipientsOf } from '../../delivery/recipients.ts'
import type { Issue } from '../../issue/issue.ts'
import { csvAnswer } from './csv.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { issueNamed } from './issue-named.ts'
import { deskNotFound, deskPage } from './page.ts'
import { progressView } from './progress-words.ts'
import { departureRows, figureRows, percent } from './report-words.ts'
import { accountRows } from './sending-panel.ts'
import { dayAndTime, grouped, shortTime } from './when.ts'

/** What became of an issue, as a page and as files: `/desk/issues/:week/report`, its `.csv`, `clicks.csv` and `recipients.csv`. */
export function reportRoutes(deps: DeskDeps): Hono<DeskEnv> {
  return desk()
    .get('/desk/issues/:week/report', (c) =>
      withReport(c, deps, (issue, report) =>
        deskPage(c, deps, 'desk-report', {
          ...{ section: 'issues', title: `Report on ${issue.week}` },
          scripts: ['uplot.css', 'uplot.js', 'desk-charts.js'],
          data: reportData(issue, report, deps.clock()),
        }),
      ),
    )
    .get('/desk/issues/:week/report.csv', (c) =>
      withReport(c, deps, (issue, report) =>
        csvAnswer(c, `${issue.week}-report.csv`, ['what', 'why', 'count'], reportCells(report)),
      ),
    )
    .get('/desk/issues/:week/clicks.csv', (c) =>
      withReport(c, deps, (issue, { byLink }) =>
        csvAnswer(
          c,
          `${issue.week}-clicks.csv`,
          ['place', 'comparison', 'target', 'all clicks', 'without programs'],
          byLink.links.map((one) => [one.place, one.title, one.target, one.raw, one.filtered]),
        ),
      ),
    )
    .get('/desk/issues/:week/recipients.csv', (c) =>
      withReport(c, deps, async (issue) => {
        const { week, id } = issue
        deps.log.info({ issue: week, editor: await editorId(deps, c) }, 'the list of recipients is read')
        return csvAnswer(
          c,
          `${week}-recipients.csv`,
          recipientColumns,
          recipientCells(recipientsOf(deps.db, id)),
        )
      }),
    )
}

async function withReport(
  c: Context<DeskEnv>,
  deps: DeskDeps,
  answer: (issue: Issue, report: IssueReport) => Response | Promise<Response>,
): Promise<Response> {
  const issue = await issueNamed(deps, c.req.param('week') ?? '')
  const report = issue && (await reportOf(deps.db, issue, deps.clock()))
  if (!issue || !report)
    return deskNotFound(c, deps, 'There is no report: that week has no issue that went out.')
  return answer(issue, report)
}

function reportData(issue: Issue, report: IssueReport, now: Temporal.Instant) {
  const { account, before, span, unsubscribed, clicks, byLink, departures, votes } = report
  const view = progressView(issue, { account, rate: { lately: 0, overall: 0 } }, now)
  const zone = issue.timezone
  return {
    ...{ week: issue.week, state: issue.state, path: `/desk/issues/${issue.week}` },
    sent: dayAndTime(span.opens, zone),
    planned: view.planned,
    rows: accountRows(view),
    figures: figureRows(report, before),
    before: before?.week ?? '',
    span: `${shortTime(span.opens, zone)} to ${shortTime(span.closes, zone)}`,
    countedUntil: unsubscribed.until ? shortTime(unsubscribed.until, zone) : '',
    departures: departureRows(departures),
    clicks: { raw: grouped(clicks.raw), people: grouped(clicks.people), flagged: flaggedWords(byLink) },
    links: byLink.links.map((link) => ({
      ...{ title: link.title, slug: link.slug, place: link.place ?? '' },
      ...{ raw: grouped(link.raw), people: grouped(link.filtered), plain: link.filtered },
      share: clicks.people === 0 ? '' : percent(link.filtered / clicks.people),
    })),
    mostClicks: Math.max(1, ...byLink.links.map(({ filtered }) => filtered)),
    hours: hourRows(report),
    votes: votes.map(({ ship, skip, percent: share, ...tool }) => ({
      ...{ title: tool.title, slug: tool.slug, name: tool.name, ship: grouped(ship), skip: grouped(skip) },
      share: share === null ? '—' : `${share} %`,
    })),
  }
}

/** Every hour of the first two days up to the last with anything in it; none when there is none. */
function hourRows({ hours }: IssueReport) {
  const last = hours.at(-1)?.hour ?? -1
  return Array.from({ length: last + 1 }, (_, hour) => {
    const { delivered = 0, clicks = 0 } = hours.find((one) => one.hour === hour) ?? {}
    return {
      ...{ hour: hour + 1, delivered: grouped(delivered), clicks: grouped(clicks) },
      plain: { delivered, clicks },
    }
  })
}

function flaggedWords({ flagged: { agent, trap, burst } }: IssueReport['byLink']): string {
  return [
    ...(agent > 0 ? [`${grouped(agent)} by what they call themselves`] : []),
    ...(trap > 0 ? [`${grouped(trap)} by a link that nobody can see`] : []),
    ...(burst > 0 ? [`${grouped(burst)} by following most links within seconds`] : []),
  ].join(', ')
}

function* reportCells(report: IssueReport): Generator<readonly (string | number)[]> {
  const { account, feedback, unsubscribed, clicks, departures } = report
  yield ['planned', '', account.planned]
  yield ['accepted', '', account.accepted]
  for (const state of ['rejected', 'excluded', 'quarantined'] as const) {
    yield [state, '', account[state]]
    for (const one of account.reasons) if (one.state === state) yield [state, one.reason, one.count]
  }
  yield ['not yet sent', '', account.notYetSent]
  for (const [state, count] of Object.entries(feedback.counts)) yield [state, '', count]
  yield ['unsubscribed', '', unsubscribed.readers]
  for (const { why, readers } of departures)
    yield ['said why they left', why ?? 'in words of their own', readers]
  yield ['clicks', 'all', clicks.raw]
  yield ['clicks', 'without programs', clicks.people]
}

const recipientColumns = ['address', 'outcome', 'why', 'came back', 'came back at', 'id at the provider']

async function* recipientCells(pages: AsyncIterable<readonly Recipient[]>) {
  for await (const page of pages)
    for (const { address, state, reason, cameBack, cameBackAt, providerId } of page)
      yield [address, state, reason, cameBack, cameBackAt?.toString() ?? null, providerId]
}

/** Whoever is signed in, by an id: a line of the log has no address. */
async function editorId({ db }: DeskDeps, c: Context<DeskEnv>): Promise<string | undefined> {
  const { editor } = c.get('session')
  const row = await db.selectFrom('editor').select('id').where('address', '=', editor).executeTakeFirst()
  return row?.id
}
