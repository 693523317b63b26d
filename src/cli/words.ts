import type { Account } from '../delivery/report.ts'

/** "Friday 27 November 2026, 09:00 America/New_York" */
export function whenInZone(instant: Temporal.Instant, zone: string): string {
  const local = instant.toZonedDateTimeISO(zone)
  const date = local
    .toPlainDate()
    .toLocaleString('en-GB', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' })
    .replace(',', '')
  return `${date}, ${local.toPlainTime().toString({ smallestUnit: 'minute' })} ${zone}`
}

/** "in 4 days", "3 hours ago", rounded to what a person would say. */
export function fromNow(instant: Temporal.Instant, now: Temporal.Instant): string {
  const minutes = now.until(instant).total('minutes')
  const [amount, unit] = (
    [
      ['days', 1440],
      ['hours', 60],
      ['minutes', 1],
    ] as const
  )
    .map(([name, size]) => [Math.round(Math.abs(minutes) / size), name] as const)
    .find(([count]) => count >= 2) ?? [Math.round(Math.abs(minutes)), 'minutes' as const]
  if (amount === 0) return 'now'
  return minutes < 0 ? `${amount} ${unit} ago` : `in ${amount} ${unit}`
}

/** "3 planned = 2 accepted + 1 excluded (unsubscribed)" */
export function accountLine(account: Account): string {
  const parts = (['accepted', 'rejected', 'excluded', 'quarantined'] as const)
    .filter((state) => state === 'accepted' || account[state] > 0)
    .map((state) => `${account[state]} ${state}${reasonsOf(account, state)}`)
  if (account.notYetSent > 0) parts.push(`${account.notYetSent} not yet sent`)
  return `${account.planned} planned = ${parts.join(' + ')}`
}

function reasonsOf(account: Account, state: string): string {
  const reasons = account.reasons.filter((reason) => reason.state === state)
  return reasons.length === 0
    ? ''
    : ` (${reasons.map(({ reason, count }) => `${count} ${reason}`).join(', ')})`
}
