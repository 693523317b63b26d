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
  } = {},
): string {
  const issue = { state, edition_hash: edition, approved_hash: approved ? edition : null, due_at: due }
  const { next, others } = choicesOfEditor(issue, now, { policy, grace: Temporal.Duration.from('PT36H') })
  const name = ({ action, isFinal }: { action: string; isFinal: boolean }) => `${action}${isFinal ? '!' : ''}`
  return [next ? `[${name(next)}]` : '[]', ...others.map(name)].join(' ')
}

describe('what an editor can do', () => {
  it.each([
    ['scheduled', '[] draft cancel!'],
    ['draft', '[approve] hold draft cancel!'],
    ['approved', '[] hold send now! cancel!'],
    ['held', '[release] cancel!'],
    ['quiet', '[] draft'],
    ['sending', '[] hold cancel!'],
    ['paused', '[release!] cancel!'],
    ['sent', '[]'],
    ['partly sent', '[]'],
    ['cancelled', '[]'],
  ] as const)('with an issue that is %s before its time: %s', (state, expected) => {
    expect(choices(state)).toBe(expected)
  })

  it('is asked twice once the time has come and what follows is a mail that leaves', () => {
    expect(choices('draft', { now: after, policy: 'approve' })).toContain('[approve!]')
    expect(choices('held', { now: after, policy: 'auto' })).toContain('[release!]')
    expect(choices('held', { now: after, policy: 'approve', approved: true })).toContain('[release!]')
    expect(choices('held', { now: after, policy: 'approve' })).toContain('[release]')
  })

  it('with an issue that was missed depends on whether there is something to send and it may be sent', () => {
    expect(choices('missed', { edition: null })).toBe('[] cancel!')
    expect(choices('missed')).toBe('[send now!] cancel!')
    expect(choices('missed', { policy: 'approve' })).toBe('[approve] cancel!')
    expect(choices('missed', { policy: 'approve', approved: true })).toBe('[send now!] cancel!')
  })
})
