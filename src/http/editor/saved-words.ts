import type { Revised } from '../../issue/revise-comparison.ts'
import type { Flash } from './flash.ts'

/** What saving a comparison came to, for the next page. `done` is a clause without a full stop. */
export function savedWords(revised: Revised, done: string): Flash {
  switch (revised.kind) {
    case 'saved':
      return {
        kind: 'done',
        text: `${done}: revision ${revised.revision}.${revised.redrafted ? ` ${revised.redrafted} was drafted again without it.` : ''}`,
      }
    case 'unchanged':
      return { kind: 'done', text: 'Nothing was different, so nothing was saved.' }
    case 'stale':
      return {
        kind: 'problem',
        text: `Nothing was saved: ${revised.now.by ?? 'somebody'} made revision ${revised.now.revision} meanwhile. Look at it, then repeat what you did.`,
      }
    case 'sent':
      return { kind: 'problem', text: `Nothing was saved: ${sentWords(revised.week)}` }
  }
}

/** Why a comparison that readers have cannot get a time to come. */
export function sentWords(week: string): string {
  return `it was sent in ${week}, and a time to come would take its page away from readers who have the link.`
}
