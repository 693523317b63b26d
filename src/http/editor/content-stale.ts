import type { Issue } from '../../issue/issue.ts'
import type { Stale } from '../../issue/save-edits.ts'
import { sinceWords } from './content-words.ts'

/** The difference between what an editor typed and what another saved meanwhile, for the table that shows both. */
export function staleView({ diff, since, revision }: Stale, { week, timezone }: Issue) {
  return {
    ...{ words: sinceWords(since, timezone), revision, page: `/desk/issues/${week}` },
    rows: diff.map(({ name, base, mine, theirs, changedBy }) => ({
      ...{ name: upperFirst(name), was: said(base), mine: said(mine), theirs: said(theirs) },
      who: changedBy === 'both' ? 'Both of you' : changedBy === 'me' ? 'You' : 'They',
      isClash: changedBy === 'both',
    })),
  }
}

function said(value: string): string {
  return value === '' ? 'as generated' : value
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
