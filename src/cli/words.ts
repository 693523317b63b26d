import { alarmAt, type Feedback } from '../delivery/feedback.ts'
import type { Account } from '../delivery/report.ts'
import type { WayOut } from '../delivery/ways-out.ts'
import type { Clicks } from '../issue/clicks.ts'

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

/** What can be done, a line each, with the commands in one column. */
export function waysOutLines(ways: readonly WayOut[]): readonly string[] {
  const width = Math.max(0, ...ways.map(({ command }) => command.length))
  return ways.map(({ command, does }) => `  ${command.padEnd(width)}  ${does}`)
}

/** The same account as a table: where each planned delivery went, and why. */
export function accountTable(account: Account): readonly string[] {
  const rows = [
    ['planned', account.planned, ''],
    ['accepted', account.accepted, ''],
    ['rejected', account.rejected, 'rejected'],
    ['excluded', account.excluded, 'excluded'],
    ['quarantined', account.quarantined, 'quarantined'],
    ['not yet sent', account.notYetSent, ''],
  ] as const
  const width = Math.max(...rows.map(([, count]) => String(count).length))
  return rows.map(([name, count, state]) => {
    const why = account.reasons.filter((reason) => state !== '' && reason.state === state)
    const words = why.map(({ reason, count: many }) => `${reason} (${many})`).join(', ')
    return `  ${name.padEnd(14)}${String(count).padStart(width)}${words && `  ${words}`}`
  })
}

/** "3 planned = 2 accepted + 1 excluded (unsubscribed)" */
export function accountLine(account: Account): string {
  const parts = (['accepted', 'rejected', 'excluded', 'quarantined'] as const)
    .filter((state) => state === 'accepted' || account[state] > 0)
    .map((state) => `${account[state]} ${state}${reasonsOf(account, state)}`)
  if (account.notYetSent > 0) parts.push(`${account.notYetSent} not yet sent`)
  return `${account.planned} planned = ${parts.join(' + ')}`
}

/** The sum, what gave programs away, and each comparison: all clicks, then those without programs. */
export function clickLines({ raw, filtered, flagged, links }: Clicks): readonly string[] {
  if (raw === 0) return ['', 'Clicks: none yet']
  const { agent, trap, burst } = flagged
  const evidence = [
    ...(agent > 0 ? [`${agent} by their agent`] : []),
    ...(trap > 0 ? [`${trap} by the trap`] : []),
    ...(burst > 0 ? [`${burst} in a burst`] : []),
  ]
  return [
    '',
    `Clicks: ${raw}, without programs ${filtered}${evidence.length > 0 ? ` (${evidence.join(', ')})` : ''}`,
    '     all   people',
    ...links.map((link) => {
      const [all, people] = [link.raw, link.filtered].map((count) => String(count).padStart(8))
      return `${all} ${people}   ${link.place ?? '-'}  ${link.title}`
    }),
  ]
}

/** "  came back: 2 delivered, 1 bounced hard (33.33 %)", and a line for each ratio at which senders are stopped; nothing before. */
export function feedbackLines({ counts, complaintRatio, hardBounceRatio }: Feedback): readonly string[] {
  const ratios = { 'bounced hard': hardBounceRatio, complained: complaintRatio }
  const share = (state: string) => Object.entries(ratios).find(([name]) => name === state)?.[1] ?? null
  const parts = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => {
      const ratio = share(state)
      return `${count} ${state}${ratio === null ? '' : ` (${percent(ratio)})`}`
    })
  if (parts.length === 0) return []
  return [
    `  came back: ${parts.join(', ')}`,
    ...((complaintRatio ?? 0) >= alarmAt.complaints
      ? [
          `  warning: ${percent(complaintRatio ?? 0)} complained; from ${percent(alarmAt.complaints)} on Resend may stop the account, from 0.3 % on Gmail stops the mail`,
        ]
      : []),
    ...((hardBounceRatio ?? 0) >= alarmAt.hardBounces
      ? [
          `  warning: ${percent(hardBounceRatio ?? 0)} bounced hard; from ${percent(alarmAt.hardBounces)} on Resend may stop the account`,
        ]
      : []),
  ]
}

function percent(ratio: number): string {
  return `${(100 * ratio).toFixed(2)} %`
}

function reasonsOf(account: Account, state: string): string {
  const reasons = account.reasons.filter((reason) => reason.state === state)
  return reasons.length === 0
    ? ''
    : ` (${reasons.map(({ reason, count }) => `${count} ${reason}`).join(', ')})`
}
