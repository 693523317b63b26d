import type { EditRevision } from '../../issue/edit-history.ts'
import type { LostApproval } from '../../issue/lost-approval.ts'
import type { SavedEdits } from '../../issue/save-edits.ts'

/** "14:02:11", in a zone. */
export function clockTime(instant: Temporal.Instant, zone: string): string {
  return instant.toZonedDateTimeISO(zone).toPlainTime().toString({ smallestUnit: 'second' })
}

/** "14:02", in a zone. */
export function hourOf(instant: Temporal.Instant, zone: string): string {
  return instant.toZonedDateTimeISO(zone).toPlainTime().toString({ smallestUnit: 'minute' })
}

/** What one revision did: "subject, order", "undo, back to revision 3". */
export function whatItDid({ how, restores, fields }: EditRevision): string {
  const to = restores === 0 ? 'as it was generated' : `as in revision ${restores}`
  switch (how) {
    case 'edit':
      return fields.join(', ') || 'nothing'
    case 'undo':
      return `undone: ${to}`
    case 'redo':
      return `done again: ${to}`
    case 'back':
      return `back: ${to}`
  }
}

/** Whose approval an edit has taken away, for the top of the page and for the word after saving. */
export function lostApprovalWords(lost: LostApproval, zone: string): string {
  return lost.byEdit
    ? `Approval taken away by the edit of ${hourOf(lost.byEdit.at, zone)}, ${lost.byEdit.by}: ${lost.approvedBy} had approved another edition.`
    : `It is not the edition that ${lost.approvedBy} approved, so it is approved no more.`
}

/** What saving came to, in a sentence or two. */
export function savedWords(saved: Extract<SavedEdits, { kind: 'saved' }>, zone: string): string {
  const { became, by } = saved.approval
  const line = `Saved ${clockTime(saved.at, zone)} · revision ${saved.revision}.`
  if (became === 'taken away')
    return `${line} This took away the approval of ${by}: the edition is another one now.`
  if (became === 'given back')
    return `${line} It is again the edition that ${by} approved, so it is approved.`
  return line
}

/** Who saved in between, and when. */
export function sinceWords(since: readonly EditRevision[], zone: string): string {
  const [newest] = since
  if (!newest) return 'Somebody changed this since you opened it.'
  const who = [...new Set(since.map(({ by }) => by))].join(' and ')
  return `${who} changed this at ${hourOf(newest.at, zone)}, after you opened it.`
}
