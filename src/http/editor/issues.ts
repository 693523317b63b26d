import type { Hono } from 'hono'
import type { Kysely } from 'kysely'
import { z } from 'zod'
import type { Database, IssueState } from '../../../db/schema.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { deskPage } from './page.ts'
import { grouped, shortTime } from './when.ts'

const pageSize = 25
const query = z.object({
  before: z
    .string()
    .regex(/^\d{4}-W\d{2}$/)
    .optional()
    .catch(undefined),
})

/** `GET /desk/issues`: every issue, newest first. */
export function issuesRoutes(deps: DeskDeps): Hono<DeskEnv> {
  const { db } = deps
  return desk().get('/desk/issues', async (c) => {
    const { before } = query.parse(c.req.query())
    const rows = await listIssues(db, before)
    const shown = rows.slice(0, pageSize)
    return deskPage(c, deps, 'desk-issues', {
      ...{ section: 'issues', title: 'Issues' },
      data: {
        issues: shown.map(issueRow),
        newest: before === undefined ? '' : '/desk/issues',
        older: rows.length > pageSize ? `/desk/issues?before=${shown.at(-1)?.week}` : '',
      },
    })
  })
}

/** A page of issues with the counts that are kept as events come in, and one more to tell whether there is another page. */
function listIssues(db: Kysely<Database>, before: string | undefined) {
  return db
    .selectFrom('issue as i')
    .leftJoin('edition as e', 'e.hash', 'i.edition_hash')
    .leftJoin('issue_feedback as f', 'f.issue_id', 'i.id')
    .leftJoin('issue_tally as t', 't.issue_id', 'i.id')
    .select(['i.week', 'i.state', 'i.due_at', 'i.timezone', 'i.planned_at', 'i.planned', 'e.subject'])
    .select(['f.delivered', 'f.bounced_hard', 'f.bounced_soft', 'f.complained', 't.unsubscribed', 't.clicks'])
    .$if(before !== undefined, (rows) => rows.where('i.week', '<', before ?? ''))
    .orderBy('i.week', 'desc')
    .limit(pageSize + 1)
    .execute()
}

function issueRow(row: Awaited<ReturnType<typeof listIssues>>[number]) {
  const count = (value: number | null) => (row.planned_at === null ? '' : grouped(value ?? 0))
  return {
    ...{ week: row.week, state: row.state, subject: row.subject ?? withoutEdition(row.state) },
    due: shortTime(row.due_at, row.timezone),
    ...{ planned: count(row.planned), delivered: count(row.delivered), complained: count(row.complained) },
    bounced: count((row.bounced_hard ?? 0) + (row.bounced_soft ?? 0)),
    ...{ unsubscribed: count(row.unsubscribed), clicks: count(row.clicks) },
  }
}

function withoutEdition(state: IssueState): string {
  if (state === 'quiet') return 'A quiet week: too little was published'
  return state === 'scheduled' ? 'Not drafted yet' : 'Never drafted'
}
