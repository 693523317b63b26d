import { describe, expect, it } from 'vitest'
import { runDraft } from '../../jobs/draft-issue.ts'
import { sendIssue } from '../../jobs/send-issue.ts'
import { decide } from '../../src/issue/decide.ts'
import { findIssue } from '../../src/issue/issue.ts'
import { clockAt } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { newsletterWith } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { openPostOffice } from '../setup/post-office.ts'

const database = useDatabase()

async function thursday(policy: 'auto' | 'approve' = 'auto') {
  const clock = clockAt('2026-11-19T14:00:00Z')
  const mail = openPostOffice()
  const rules = { policy, grace: Temporal.Duration.from('PT36H') }
  const deps = newsletterWith(database, { clock, transport: mail, rules })
  await people.ann(database.db)
  await publish(database.db, documentFor('loom'))
  await publish(database.db, documentFor('sieve'))
  await runDraft(deps, '2026-W47')
  return { clock, mail, deps }
}

async function retract(slug: string) {
  await publish(database.db, documentFor(slug, { retracted: true }))
}

describe('a comparison that is retracted between the draft and the send', () => {
  it('is not in the mail, and is free of the issue', async () => {
    const { clock, mail, deps } = await thursday()
    await retract('loom')
    clock.moveTo('2026-11-20T14:00:00Z')

    await sendIssue(deps, '2026-W47')

    expect(mail.accepted[0]?.text).not.toContain('loom')
    expect(mail.accepted[0]?.text).toContain('sieve left vs sieve right')
    const { count } = await database.db
      .selectFrom('issue_comparison')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    expect(count).toBe(1)
  })

  it('leaves nothing to send when it was the only one', async () => {
    const { clock, mail, deps } = await thursday()
    await retract('loom')
    await retract('sieve')
    clock.moveTo('2026-11-20T14:00:00Z')

    const sent = await sendIssue(deps, '2026-W47')

    expect(sent).toMatchObject({ kind: 'refused' })
    expect(mail.accepted).toEqual([])
    expect((await findIssue(database.db, '2026-W47'))?.state).toBe('quiet')
  })

  it('takes an approval away, because what was approved would not be what is sent', async () => {
    const { clock, mail, deps } = await thursday('approve')
    await decide(deps, '2026-W47', 'approve', 'eve@example.test')
    await retract('loom')
    clock.moveTo('2026-11-20T14:00:00Z')

    expect(await sendIssue(deps, '2026-W47')).toMatchObject({ kind: 'refused' })
    expect(mail.accepted).toEqual([])

    await decide(deps, '2026-W47', 'approve', 'eve@example.test')
    await sendIssue(deps, '2026-W47')
    expect(mail.accepted[0]?.text).not.toContain('loom')
  })

  it('leaves the others exactly as they were drafted: nothing newer slips in', async () => {
    const { clock, mail, deps } = await thursday()
    await publish(database.db, documentFor('anvil', { publishedAt: '2026-11-19T20:00:00Z' }))
    await retract('loom')
    clock.moveTo('2026-11-20T14:00:00Z')

    await sendIssue(deps, '2026-W47')

    expect(mail.accepted[0]?.text).not.toContain('anvil')
  })
})

describe('a missed issue', () => {
  it('goes out when an editor says so, approved first where that is the rule', async () => {
    const { clock, mail, deps } = await thursday('approve')
    clock.moveTo('2026-11-24T14:00:00Z')
    await database.db.updateTable('issue').set({ state: 'missed', reason: 'late' }).execute()

    expect(await sendIssue(deps, '2026-W47', { early: true })).toMatchObject({ kind: 'refused' })
    await decide(deps, '2026-W47', 'approve', 'eve@example.test')
    await sendIssue(deps, '2026-W47', { early: true })

    expect(mail.sentTo()).toEqual(['ann@example.test'])
  })
})

describe('an issue that Gmail would cut', () => {
  it('is not sent, and says by how much', async () => {
    const clock = clockAt('2026-11-20T14:00:00Z')
    const mail = openPostOffice()
    const deps = newsletterWith(database, { clock, transport: mail, comparisons: { least: 1, most: 60 } })
    await people.ann(database.db)
    for (let n = 1; n <= 45; n++) await publish(database.db, documentFor(`pair-${n}`))
    await runDraft(deps, '2026-W47')

    const sent = await sendIssue(deps, '2026-W47')

    expect(sent).toMatchObject({
      kind: 'refused',
      problem: expect.stringMatching(/blocked: html is [\d,]+ bytes for everybody/),
    })
    expect(mail.accepted).toEqual([])
    expect((await findIssue(database.db, '2026-W47'))?.state).toBe('draft')
  })
})
