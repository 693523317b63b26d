import type { Issue } from '../../issue/issue.ts'
import type { DeskDeps } from './desk.ts'

/** How its sending stands, or what came of it; undefined before it is planned. */
export async function sendingPanel(_: DeskDeps, __: Issue): Promise<Record<string, unknown> | undefined> {
  return undefined
}
