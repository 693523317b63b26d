import type { Comparison } from '../verdict/comparison.ts'

/** What an issue sets right for the readers who were told otherwise in an earlier one. */
export type Correction = {
  readonly comparisonId: number
  /** The first revision that said what they were told; those in `toldRevisions` say the same, but for mended words. */
  readonly fromRevision: number
  readonly toldRevisions: readonly number[]
  /** The newest revision as of the cut-off. */
  readonly revision: number
  /** Whether it is news: no earlier issue told it. Then it is also shown where nobody in particular is meant. */
  readonly isPrimary: boolean
  readonly told: Comparison
  readonly now: Comparison
  /** The day of the one issue that told it; null where several did. */
  readonly toldOn: Temporal.PlainDate | null
  /** The day since when it is as it is now; null where it changed to and fro. */
  readonly since: Temporal.PlainDate | null
}

/** What a correction is known by within its issue, in the keys of its passage and of readers' choices. */
export function correctionKey({
  comparisonId,
  fromRevision,
}: Pick<Correction, 'comparisonId' | 'fromRevision'>): string {
  return `${comparisonId}.${fromRevision}`
}
