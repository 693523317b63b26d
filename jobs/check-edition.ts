import { type Kysely, sql } from 'kysely'
import type { Database } from '../db/schema.ts'
import type { Clock } from '../src/clock.ts'
import { blocksOf, checkEdition, type PreflightDeps } from '../src/delivery/preflight.ts'
import { type TellDeps, tellOfBlocks } from '../src/editor/mail-blocks.ts'
import { findIssue } from '../src/issue/issue.ts'
import type { Audit } from '../src/issue/preflight/audit.ts'
import { rulesVersion } from '../src/issue/preflight/edition.ts'
import type { Queue } from '../src/queue.ts'

export type CheckDeps = PreflightDeps & TellDeps & { readonly audit?: Audit | undefined }

/** How old what was found in readers' variants may become: they change with what readers choose. */
const oldest = Temporal.Duration.from('PT1H')

/** An edition that is new, or was looked at long ago, is checked; if something will stop it, the editors have time to mend it. */
export async function runCheck(deps: CheckDeps, week: string): Promise<void> {
  const issue = await findIssue(deps.db, week)
  if (!issue?.edition_hash || issue.planned_at !== null) return
  await checkEdition(deps, issue)
  const blocks = await blocksOf(deps, issue)
  deps.log.info({ issue: week, blocks: blocks.map(({ id }) => id) }, 'edition checked')
  const isAhead = Temporal.Instant.compare(deps.clock(), issue.due_at) < 0
  if (isAhead) await tellOfBlocks(deps, issue, 'ahead', blocks)
}

/** Asks for the editions that nobody has checked since they were set, or for too long. */
export async function askForChecks(
  { db, clock }: { readonly db: Kysely<Database>; readonly clock: Clock },
  queue: Pick<Queue, 'enqueue'>,
): Promise<void> {
  const { rows } = await sql<{ week: string }>`
    select i.week
      from issue i left join edition_check c
        on c.edition_hash = i.edition_hash and c.part = 'variants' and c.version = ${rulesVersion()}
     where i.state in ('draft', 'approved', 'held') and i.planned_at is null and i.edition_hash is not null
       and (c.at is null or c.at < ${clock().subtract(oldest)}::timestamptz)
     order by i.week`.execute(db)
  for (const { week } of rows) await queue.enqueue('check-edition', week)
}
