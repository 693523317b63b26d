import { describe, expect, it } from 'vitest'
import type { IssueState } from '../../db/schema.ts'
import { choicesOfEditor } from '../../src/delivery/choices-of-editor.ts'

const due = Temporal.Instant.from('2026-11-20T14:00:00Z')
const [before, after] = [due.subtract({ hours: 2 }), due.add({ hours: 2 })]

/** `approve!, hold, cancel!`: the next one first, those that are asked twice with a mark. */
function choices(
  state: IssueState,
  {
    now = before,
    policy = 'auto' as 'auto' | 'approve',
    approved = false,
    edition = 'e' as string | null,
    refused = 0,
    inDoubt = 0,
  } = {},
): string {
  const isPlanned = ['sending', 'paused', 'sent', 'partly sent'].includes(state)
  const issue = {
    ...{ state, edition_hash: edition, approved_hash: approved ? edition : null, due_at: due },
    planned_at: isPlanned ? due : null,
  }
  const rules = { policy, grace: Temporal.Duration.from('PT36H') }
  const { next, others } = choicesOfEditor(issue, now, rules, { refused, inDoubt })
  const name = ({ action, isFinal }: { action: string; isFinal: boolean }) => `${action}${isFinal ? '!' : ''}`
  return [next ? `[${name(next)}]` : '[]', ...others.map(name)].join(', ')
}

describe('what an editor can do', () => {
  it.each([
    ['scheduled', null, '[], draft, change time, cancel!'],
    ['draft', 'e', '[approve], hold, draft, test send, change time, cancel!'],
    ['approved', 'e', '[], hold, send now!, test send, change time, cancel!'],
    ['held', 'e', '[release], test send, change time, cancel!'],
    ['quiet', null, '[], draft, change time'],
    ['missed', null, '[], change time, cancel!'],
    ['sending', 'e', '[], hold, cancel!'],
    ['paused', 'e', '[release!], cancel!'],
    ['sent', 'e', '[]'],
    ['partly sent', 'e', '[]'],
    ['cancelled', 'e', '[]'],
  ] as const)('with an issue that is %s before its time (edition: %s): %s', (state, edition, expected) => {
    expect(choices(state, { edition })).toBe(expected)
  })

  it.each([
    ['sending', { inDoubt: 2, refused: 3 }, '[], hold, resolve doubts, cancel!'],
    ['paused', { inDoubt: 2, refused: 3 }, '[release!], resolve doubts, cancel!'],
    ['partly sent', { inDoubt: 2, refused: 3 }, '[resolve doubts], retry failed!'],
    ['partly sent', { inDoubt: 0, refused: 3 }, '[retry failed!]'],
    ['partly sent', { inDoubt: 2, refused: 0 }, '[resolve doubts]'],
    ['cancelled', { inDoubt: 2, refused: 3 }, '[resolve doubts]'],
    ['sent', { inDoubt: 0, refused: 0 }, '[]'],
  ] as const)('after sending, %s with %o left behind: %s', (state, left, expected) => {
    expect(choices(state, left)).toBe(expected)
  })

  it('is asked twice once the time has come and what follows is a mail that leaves', () => {
    expect(choices('draft', { now: after, policy: 'approve' })).toContain('[approve!]')
    expect(choices('held', { now: after, policy: 'auto' })).toContain('[release!]')
    expect(choices('held', { now: after, policy: 'approve', approved: true })).toContain('[release!]')
    expect(choices('held', { now: after, policy: 'approve' })).toContain('[release]')
  })

  it('with an issue that was missed depends on whether there is something to send and it may be sent', () => {
    const others = 'test send, change time, cancel!'
    expect(choices('missed')).toBe(`[send now!], ${others}`)
    expect(choices('missed', { policy: 'approve' })).toBe(`[approve], ${others}`)
    expect(choices('missed', { policy: 'approve', approved: true })).toBe(`[send now!], ${others}`)
  })
})
