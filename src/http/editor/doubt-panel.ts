import { aftermathOf, refusedBecause } from '../../delivery/aftermath.ts'
import { listDoubts } from '../../delivery/list-doubts.ts'
import type { Issue } from '../../issue/issue.ts'
import type { DeskDeps } from './desk.ts'
import { batchRow } from './quarantine.ts'
import { grouped } from './when.ts'

const shown = 5

/** What waits for a decision after sending: batches in doubt, and mails that were refused; undefined when nothing does. */
export async function doubtPanel(
  { db }: Pick<DeskDeps, 'db'>,
  issue: Issue,
): Promise<Record<string, unknown> | undefined> {
  const { refused, inDoubt } = await aftermathOf(db, issue)
  if (refused === 0 && inDoubt === 0) return undefined
  const batches = inDoubt > 0 ? await listDoubts(db, { week: issue.week, most: shown }) : []
  const reasons = refused > 0 ? await refusedBecause(db, issue.id, shown) : []
  return {
    batches: batches.map(batchRow),
    count: `${grouped(inDoubt)} ${inDoubt === 1 ? 'batch is' : 'batches are'} in doubt`,
    all: inDoubt > shown ? `/desk/quarantine?week=${issue.week}` : '',
    refused: refused === 0 ? '' : `${grouped(refused)} ${refused === 1 ? 'mail was' : 'mails were'} refused`,
    reasons: reasons.map(({ reason, mails }) => ({ reason, mails: grouped(mails) })),
    retry:
      issue.state === 'partly sent'
        ? `/desk/issues/${issue.week}/decide?action=retry%20failed&from=issue`
        : '',
  }
}
