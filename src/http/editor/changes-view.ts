import type { ComparisonDocument } from '../../verdict/document.ts'
import { fieldChanges } from '../../verdict/field-changes.ts'
import { wordDiff } from '../../verdict/word-diff.ts'

/** Texts this long are held against each other word by word; shorter ones are shown one after the other. */
const longEnough = 60

/** What differs between two documents as the partial `desk-changes` shows it: each field with what went and what came. */
export function changesView(before: ComparisonDocument, after: ComparisonDocument) {
  return fieldChanges(before, after).map((change) => ({
    field: change.field,
    parts: partsOf(change.before, change.after).map(({ kind, text }) => ({
      ...{ text, isAdded: kind === 'added', isRemoved: kind === 'removed' },
    })),
  }))
}

function partsOf(before: string, after: string) {
  if (before.length >= longEnough && after.length >= longEnough) return wordDiff(before, after)
  return [
    ...(before === '' ? [] : [{ kind: 'removed' as const, text: before }]),
    ...(after === '' ? [] : [{ kind: 'added' as const, text: after }]),
  ]
}
