import { diffWordsWithSpace } from 'diff'

/** A stretch of text that both have, or that was put in, or taken out. */
export type DiffPart = { readonly kind: 'same' | 'added' | 'removed'; readonly text: string }

/** More edits than this are no edit of a text but another text: it is shown whole, and not searched for what stayed. */
const mostEdits = 800
/** As much of what stayed is shown on either side of a change, in characters. */
const around = 90

/** The difference of two texts word by word, with what stayed cut to its ends. */
export function wordDiff(before: string, after: string): readonly DiffPart[] {
  const parts = diffWordsWithSpace(before, after, { maxEditLength: mostEdits })?.map(
    ({ value, added, removed }): DiffPart => ({
      kind: added ? 'added' : removed ? 'removed' : 'same',
      text: value,
    }),
  ) ?? [
    { kind: 'removed', text: before },
    { kind: 'added', text: after },
  ]
  return parts
    .map((part, place) =>
      part.kind === 'same' ? { ...part, text: cut(part.text, place, parts.length) } : part,
    )
    .filter(({ text }) => text !== '')
}

/** The first stretch is needed for its end, the last one for its beginning, one between for both. */
function cut(text: string, place: number, of: number): string {
  const ends = [...text]
  const [isFirst, isLast] = [place === 0, place === of - 1]
  if (ends.length <= (isFirst || isLast ? around : 2 * around) + 10) return text
  const head = isFirst ? '' : ends.slice(0, around).join('')
  const tail = isLast ? '' : ends.slice(-around).join('')
  return `${head} … ${tail}`
}
