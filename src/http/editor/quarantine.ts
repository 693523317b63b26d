import type { Hono } from 'hono'
import { z } from 'zod'
import { type ListedDoubt, listDoubts } from '../../delivery/list-doubts.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { deskPage } from './page.ts'
import { grouped, shortTime } from './when.ts'

const pageSize = 25
const query = z.object({
  week: z
    .string()
    .regex(/^\d{4}-W\d{2}$/)
    .optional()
    .catch(undefined),
  after: z.uuid().optional().catch(undefined),
})

/** `GET /desk/quarantine`: every batch of which nobody knows whether it was sent, of one week or of all. */
export function quarantineRoutes(deps: DeskDeps): Hono<DeskEnv> {
  return desk().get('/desk/quarantine', async (c) => {
    const { week, after } = query.parse(c.req.query())
    const rows = await listDoubts(deps.db, { week, after, most: pageSize + 1 })
    const shown = rows.slice(0, pageSize)
    const here = (more: Record<string, string>) =>
      `/desk/quarantine?${new URLSearchParams({ ...(week && { week }), ...more })}`
    const last = shown.at(-1)?.batchId
    return deskPage(c, deps, 'desk-quarantine', {
      ...{ section: 'week', title: week ? `In doubt: ${week}` : 'In doubt' },
      data: {
        ...{ week: week ?? '', batches: shown.map(batchRow) },
        first: after === undefined ? '' : here({}),
        next: rows.length > pageSize && last ? here({ after: last }) : '',
      },
    })
  })
}

/** A batch in doubt as a row of a table. */
export function batchRow({
  batchId,
  week,
  issueState,
  timezone,
  reason,
  readers,
  heard,
  triedAt,
}: ListedDoubt) {
  return {
    ...{
      path: `/desk/quarantine/${batchId}`,
      name: batchId.slice(0, 8),
      week,
      issueState,
      reason: reason ?? '',
    },
    ...{ readers: grouped(readers), heard: grouped(heard) },
    tried: triedAt ? shortTime(triedAt, timezone) : 'not in these tables',
  }
}
