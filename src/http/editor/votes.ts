import type { Hono } from 'hono'
import { z } from 'zod'
import type { ToolVotes } from '../../issue/votes-of.ts'
import { flagReason, flagTitle, stateWords } from '../../vote/flag-words.ts'
import { type Flag, listFlags } from '../../vote/list-flags.ts'
import { type VotingDay, votingDays } from '../../vote/slice.ts'
import { furthestFromPanel, standingOfLatest } from '../../vote/standing.ts'
import { csvAnswer } from './csv.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { deskPage } from './page.ts'
import { grouped, shortTime } from './when.ts'

const daysShown = 31
const fewestDays = 14
const openShown = 50
const decidedShown = 20
const query = z.object({ after: z.coerce.number().int().min(0).max(1_000_000).catch(0) })

/** `GET /desk/votes`: what waits for an editor, how readers vote beside the panel, and how often; the latter two as CSV too. */
export function votesRoutes(deps: DeskDeps): Hono<DeskEnv> {
  const { db, calendar, fewestVotes } = deps
  return desk()
    .get('/desk/votes', async (c) => {
      const { after } = query.parse(c.req.query())
      const standing = await standingOfLatest(db, fewestVotes)
      const days = await daysUntilNow(deps)
      const decided = await listFlags(db, { which: 'decided', most: decidedShown + 1, after })
      return deskPage(c, deps, 'desk-votes', {
        ...{ section: 'votes', title: 'Votes', scripts: ['uplot.css', 'uplot.js', 'desk-charts.js'] },
        data: {
          open: (await listFlags(db, { which: 'open', most: openShown })).map((flag) =>
            row(flag, calendar.zone),
          ),
          decided: decided.slice(0, decidedShown).map((flag) => row(flag, calendar.zone)),
          newest: after > 0 ? '/desk/votes#decided' : '',
          older: decided.length > decidedShown ? `/desk/votes?after=${after + decidedShown}#decided` : '',
          week: standing?.week ?? '',
          tools: standing?.tools.map(toolRow) ?? [],
          furthest: furthestFromPanel(standing?.tools ?? [], 3).map(gapWords),
          days: days.some(({ ship, skip }) => ship + skip > 0) ? days.map(dayRow).toReversed() : [],
          least: fewestVotes,
        },
      })
    })
    .get('/desk/votes.csv', async (c) => {
      const standing = await standingOfLatest(db, fewestVotes)
      const columns = ['week', 'comparison', 'tool', 'ship', 'skip', 'percent', 'panel percent', 'set aside']
      const rows = (standing?.tools ?? []).map((tool) => [
        ...[standing?.week ?? '', tool.title, tool.name, tool.ship, tool.skip],
        ...[tool.percent, tool.panel, tool.setAside],
      ])
      return csvAnswer(c, `votes-${standing?.week ?? 'none'}.csv`, columns, rows)
    })
    .get('/desk/votes-by-day.csv', async (c) => {
      const rows = (await daysUntilNow(deps)).map(({ day, ship, skip }) => [day, ship, skip, ship + skip])
      return csvAnswer(c, 'votes-by-day.csv', ['day', 'ship', 'skip', 'votes'], rows)
    })
}

/** Each of the last days since the first vote, those without one too; two weeks at least, so that there is something to see. */
async function daysUntilNow({ db, clock, calendar: { zone } }: DeskDeps): Promise<readonly VotingDay[]> {
  const today = clock().toZonedDateTimeISO(zone).toPlainDate()
  const first = today.subtract({ days: daysShown - 1 })
  const voted = await votingDays(db, { zone, since: first.toZonedDateTime(zone).toInstant() })
  const days = Array.from({ length: daysShown }, (_, n) => {
    const day = first.add({ days: n }).toString()
    return voted.find((one) => one.day === day) ?? { day, ship: 0, skip: 0 }
  })
  const begun = days.findIndex(({ ship, skip }) => ship + skip > 0)
  return days.slice(begun === -1 ? 0 : Math.min(begun, daysShown - fewestDays))
}

function row(flag: Flag, zone: string) {
  return {
    ...{ path: `/desk/votes/flags/${flag.id}`, title: flagTitle(flag), reason: flagReason(flag) },
    ...{ state: stateWords[flag.state], votes: grouped(flag.votes), aside: grouped(flag.setAside) },
    isAgain: flag.decidedAt !== null && flag.state === 'open',
    when: shortTime(flag.decidedAt ?? flag.grownAt, zone),
    found: shortTime(flag.grownAt, zone),
  }
}

function toolRow(tool: ToolVotes) {
  return {
    ...{ name: tool.name, slug: tool.slug, ship: grouped(tool.ship), skip: grouped(tool.skip) },
    ...{ votes: grouped(tool.ship + tool.skip), percent: tool.percent === null ? '—' : `${tool.percent}%` },
    ...{
      panel: `${tool.panel}%`,
      gap: signed(tool.gap),
      aside: tool.setAside ? grouped(tool.setAside) : '—',
    },
  }
}

/** "Loom: readers 81%, panel 25%" */
function gapWords({ name, percent, panel }: ToolVotes) {
  return { name, words: `readers ${percent}%, panel ${panel}%` }
}

function signed(points: number | null): string {
  if (points === null) return '—'
  if (points === 0) return '0'
  return points > 0 ? `+${points}` : `−${-points}`
}

function dayRow({ day, ship, skip }: VotingDay) {
  const date = Temporal.PlainDate.from(day)
  return {
    at: date.toZonedDateTime('UTC').epochMilliseconds / 1000,
    name: date.toLocaleString('en-GB', { weekday: 'short', day: 'numeric', month: 'short' }).replace(',', ''),
    ...{ ship: grouped(ship), skip: grouped(skip), votes: grouped(ship + skip), plain: ship + skip },
  }
}
