import { type Kysely, sql } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import { type EpochDeps, whatIsWrong } from '../../delivery/epoch.ts'
import { blocksOf, type PreflightDeps } from '../../delivery/preflight.ts'
import type { Issue } from '../../issue/issue.ts'
import { grouped } from './when.ts'

/** Something that waits for a person: what, and what to do. `link` is undefined where there is nothing to open. */
export type Problem = {
  readonly title: string
  readonly words: string
  readonly link: { readonly url: string; readonly label: string } | undefined
}

type Deps = EpochDeps & PreflightDeps

/** What is wrong now, the worst first; the issue in focus says its own state and is left out. */
export async function problemsOf(
  deps: Deps,
  unfinished: readonly Issue[],
  inFocus: Issue | undefined,
): Promise<readonly Problem[]> {
  const foreign = await whatIsWrong(deps)
  const others = unfinished.filter(({ id }) => id !== inFocus?.id)
  return [
    ...(foreign ? [{ title: 'Nothing is sent from this database', words: foreign, link: undefined }] : []),
    ...(await stopped(deps, inFocus)),
    ...(await doubts(deps.db)),
    ...others.map(({ week, state, reason }) => ({
      title: `${week} is ${state} too`,
      words: reason ? `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.` : 'Its time has come as well.',
      link: { url: `/desk/issues/${week}`, label: `Open ${week}` },
    })),
  ]
}

/** What preflight would stop the issue in focus for. */
async function stopped(deps: Deps, issue: Issue | undefined): Promise<readonly Problem[]> {
  if (!issue?.edition_hash || issue.planned_at !== null || issue.state === 'cancelled') return []
  const blocks = await blocksOf(deps, issue)
  if (blocks.length === 0) return []
  const words = blocks.map(({ title, what }) => `${title}: ${what}.`).join(' ')
  return [
    {
      title: `Preflight stops ${issue.week}`,
      words,
      link: { url: `/desk/issues/${issue.week}#preflight`, label: 'See what to mend' },
    },
  ]
}

async function doubts(db: Kysely<Database>): Promise<readonly Problem[]> {
  const { rows } = await sql<{ week: string; batches: number; mails: number }>`
    select i.week, count(*) as batches, sum(b.size) as mails
      from batch b join issue i on i.id = b.issue_id
     where b.state = 'quarantined' group by i.week order by i.week`.execute(db)
  return rows.map(({ week, batches, mails }) => ({
    title: `${grouped(mails)} mails of ${week} are in doubt`,
    words: `The provider may or may not have ${batches === 1 ? 'this batch' : `these ${grouped(batches)} batches`}. Somebody has to look at the evidence and decide.`,
    link: { url: `/desk/quarantine?week=${week}`, label: 'Look at them' },
  }))
}
