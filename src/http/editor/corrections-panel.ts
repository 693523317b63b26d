import { type CorrectionReach, correctionReach } from '../../delivery/correction-reach.ts'
import { composeCorrection } from '../../issue/compose-correction.ts'
import type { Issue } from '../../issue/issue.ts'
import { loadCorrections } from '../../issue/kept-corrections.ts'
import { audienceNow } from '../../subscriber/audience.ts'
import type { DeskDeps } from './desk.ts'
import { grouped } from './when.ts'

/** What an issue corrects, in the words that are mailed, and for how many readers; undefined where it is nothing, or was planned. */
export async function correctionsPanel({ db }: DeskDeps, issue: Issue) {
  if (issue.planned_at !== null) return undefined
  const corrections = (await loadCorrections(db, issue.id)).map(composeCorrection)
  if (corrections.length === 0) return undefined
  const { isEstimate: isLong } = await audienceNow(db)
  const reach = isLong ? undefined : await correctionReach(db, issue)
  const shown = corrections.filter(({ key, isPrimary }) => isPrimary || isLong || reach?.has(key))
  if (shown.length === 0) return undefined
  return shown.map(({ key, slug, title, told, now, isPrimary }) => ({
    ...{ slug, title, told, now, isLate: !isPrimary, reach: reach ? reachWords(reach.get(key)) : notCounted },
  }))
}

/** The ledger of a long list is not read each time the page is opened. */
const notCounted =
  'Who was told so is looked up when the issue is planned: the list is too long to count here.'

function reachWords(reach: CorrectionReach | undefined): string {
  if (!reach) return 'Nobody who reads us was told so.'
  const later = [
    ...(reach.paused > 0 ? [`${grouped(reach.paused)} paused`] : []),
    ...(reach.nothing > 0 ? [`${grouped(reach.nothing)} who get nothing of this issue`] : []),
  ]
  return [
    `Goes to ${grouped(reach.told)} ${reach.told === 1 ? 'reader' : 'readers'}.`,
    ...(later.length > 0 ? [`Waits for ${list.format(later)}: it comes with the next issue they get.`] : []),
    ...(reach.gone > 0
      ? [`${grouped(reach.gone)} more ${reach.gone === 1 ? 'is' : 'are'} off the list.`]
      : []),
  ].join(' ')
}

const list = new Intl.ListFormat('en-GB')
