import { describe, expect, it } from 'vitest'
import { runDraft } from '../../jobs/draft-issue.ts'
import { sendIssue } from '../../jobs/send-issue.ts'
import { type AsOf, issueAsOf } from '../../src/issue/as-of.ts'
import { decide } from '../../src/issue/decide.ts'
import { noEdits } from '../../src/issue/edits.ts'
import { findIssue } from '../../src/issue/issue.ts'
import type { ComparisonDocument } from '../../src/verdict/document.ts'
import { publishComparison } from '../../src/verdict/publish.ts'
import { clockAt } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { newsletterWith } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { openPostOffice } from '../setup/post-office.ts'

const database = useDatabase()

/** The two Thursdays on which weeks 46 and 47 are drafted. */
const [first, second] = ['2026-11-12T14:00:00Z', '2026-11-19T14:00:00Z']

function newsletter(at = first) {
  const clock = clockAt(at)
  return { clock, deps: newsletterWith(database, { clock, transport: openPostOffice() }) }
}

/** Week 46 with loom and sieve, drafted on its Thursday and sent; week 47 with quern, drafted on the next. */
async function twoIssues() {
  const { clock, deps } = newsletter()
  await people.ann(database.db)
  await publishAt('2026-11-10T10:00:00Z', 'loom', 'sieve')
  await runDraft(deps, '2026-W46')
  await sendIssue(deps, '2026-W46', { early: true })
  await publishAt('2026-11-17T10:00:00Z', 'quern')
  clock.moveTo(second)
  await runDraft(deps, '2026-W47')
  return { clock, deps }
}

async function publishAt(publishedAt: string, ...slugs: readonly string[]) {
  for (const slug of slugs) await publish(database.db, documentFor(slug, { publishedAt }))
}

/** Another revision of what was published, taken in at an instant. */
function revise(at: string, document: ComparisonDocument) {
  return publishComparison({ db: database.db, clock: () => Temporal.Instant.from(at) }, document)
}

async function travel(deps: ReturnType<typeof newsletter>['deps'], week: string, at: string): Promise<AsOf> {
  const found = await issueAsOf(deps, week, Temporal.Instant.from(at))
  if (!found) throw new Error(`There is no ${week}`)
  return found
}

function slugs({ chosen }: AsOf): readonly string[] {
  return chosen.map(({ slug }) => slug).sort()
}

function whyNot({ leftOut }: AsOf): Readonly<Record<string, string>> {
  return Object.fromEntries(leftOut.map(({ slug, reason }) => [slug, reason]))
}

