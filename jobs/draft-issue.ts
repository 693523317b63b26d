import { type DraftDeps, type DraftResult, draftIssue } from '../src/issue/draft.ts'
import { weekNamed } from '../src/issue/week.ts'
import type { Log } from '../src/log.ts'

/** The comparisons that are new since the last issue become a draft for the editors. */
export async function runDraft(deps: DraftDeps & { log: Log }, weekName: string): Promise<DraftResult> {
  const week = weekNamed(weekName, deps.calendar)
  if (!week) throw new Error(`"${weekName}" is no ISO week`)
  const result = await draftIssue(deps, week)
  deps.log.info({ issue: result.week, outcome: result.outcome, comparisons: result.chosen.length }, 'draft')
  return result
}
