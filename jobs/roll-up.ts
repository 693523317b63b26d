import type { Kysely } from 'kysely'
import type { Database } from '../db/schema.ts'
import type { Calendar, Clock } from '../src/clock.ts'
import { rollUpIssues } from '../src/delivery/roll-up-issues.ts'
import { rollUpClicks } from '../src/issue/roll-up-clicks.ts'
import type { Log } from '../src/log.ts'
import { rollUpList } from '../src/subscriber/roll-up-list.ts'

export type RollUpDeps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly calendar: Calendar
  readonly log: Log
}

/** Every minute: what came in since is counted, so that the desk's reports need not count it on each view. */
export async function rollUp(deps: RollUpDeps, stop?: AbortSignal): Promise<void> {
  await rollUpIssues(deps, stop)
  await rollUpList(deps, stop)
  const issues = await rollUpClicks(deps, stop)
  if (issues > 0) deps.log.info({ issues }, 'clicks counted')
}
