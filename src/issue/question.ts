import { type Kysely, sql } from 'kysely'
import { often } from '../../db/prepare.ts'
import type { Database } from '../../db/schema.ts'

/** "Would you ship it?" of one tool: in which comparison, on which side of it, and which issue mailed it. */
export type Question = {
  readonly toolId: number
  readonly issueId: number
  readonly comparisonId: number
  readonly side: 0 | 1
}

/** What a vote link asks. `gone`: it was mailed, and has been retracted or compared with another tool since. */
export type Asked = { readonly kind: 'open'; readonly question: Question } | { readonly kind: 'gone' }

/**
 * Looks for a tool in the issue of a week or, because a month's roll-up reaches back, in one before it; undefined when
 * none of them was mailed with it. `isTest`: a draft will do, because test mails leave before the issue.
 */
export async function findQuestion(
  db: Kysely<Database>,
  { week, tool, isTest }: { readonly week: string; readonly tool: string; readonly isTest: boolean },
): Promise<Asked | undefined> {
  const { rows } = await sql<Question & { isRetracted: boolean }>`${often}
    select t.tool_id as "toolId", i.id as "issueId", c.id as "comparisonId", t.side - 1 as side,
           c.retracted_at is not null as "isRetracted"
      from tool
      join comparison_tool t on t.tool_id = tool.id
      join comparison c on c.id = t.comparison_id
      join issue_comparison ic on ic.comparison_id = c.id
      join issue i on i.id = ic.issue_id
     where tool.slug = ${tool} and i.week <= ${week} and (${isTest} or i.planned_at is not null)
     order by i.week desc, ic.position
     limit 1`.execute(db)
  const [found] = rows
  if (!found) return (await wasMailed(db, week, tool)) ? { kind: 'gone' } : undefined
  const { isRetracted, ...question } = found
  return isRetracted ? { kind: 'gone' } : { kind: 'open', question }
}

/** Whether some revision that an issue was mailed with had the tool. */
async function wasMailed(db: Kysely<Database>, week: string, tool: string): Promise<boolean> {
  const row = await db
    .selectFrom('issue_comparison as ic')
    .innerJoin('issue as i', 'i.id', 'ic.issue_id')
    .innerJoin('comparison_revision as r', (join) =>
      join.onRef('r.comparison_id', '=', 'ic.comparison_id').onRef('r.revision', '=', 'ic.revision'),
    )
    .select('ic.comparison_id')
    .where('i.week', '<=', week)
    .where('i.planned_at', 'is not', null)
    .where(sql<boolean>`r.document -> 'tools' @> ${JSON.stringify([{ slug: tool }])}::jsonb`)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}
