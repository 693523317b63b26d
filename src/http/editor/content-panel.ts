import type { Issue } from '../../issue/issue.ts'
import type { DeskDeps } from './desk.ts'

/** What the issue says, to be corrected; undefined once it can be changed no more. */
export async function contentPanel(_: DeskDeps, __: Issue): Promise<Record<string, unknown> | undefined> {
  return undefined
}
