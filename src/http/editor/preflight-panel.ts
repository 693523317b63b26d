import type { Issue } from '../../issue/issue.ts'
import type { DeskDeps } from './desk.ts'

/** What was checked before it goes out; undefined while there is no edition. */
export async function preflightPanel(_: DeskDeps, __: Issue): Promise<Record<string, unknown> | undefined> {
  return undefined
}
