import { composeComparison } from '../../issue/compose.ts'
import type { StoredComparison } from '../../verdict/comparison.ts'
import { panelWinner } from '../../verdict/panel.ts'

/** A comparison as a line of a list: when, which pair, the verdict in a sentence, who won, and the stamp on each tool. */
export function listedComparison(comparison: StoredComparison, zone: string) {
  const { slug, title, sentence, winner, tools } = composeComparison(comparison)
  const stamps = tools.map(({ name: label, stamp }) => ({ label, stamp }))
  return { slug, title, sentence, winner, published: dayIn(comparison.publishedAt, zone), stamps }
}

/** The day of an instant in a zone, for machines and for people. */
export function dayIn(instant: Temporal.Instant, zone: string): { iso: string; long: string } {
  const day = instant.toZonedDateTimeISO(zone).toPlainDate()
  const long = day.toLocaleString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' })
  return { iso: day.toString(), long }
}

/** How often a tool won, lost and tied: `Compared 3 times: won 2, lost 1.` */
export function recordOf(slug: string, comparisons: readonly StoredComparison[]): string {
  const winners = comparisons.map(({ tools }) => {
    const winner = panelWinner(tools)
    return winner === null ? undefined : tools[winner].slug
  })
  const won = winners.filter((winner) => winner === slug).length
  const tied = winners.filter((winner) => winner === undefined).length
  if (winners.length === 1) return `Compared once: ${won ? 'won' : tied ? 'a tie' : 'lost'}.`
  const parts = { won, lost: winners.length - won - tied, tied }
  const told = Object.entries(parts).flatMap(([what, many]) => (many > 0 ? [`${what} ${many}`] : []))
  return `Compared ${winners.length} times: ${told.join(', ')}.`
}
