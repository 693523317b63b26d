import type { Hono } from 'hono'
import { comingIssue, unfinishedIssues } from '../../issue/in-focus.ts'
import { waitingComparisons } from '../../issue/waiting.ts'
import { type AudienceChange, audienceChange, audienceNow } from '../../subscriber/audience.ts'
import { openFlags } from '../../vote/list-flags.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { asIssue, issuePanel, weekPanel } from './issue-panel.ts'
import { nextWords } from './issue-words.ts'
import { deskPage } from './page.ts'
import { problemsOf } from './problems.ts'
import { grouped, shortTime } from './when.ts'

const lastWeek = Temporal.Duration.from({ hours: 168 })
const waitingShown = 5

/** `GET /desk`: the issue that matters now, who would get it, what waits, what is wrong, and the one next thing to do. */
export function weekRoutes(deps: DeskDeps): Hono<DeskEnv> {
  const { db, clock, calendar } = deps
  return desk().get('/desk', async (c) => {
    const now = clock()
    const unfinished = await unfinishedIssues(db, now)
    const coming = await comingIssue(db, now, calendar)
    const issue = unfinished[0] ?? coming.issue
    const waiting = await waitingComparisons(db, now, waitingShown)
    return deskPage(c, deps, 'desk-week', {
      ...{ section: 'week', title: 'This week' },
      data: {
        issue: issue ? await issuePanel(deps, issue) : weekPanel(coming.week, now, deps.rules),
        todo: nextWords(issue ?? asIssue(coming.week), now, deps.rules, waiting.count),
        problems: await problemsOf(deps, unfinished, issue),
        flags: flagsWords(await openFlags(db)),
        audience: await audienceView(deps, now),
        waiting: {
          count: grouped(waiting.count),
          oldest: waiting.oldest.map((one) => ({ ...one, when: shortTime(one.published_at, calendar.zone) })),
          more: waiting.count > waitingShown ? grouped(waiting.count - waitingShown) : '',
        },
      },
    })
  })
}

/** One line about flagged votes; empty while none waits. */
function flagsWords(open: number): string {
  if (open === 0) return ''
  return open === 1
    ? 'A flag on readers’ votes waits for an editor.'
    : `${grouped(open)} flags on readers’ votes wait for an editor.`
}

async function audienceView({ db }: DeskDeps, now: Temporal.Instant) {
  const { readers, isEstimate } = await audienceNow(db)
  const change = await audienceChange(db, now.subtract(lastWeek))
  const net = sum(change.came) - sum(change.went)
  return {
    ...{ readers: grouped(readers), isEmpty: readers === 0 },
    word: `${readers === 1 ? 'reader' : 'readers'}${isEstimate ? ', about' : ''}`,
    net: net === 0 ? 'No more and no fewer than a week ago' : `${signed(net)} since a week ago`,
    rows: [...lines(change.came, 1), ...lines(change.went, -1)],
  }
}

/** Reasons that occurred, each with its signed count. */
function lines(counts: AudienceChange['came'] | AudienceChange['went'], sign: 1 | -1) {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([why, count]) => ({ why, count: signed(sign * count) }))
}

function sum(counts: AudienceChange['came'] | AudienceChange['went']): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}

function signed(count: number): string {
  return count > 0 ? `+${grouped(count)}` : `−${grouped(-count)}`
}
