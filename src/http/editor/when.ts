/** "Friday 27 November, 09:00 New York": how the desk says when something is, in the newsletter's zone. */
export function dayAndTime(instant: Temporal.Instant, zone: string): string {
  const local = instant.toZonedDateTimeISO(zone)
  const day = local
    .toPlainDate()
    .toLocaleString('en-GB', { weekday: 'long', day: 'numeric', month: 'long' })
    .replace(',', '')
  return `${day}, ${local.toPlainTime().toString({ smallestUnit: 'minute' })} ${placeOf(zone)}`
}

/** "20 Nov 2026, 09:00": for a column of times. */
export function shortTime(instant: Temporal.Instant, zone: string): string {
  const local = instant.toZonedDateTimeISO(zone)
  const day = local.toPlainDate().toLocaleString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
  return `${day}, ${local.toPlainTime().toString({ smallestUnit: 'minute' })}`
}

/** "New York" */
export function placeOf(zone: string): string {
  return zone.split('/').at(-1)?.replaceAll('_', ' ') ?? zone
}

/** "4 days 11 hours", "11 hours 5 minutes", "5 minutes": the two largest units of the time between, in whole minutes. */
export function span(from: Temporal.Instant, to: Temporal.Instant): string {
  const minutes = Math.floor(Math.abs(from.until(to).total('minutes')))
  const parts = [
    [Math.floor(minutes / 1440), 'day'],
    [Math.floor((minutes % 1440) / 60), 'hour'],
    [minutes % 60, 'minute'],
  ] as const
  const first = parts.findIndex(([count]) => count > 0)
  if (first === -1) return 'less than a minute'
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}${count === 1 ? '' : 's'}`)
    .join(' ')
}

/** "in 4 days 11 hours", "5 minutes ago" */
export function fromNow(instant: Temporal.Instant, now: Temporal.Instant): string {
  const isPast = Temporal.Instant.compare(instant, now) < 0
  return isPast ? `${span(instant, now)} ago` : `in ${span(now, instant)}`
}

/** 12,345 */
export function grouped(count: number): string {
  return count.toLocaleString('en-GB')
}
