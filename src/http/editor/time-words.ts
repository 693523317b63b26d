import { occurrence } from '../../clock.ts'
import type { ApprovalAfter, Retimed } from '../../issue/change-time.ts'
import type { Issue } from '../../issue/issue.ts'
import { dayAndTime, placeOf } from './when.ts'

/** What came of another time, in words; `wall` is what was typed, which the zone's clocks may skip or show twice. */
export function retimedWords(
  { issue, approval, already }: Extract<Retimed, { ok: true }>,
  before: Issue,
  wall: Temporal.PlainDateTime | undefined,
): string {
  const { week, state, due_at, draft_at, timezone } = issue
  if (already) return `${week} was due then before. Nothing was changed.`
  const isMoved = !due_at.equals(before.due_at)
  const isDraftMoved = state === 'scheduled' && !draft_at.equals(before.draft_at)
  return [
    isMoved ? `${week} is due ${dayAndTime(due_at, timezone)}.` : '',
    isDraftMoved ? `It is drafted ${dayAndTime(draft_at, timezone)}.` : '',
    isMoved && wall ? clockWords(wall, timezone) : '',
    approvalWords[approval],
    before.state === state ? '' : stateWords(state),
  ]
    .filter(Boolean)
    .join(' ')
}

const approvalWords: Record<ApprovalAfter, string> = {
  none: '',
  stands: 'The approval stands.',
  gone: 'Its edition has the new date, so that it is another one: the approval is gone. Look at it, and approve it again.',
  'is back': 'Its edition is the one that was approved before, and approved again.',
}

/** What the zone's clocks do at that time: the rule is `instantOf` in src/clock.ts. */
function clockWords(wall: Temporal.PlainDateTime, zone: string): string {
  const time = wall.toPlainTime().toString({ smallestUnit: 'minute' })
  switch (occurrence(wall, zone)) {
    case 'once':
      return ''
    case 'never':
      return `${time} does not exist on that day: the clocks of ${placeOf(zone)} go forward, and the next minute that there is, is taken.`
    case 'twice':
      return `${time} comes twice on that day: the clocks of ${placeOf(zone)} go back, and the first is meant.`
  }
}

function stateWords(state: Issue['state']): string {
  switch (state) {
    case 'scheduled':
      return 'It is drafted anew before that.'
    case 'draft':
      return 'It is a draft.'
    case 'approved':
      return 'It goes out by itself.'
    case 'quiet':
      return 'What was in it has been retracted since: it is a quiet week now.'
    default:
      return ''
  }
}

/** With a capital at its beginning. */
export function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}
