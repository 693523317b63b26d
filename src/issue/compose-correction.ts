import { beforeAndAfter } from '../verdict/before-and-after.ts'
import { changesBetween } from '../verdict/changes.ts'
import { type Correction, correctionKey } from './correction.ts'
import type { Passage } from './passage.ts'

/** A correction in words: what its readers were told, and what is so now. */
export type ComposedCorrection = Passage & {
  readonly slug: string
  readonly title: string
  /** "In the issue of 13 November we told you that the panel ships Glyphmoor, 4 of 4." */
  readonly told: string
  /** "Since 20 November the panel skips Glyphmoor, with 1 of 4 for it." */
  readonly now: string
}

/** Sets a correction in words. All that changed in a comparison is one correction. */
export function composeCorrection(correction: Correction): ComposedCorrection {
  const { told, now, toldOn, since, isPrimary } = correction
  const clauses = changesBetween(told, now).map(beforeAndAfter)
  const when = toldOn ? `In the issue of ${dayOf(toldOn)} we` : 'We'
  return {
    ...{ key: correctionKey(correction), isPrimary, slug: now.slug, title: now.title },
    told: `${when} told you that ${list(clauses.map(({ before }) => before))}.`,
    now: `${since ? `Since ${dayOf(since)}` : 'Now'} ${list(clauses.map(({ after }) => after))}.`,
  }
}

/** The clauses have commas of their own. */
function list(clauses: readonly string[]): string {
  return clauses.join('; ')
}

function dayOf(day: Temporal.PlainDate): string {
  return day.toLocaleString('en-GB', { day: 'numeric', month: 'long' })
}
