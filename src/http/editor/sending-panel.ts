import { outcomeOf } from '../../delivery/issue-report.ts'
import { progressOf } from '../../delivery/progress.ts'
import type { Issue } from '../../issue/issue.ts'
import type { DeskDeps } from './desk.ts'
import { progressView } from './progress-words.ts'
import { figureRows } from './report-words.ts'

/** How its sending stands, or what came of it; undefined before it is planned. */
export async function sendingPanel(
  { db, clock }: DeskDeps,
  issue: Issue,
): Promise<Record<string, unknown> | undefined> {
  if (issue.planned_at === null) return undefined
  const now = clock()
  const view = progressView(issue, await progressOf(db, issue, now), now)
  const path = `/desk/issues/${issue.week}`
  return {
    ...{ ...view, path, report: `${path}/report`, rows: accountRows(view) },
    feed: view.isLive ? `${path}/progress` : '',
    figures: view.isLive ? [] : figureRows(await outcomeOf(db, issue, now), undefined).filter(isShort),
  }
}

/** Where each planned mail is; `key` and `why` name what is kept up to date while it is watched. */
export function accountRows(view: ReturnType<typeof progressView>) {
  return [
    { name: 'Accepted', key: 'accepted', count: view.accepted, whyKey: '', why: '' },
    { name: 'Rejected', key: 'rejected', count: view.rejected, whyKey: 'whyRejected', why: view.whyRejected },
    { name: 'Excluded', key: 'excluded', count: view.excluded, whyKey: 'whyExcluded', why: view.whyExcluded },
    {
      ...{ name: 'Quarantined', key: 'quarantined', count: view.quarantined },
      ...{ whyKey: 'whyQuarantined', why: view.whyQuarantined },
    },
    { name: 'Not yet sent', key: 'notYetSent', count: view.notYetSent, whyKey: '', why: '' },
  ]
}

function isShort({ name }: { readonly name: string }): boolean {
  return ['Delivered', 'Bounced hard', 'Complained', 'Unsubscribed', 'Clicks, without programs'].includes(
    name,
  )
}
