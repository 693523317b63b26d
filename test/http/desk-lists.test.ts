import { describe, expect, it } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { recordDecision } from '../../src/issue/decision.ts'
import { clockAt } from '../setup/clock.ts'
import { useDatabase } from '../setup/database.ts'
import { dueIssue, friday } from '../setup/delivery.ts'
import { deskOn } from '../setup/desk.ts'
import { drafted } from '../setup/drafted.ts'
import { people } from '../setup/people.ts'

const database = useDatabase()

function textOf(page: string): string {
  return page.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
}

describe('the issues at the desk', () => {
  it('are all there, newest first, with their state and what came back', async () => {
    await people.ann(database.db)
    const due = await dueIssue(database)
    await sendIssue(due.deps, '2026-W47')
    await database.db
      .insertInto('issue_feedback')
      .values({
        ...{ issue_id: due.issue.id, delayed: 0, delivered: 7, failed: 0, suppressed: 0 },
        ...{ bounced_soft: 1, bounced_hard: 2, complained: 4 },
      })
      .execute()
    await drafted(database.db, '2026-W48')
    const eve = await deskOn(database).signedIn()

    const page = textOf(await eve.read(eve.get('/desk/issues')))

    expect(page).toMatch(/2026-W48 .* draft 27 Nov 2026, 09:00 .*2026-W47 .* sent 20 Nov 2026, 09:00 1 7 3 4/)
  })

  it('teach the next step while there is none', async () => {
    const eve = await deskOn(database).signedIn()

    expect(textOf(await eve.read(eve.get('/desk/issues')))).toContain('No issue yet')
  })

  it('go on for as many pages as there are', async () => {
    const weeks = Array.from({ length: 30 }, (_, n) => `2026-W${String(n + 10)}`)
    await database.db
      .insertInto('issue')
      .values(
        weeks.map((week) => ({
          ...{ week, state: 'cancelled' as const, timezone: 'America/New_York' },
          draft_at: Temporal.Instant.from(friday),
          due_at: Temporal.Instant.from(friday),
        })),
      )
      .execute()
    const eve = await deskOn(database).signedIn()
    const listed = (page: string) => page.match(/(?<=href="\/desk\/issues\/)2026-W\d\d/g) ?? []

    const first = await eve.read(eve.get('/desk/issues'))
    const older = /rel="next" href="([^"]+)"/.exec(first)?.[1]?.replace('&#x3D;', '=') ?? ''
    const second = await eve.read(eve.get(older))

    expect([...listed(first), ...listed(second)]).toEqual(weeks.toReversed())
    expect(second).not.toContain('rel="next"')
  })

  it('have a page each, with what was decided', async () => {
    await dueIssue(database)
    const eve = await deskOn(database).signedIn()

    const page = textOf(await eve.read(eve.get('/desk/issues/2026-W47')))

    expect(page).toContain('glyphmoor-vs-kernwick left vs glyphmoor-vs-kernwick right')
    expect(page).toMatch(/What was decided about it .* Approved 2026-W47 eve@example.test 19 Nov 2026, 09:00/)
  })
})

describe('the log', () => {
  it('has who did what about which issue, newest first', async () => {
    const { deps } = await dueIssue(database)
    const desk = deskOn(database, { clock: clockAt(friday) })
    const eve = await desk.signedIn()
    const sam = await desk.signedIn('sam@example.test')
    await sam.post('/desk/issues/2026-W47/decide', { action: 'hold' })

    const page = textOf(await eve.read(eve.get('/desk/log')))

    expect(deps.keyId).toBe('k1')
    expect(page).toMatch(
      /Held back 2026-W47 sam@example.test .* Signed in sam@example.test .* Signed in eve@example.test .* Approved 2026-W47 eve@example.test/,
    )
  })

  it('goes on for as many pages as there are, each entry once', async () => {
    for (let n = 0; n < 120; n += 1) {
      await database.db.transaction().execute((trx) =>
        recordDecision(trx, {
          at: Temporal.Instant.from(friday),
          ...{ by: 'eve@example.test', what: 'test send', evidence: { mails: n } },
        }),
      )
    }
    const eve = await deskOn(database).signedIn()
    const seen: string[] = []

    for (let path = '/desk/log'; path; ) {
      const page = await eve.read(eve.get(path))
      seen.push(...(page.match(/mails \d+/g) ?? []))
      path = /rel="next" href="([^"]+)"/.exec(page)?.[1]?.replace('&#x3D;', '=') ?? ''
    }

    expect(seen).toEqual(Array.from({ length: 120 }, (_, n) => `mails ${119 - n}`))
  })

  it('takes the saves of a sitting together, and still has each entry once', async () => {
    const { issue } = await dueIssue(database)
    const save = (revision: number, minutes: number, changes: Record<string, string> = {}) =>
      database.db.transaction().execute((trx) =>
        recordDecision(trx, {
          at: Temporal.Instant.from(friday).add({ minutes }),
          ...{ by: 'eve@example.test', what: 'edit', issueId: issue.id },
          evidence: { revision, how: 'edit', fields: 'intro', approval: 'none', ...changes },
        }),
      )
    for (let n = 1; n <= 230; n += 1) await save(n, n)
    await save(231, 300)
    await save(232, 301, { approval: 'taken away' })
    await save(233, 302, { how: 'undo' })
    const eve = await deskOn(database).signedIn()

    const log = textOf(await eve.read(eve.get('/desk/log')))
    const page = textOf(await eve.read(eve.get('/desk/issues/2026-W47')))

    expect(log).toMatch(
      /how undo, .* revision 233 .* revision 232 Edited 2026-W47 \S+ 20 Nov 2026, 14:00 .* revision 231 Edited 230 times 2026-W47 \S+ 20 Nov 2026, 09:01–12:50 from revision 1; the last: how edit, .* revision 230 Approved 2026-W47/,
    )
    expect(log).not.toContain('revision 229')
    expect(page).toMatch(/Edited 230 times .* Approved/)
  })

  it('cannot be changed, not even by us', async () => {
    await deskOn(database).signedIn()

    await expect(database.db.updateTable('decision').set({ by: 'nobody' }).execute()).rejects.toThrow(
      'append-only',
    )
    await expect(database.db.deleteFrom('decision').execute()).rejects.toThrow('append-only')
  })
})
