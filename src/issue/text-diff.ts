import { diffArrays } from 'diff'
import { type DiffPart, wordDiff } from '../verdict/word-diff.ts'

/** A stretch of text: lines that both have, with only their ends kept, or what went and what came. */
export type Stretch =
  | { readonly kind: 'same'; readonly lines: number; readonly text: string }
  | { readonly kind: 'changed'; readonly parts: readonly DiffPart[] }

/** The share of two texts, by their length, beyond which they are shown as two. */
const mostChanged = 0.6

/** Lines first; where lines went and others came, word by word, as long as they have enough in common. */
export function diffText(before: string, after: string): readonly Stretch[] {
  const changes = diffArrays(before.split('\n'), after.split('\n'))
  const stretches: Stretch[] = []
  for (const [at, { value, added, removed }] of changes.entries()) {
    const previous = changes[at - 1]
    const text = value.join('\n')
    if (!added && !removed) stretches.push({ kind: 'same', lines: value.length, text: ends(value) })
    else if (added && previous?.removed) {
      stretches.pop()
      stretches.push({ kind: 'changed', parts: wordsOrWhole(previous.value.join('\n'), text) })
    } else stretches.push({ kind: 'changed', parts: [{ kind: added ? 'added' : 'removed', text }] })
  }
  return stretches
}

/** Word by word. Two texts that share little are not one text that was changed: a scatter of common words would say nothing. */
export function wordsOrWhole(before: string, after: string): readonly DiffPart[] {
  const parts = wordDiff(before, after)
  const changed = parts
    .filter(({ kind }) => kind !== 'same')
    .reduce((length, { text }) => length + text.length, 0)
  if (changed <= mostChanged * (before.length + after.length)) return parts
  return [
    { kind: 'removed', text: before },
    { kind: 'added', text: after },
  ]
}

/** Of what stayed, the first and the last line. */
function ends(lines: readonly string[]): string {
  const said = lines.filter((line) => line.trim() !== '')
  return said.length <= 3 ? said.join('\n') : `${said[0]}\n…\n${said.at(-1)}`
}
