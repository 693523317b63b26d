import type { DepartureReason } from '../../../db/schema.ts'
import type { Outcome } from '../../delivery/issue-report.ts'
import { grouped } from './when.ts'

/** One figure of a report: how many, its share of the mails that were accepted, and the issue before. */
export type FigureRow = {
  readonly name: string
  readonly count: string
  readonly share: string
  readonly against: string
}

/** What came back, who left and who clicked, each beside the issue before. */
export function figureRows(outcome: Outcome, before: Outcome | undefined): readonly FigureRow[] {
  return figures.map(({ name, of }) => {
    const share = shareOf(of(outcome), outcome)
    const earlier = before && shareOf(of(before), before)
    return {
      ...{ name, count: grouped(of(outcome)), share: share === undefined ? '' : percent(share) },
      against: share === undefined || earlier === undefined ? '' : againstWords(share, earlier),
    }
  })
}

type Figure = { readonly name: string; readonly of: (outcome: Outcome) => number }

const figures: readonly Figure[] = [
  { name: 'Delivered', of: ({ feedback: { counts } }) => counts.delivered + counts.complained },
  { name: 'Delayed, not there yet', of: ({ feedback }) => feedback.counts.delayed },
  { name: 'Bounced hard', of: ({ feedback }) => feedback.counts['bounced hard'] },
  { name: 'Bounced soft', of: ({ feedback }) => feedback.counts['bounced soft'] },
  {
    name: 'Failed at the provider',
    of: ({ feedback }) => feedback.counts.failed + feedback.counts.suppressed,
  },
  { name: 'Complained', of: ({ feedback }) => feedback.counts.complained },
  { name: 'Unsubscribed', of: ({ unsubscribed }) => unsubscribed.readers },
  { name: 'Clicks, without programs', of: ({ clicks }) => clicks.people },
  { name: 'Clicks, all of them', of: ({ clicks }) => clicks.raw },
]

/** "up from 1.25 %", "down from 3 %", "as before" */
export function againstWords(share: number, before: number): string {
  const [now, then] = [percent(share), percent(before)]
  if (now === then) return 'as before'
  return `${share > before ? 'up' : 'down'} from ${then}`
}

/** 97.4 %, 0.08 %, 0 %: as many places as a small share needs. */
export function percent(share: number): string {
  const value = 100 * share
  if (value === 0 || value >= 99.95) return `${Math.round(value)} %`
  return `${value.toFixed(value < 1 ? 2 : 1)} %`
}

/** Undefined while nothing was accepted. */
function shareOf(count: number, { account }: Outcome): number | undefined {
  return account.accepted === 0 ? undefined : count / account.accepted
}

/** What a reader ticked when they left, as a row's name. */
export const departureWords: Record<DepartureReason, string> = {
  'too often': 'Too much mail',
  'not for me': 'Not for me',
  'not trusted': 'The verdicts are not trusted',
  'never signed up': 'Never signed up',
  other: 'Something else',
}

/** Why readers left, in rows; those who only wrote words last. */
export function departureRows(
  departures: readonly { readonly why: DepartureReason | null; readonly readers: number }[],
) {
  return departures.map(({ why, readers }) => ({
    ...{ name: why === null ? 'In words of their own' : departureWords[why], count: grouped(readers) },
  }))
}
