import type { Progress } from '../../delivery/progress.ts'
import type { Account } from '../../delivery/report.ts'
import type { Issue } from '../../issue/issue.ts'
import { grouped, span } from './when.ts'

/** How far an issue's sending is, in the words of the page; the same go to whoever watches it live. */
export type ProgressView = ReturnType<typeof progressView>

/** Everything that is shown of an issue's sending. `value` of `max` readers are dealt with. */
export function progressView(issue: Issue, { account, rate }: Progress, now: Temporal.Instant) {
  const done = account.planned - account.notYetSent
  return {
    state: issue.state,
    isLive: issue.state === 'sending' || issue.state === 'paused',
    ...{ value: done, max: Math.max(1, account.planned) },
    percent: `${account.planned === 0 ? 100 : Math.floor((100 * done) / account.planned)} %`,
    words: `${grouped(done)} of ${readers(account.planned)} dealt with`,
    rate: `${perSecond(rate.lately)} in the last minute, ${perSecond(rate.overall)} over all`,
    left: leftWords(issue, account, rate.lately, now),
    planned: grouped(account.planned),
    accepted: grouped(account.accepted),
    rejected: grouped(account.rejected),
    excluded: grouped(account.excluded),
    quarantined: grouped(account.quarantined),
    notYetSent: grouped(account.notYetSent),
    whyRejected: reasons(account, 'rejected'),
    whyExcluded: reasons(account, 'excluded'),
    whyQuarantined: reasons(account, 'quarantined'),
  }
}

/** "3 unsubscribed, 1 bounced": why, the most frequent first. */
export function reasons(account: Account, state: 'rejected' | 'excluded' | 'quarantined'): string {
  const why = account.reasons.filter((one) => one.state === state).toSorted((a, b) => b.count - a.count)
  const shown = why.slice(0, 4).map(({ reason, count }) => `${grouped(count)} ${reason}`)
  return [...shown, ...(why.length > 4 ? [`${why.length - 4} other reasons`] : [])].join(', ')
}

function leftWords(issue: Issue, { notYetSent }: Account, lately: number, now: Temporal.Instant): string {
  // A person's pause says so itself.
  if (issue.state === 'paused') return `Paused: ${issue.reason}`.replace(/^Paused: paused/, 'Paused')
  if (issue.state !== 'sending') return 'Over'
  if (notYetSent === 0) return 'The last answers are awaited'
  if (lately === 0) return 'How long it takes cannot be said yet'
  return `About ${span(now, now.add({ seconds: Math.ceil(notYetSent / lately) }))} left`
}

function perSecond(rate: number): string {
  const said = rate >= 10 || rate < 0.05 ? grouped(Math.round(rate)) : rate.toFixed(1)
  return `${said} mails a second`
}

function readers(count: number): string {
  return `${grouped(count)} ${count === 1 ? 'reader' : 'readers'}`
}
