import type { Issue } from '../../issue/issue.ts'
import type { DeskDeps } from './desk.ts'

/** What waits for a decision after sending; undefined when nothing does. */
export async function doubtPanel(_: DeskDeps, __: Issue): Promise<Record<string, unknown> | undefined> {
  return undefined
}
