import type { Change } from './changes.ts'
import type { PanelVerdict } from './panel.ts'

/** A change as two clauses, what was said and what is so: "the panel ships Ledgerly, 4 of 4", "Formwright is ahead". */
export function beforeAndAfter(change: Change): { readonly before: string; readonly after: string } {
  switch (change.kind) {
    case 'verdict':
      return {
        before: verdictClause(change.tool, change.before),
        after: verdictClause(change.tool, change.after),
      }
    case 'winner':
      return { before: winnerClause(change.before), after: winnerClause(change.after) }
    case 'price':
      return {
        before: `the entry price of ${change.tool} is “${change.before}”`,
        after: `${change.tool} is “${change.after}”`,
      }
    case 'tool':
      return {
        before: `one of the two is ${change.before}`,
        after: `${change.after} is in the place of ${change.before}`,
      }
  }
}

function verdictClause(tool: string, { stamp, ships, of }: PanelVerdict): string {
  switch (stamp) {
    case 'ship':
      return `the panel ships ${tool}, ${ships} of ${of}`
    case 'skip':
      return `the panel skips ${tool}, with ${ships} of ${of} for it`
    case 'split':
      return `the panel is split on ${tool}, ${ships} of ${of}`
  }
}

function winnerClause(winner: string | null): string {
  return winner === null ? 'the two are level' : `${winner} is ahead`
}