describe('a week as of an instant', () => {
  it('is, as of its own cut-off, the very edition that was sent, whatever was revised, retracted or published since', async () => {
    const { deps } = await twoIssues()
    const sent = await findIssue(database.db, '2026-W46')
    const loom = documentFor('loom', { publishedAt: '2026-11-10T10:00:00Z' })
    await revise('2026-11-20T10:00:00Z', { ...loom, title: 'loom, once more' })
    await revise('2026-11-20T10:00:00Z', {
      ...documentFor('sieve', { publishedAt: '2026-11-10T10:00:00Z' }),
      retracted: true,
    })
    await publishAt('2026-11-11T10:00:00Z', 'came-late')
    await database.db
      .updateTable('comparison_revision')
      .set({ revised_at: Temporal.Instant.from('2026-11-21T10:00:00Z') })
      .where('comparison_id', '=', (eb) =>
        eb.selectFrom('comparison').select('id').where('slug', '=', 'came-late'),
      )
      .execute()

    const then = await travel(deps, '2026-W46', first)

    expect(then.edition?.hash).toBe(sent?.edition_hash)
    expect(then.unknown).toBe(2)
    expect(whyNot(then)).toEqual({})
  })

  it('shows each comparison as it stood: before and after a revision', async () => {
    const { deps } = await twoIssues()
    await revise('2026-11-18T10:00:00Z', {
      ...documentFor('quern', { publishedAt: '2026-11-17T10:00:00Z' }),
      title: 'quern, once more',
    })

    const before = await travel(deps, '2026-W47', '2026-11-18T09:59:59Z')
    const after = await travel(deps, '2026-W47', '2026-11-18T10:00:00Z')

    expect(before.chosen.map(({ title }) => title)).toEqual(['quern left vs quern right'])
    expect(after.chosen.map(({ title }) => title)).toEqual(['quern, once more'])
    expect(before.edition?.text).toContain('quern left vs quern right')
  })

  it('does not count a retraction that came later, and counts one that was taken back since', async () => {
    const { deps } = newsletter(second)
    const quern = documentFor('quern', { publishedAt: '2026-11-17T10:00:00Z' })
    await publish(database.db, quern)
    await revise('2026-11-18T10:00:00Z', { ...quern, retracted: true })
    await revise('2026-11-18T12:00:00Z', { ...quern, tools: documentFor('quern', {}, [1, 1]).tools })

    const [before, between, after] = [
      await travel(deps, '2026-W47', '2026-11-18T09:00:00Z'),
      await travel(deps, '2026-W47', '2026-11-18T11:00:00Z'),
      await travel(deps, '2026-W47', '2026-11-18T13:00:00Z'),
    ]

    expect(slugs(before)).toEqual(['quern'])
    expect(whyNot(between)).toEqual({ quern: 'retracted' })
    expect(between).toMatchObject({ edition: null, reason: 'no new comparisons' })
    expect(slugs(after)).toEqual(['quern'])
    expect(after.edition?.hash).not.toBe(before.edition?.hash)
  })

  it('counts a retraction that only the comparison itself has', async () => {
    const { deps } = newsletter(second)
    await publishAt('2026-11-17T10:00:00Z', 'quern')
    const at = Temporal.Instant.from('2026-11-18T10:00:00Z')
    await database.db.updateTable('comparison').set({ retracted_at: at }).execute()

    expect(slugs(await travel(deps, '2026-W47', '2026-11-18T09:00:00Z'))).toEqual(['quern'])
    expect(whyNot(await travel(deps, '2026-W47', '2026-11-18T11:00:00Z'))).toEqual({ quern: 'retracted' })
  })

  it('leaves out what an issue had taken by then, and has it while no issue had', async () => {
    const { deps } = await twoIssues()

    const before = await travel(deps, '2026-W48', '2026-11-12T13:59:59Z')
    const between = await travel(deps, '2026-W48', '2026-11-18T10:00:00Z')
    const after = await travel(deps, '2026-W48', second)

    expect(slugs(before)).toEqual(['loom', 'sieve'])
    expect(slugs(between)).toEqual(['quern'])
    expect(whyNot(between)).toEqual({ loom: 'in issue 2026-W46', sieve: 'in issue 2026-W46' })
    expect(whyNot(after)).toMatchObject({ quern: 'in issue 2026-W47' })
    expect(after.edition).toBeNull()
  })

  it('has what a cancelled issue held until it was cancelled, and is free to take it afterwards', async () => {
    const { clock, deps } = await twoIssues()
    clock.moveTo('2026-11-19T18:00:00Z')
    await decide(deps, '2026-W47', 'cancel', 'eve@example.test')

    const before = await travel(deps, '2026-W48', '2026-11-19T17:00:00Z')
    const after = await travel(deps, '2026-W48', '2026-11-19T18:00:00Z')

    expect(whyNot(before)).toMatchObject({ quern: 'in issue 2026-W47' })
    expect(slugs(after)).toEqual(['quern'])
  })

  it('counts, for an instant to come, what is published by then', async () => {
    const { deps } = newsletter(second)
    await publishComparison(deps, documentFor('quern', { publishedAt: '2026-11-24T10:00:00Z' }))

    const sooner = await travel(deps, '2026-W48', '2026-11-24T09:59:59Z')
    const later = await travel(deps, '2026-W48', '2026-11-26T14:00:00Z')

    expect(whyNot(sooner)).toEqual({ quern: 'published after the cut-off' })
    expect(sooner.edition).toBeNull()
    expect(slugs(later)).toEqual(['quern'])
    expect(later.edition?.subject).toContain('quern')
  })

  it('follows what editors had corrected by then', async () => {
    const { deps } = await twoIssues()
    const issue = await findIssue(database.db, '2026-W47')
    const edits = JSON.stringify({ ...noEdits, subject: 'A subject of our own' })
    await database.db
      .insertInto('issue_edits')
      .values({
        ...{ issue_id: issue?.id ?? 0, revision: 1, at: Temporal.Instant.from('2026-11-19T15:00:00Z') },
        ...{ by: 'eve@example.test', how: 'edit' as const, restores: null, edits, fields: ['subject'] },
        ...{ edition_hash: issue?.edition_hash ?? '', took_approval_of: null },
      })
      .execute()

    const before = await travel(deps, '2026-W47', '2026-11-19T14:59:59Z')
    const after = await travel(deps, '2026-W47', '2026-11-19T15:00:00Z')

    expect(before.edits).toBe(0)
    expect(before.edition?.subject).not.toBe('A subject of our own')
    expect(after.edits).toBe(1)
    expect(after.edition?.subject).toBe('A subject of our own')
  })

  it('stores nothing, not even the row of a week that nobody asked for', async () => {
    const { deps } = newsletter(second)
    await publishAt('2026-11-17T10:00:00Z', 'quern')

    await travel(deps, '2026-W47', second)

    const { db } = database
    const rows = [
      await db.selectFrom('issue').selectAll().execute(),
      await db.selectFrom('edition').select('hash').execute(),
      await db.selectFrom('newsletter').selectAll().execute(),
      await db.selectFrom('link').select('id').execute(),
      await db.selectFrom('issue_comparison').selectAll().execute(),
    ]
    expect(rows).toEqual([[], [], [], [], []])
  })

  it('is not there for what is no week', async () => {
    const { deps } = newsletter()

    expect(await issueAsOf(deps, '2025-W53', Temporal.Instant.from(first))).toBeUndefined()
  })
})
