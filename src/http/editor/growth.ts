import type { Context, Hono } from 'hono'
import { z } from 'zod'
import type { ListChange } from '../../../db/schema.ts'
import { departureReasons, type Growth, type GrowthRow, growthOf } from '../../subscriber/growth.ts'
import { cameBy, wentBy } from '../../subscriber/list-changes.ts'
import { csvAnswer } from './csv.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { deskPage } from './page.ts'
import { departureRows } from './report-words.ts'
import { grouped } from './when.ts'

const mostRows = { week: 26, day: 31 } as const
const query = z.object({
  by: z.enum(['week', 'day']).catch('week'),
  before: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/)
    .refine(isDay)
    .optional()
    .catch(undefined),
})

/** `GET /desk/growth` and `/desk/growth.csv`: the list over time, by week or day, who came, who went, and why. */
export function growthRoutes(deps: DeskDeps): Hono<DeskEnv> {
  return desk()
    .get('/desk/growth', async (c) => {
      const { by, before, growth } = await asked(c, deps)
      return deskPage(c, deps, 'desk-growth', {
        ...{ section: undefined, title: 'Growth of the list' },
        scripts: ['uplot.css', 'uplot.js', 'desk-charts.js'],
        data: {
          ...{ by, isByWeek: by === 'week', isBehind: growth.isBehind, isEstimate: growth.isEstimate },
          newest: before ? `/desk/growth?by=${by}` : '',
          older: growth.older ? `/desk/growth?by=${by}&before=${growth.older}` : '',
          csv: `/desk/growth.csv?by=${by}${before ? `&before=${before}` : ''}`,
          rows: growth.rows.map((row) => tableRow(row, by)).toReversed(),
          sum: sumOf(growth.rows),
          came: kindRows(growth.rows, cameBy),
          went: kindRows(growth.rows, wentBy),
          reasons: departureRows(await reasonsIn(deps, growth.rows, by)),
        },
      })
    })
    .get('/desk/growth.csv', async (c) => {
      const { by, growth } = await asked(c, deps)
      const kinds = [...cameBy, ...wentBy]
      const rows = growth.rows.map((row) => [
        ...[row.begins, ...kinds.map((kind) => row.changes[kind] ?? 0)],
        ...[row.came, row.went, row.net, row.total],
      ])
      return csvAnswer(c, `growth-by-${by}.csv`, [by, ...kinds, 'came', 'went', 'net', 'on the list'], rows)
    })
}

function isDay(day: string): boolean {
  try {
    return Temporal.PlainDate.from(day).year > 2000
  } catch {
    return false
  }
}

async function asked(c: Context<DeskEnv>, { db, clock, calendar }: DeskDeps) {
  const { by, before } = query.parse(c.req.query())
  const growth = await growthOf(db, clock(), calendar, { by, before, most: mostRows[by] })
  return { by, before, growth }
}

async function reasonsIn({ db, calendar }: DeskDeps, rows: Growth['rows'], by: 'week' | 'day') {
  const [first, last] = [rows.at(0), rows.at(-1)]
  if (!first || !last) return []
  const begin = (day: Temporal.PlainDate) => day.toZonedDateTime(calendar.zone).toInstant()
  return departureReasons(db, {
    from: begin(Temporal.PlainDate.from(first.begins)),
    to: begin(Temporal.PlainDate.from(last.begins).add({ [`${by}s`]: 1 })),
  })
}

function tableRow(row: GrowthRow, by: 'week' | 'day') {
  const day = Temporal.PlainDate.from(row.begins)
  const words = day.toLocaleString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
  return {
    name: by === 'week' ? `${day.yearOfWeek}-W${String(day.weekOfYear).padStart(2, '0')}` : words,
    ...{ begins: words, at: day.toZonedDateTime('UTC').epochMilliseconds / 1000 },
    ...{ came: grouped(row.came), went: grouped(row.went), net: signed(row.net), total: grouped(row.total) },
    plain: { came: row.came, went: row.went, net: row.net, total: row.total },
  }
}

function sumOf(rows: Growth['rows']) {
  const sum = (of: (row: GrowthRow) => number) => rows.reduce((all, row) => all + of(row), 0)
  return {
    ...{ came: grouped(sum(({ came }) => came)), went: grouped(sum(({ went }) => went)) },
    ...{ net: signed(sum(({ net }) => net)), total: grouped(rows.at(-1)?.total ?? 0) },
  }
}

/** Each reason that occurred, in the words of a table. */
function kindRows(rows: Growth['rows'], kinds: readonly ListChange[]) {
  return kinds
    .map((kind) => ({ kind, count: rows.reduce((sum, { changes }) => sum + (changes[kind] ?? 0), 0) }))
    .filter(({ count }) => count > 0)
    .toSorted((a, b) => b.count - a.count)
    .map(({ kind, count }) => ({ name: kindWords[kind], count: grouped(count) }))
}

const kindWords: Record<ListChange, string> = {
  confirmed: 'Confirmed their address',
  imported: 'Imported from another list',
  resubscribed: 'Took their departure back',
  resumed: 'Came back from a pause',
  unsubscribed: 'Unsubscribed',
  bounced: 'Bounced',
  complained: 'Complained',
  paused: 'Paused',
  erased: 'Asked to be erased',
  'by hand': 'Barred by hand',
}

function signed(count: number): string {
  if (count === 0) return '0'
  return count > 0 ? `+${grouped(count)}` : `−${grouped(-count)}`
}
