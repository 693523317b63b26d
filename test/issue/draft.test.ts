import { sql } from 'kysely'
import { beforeEach, describe, expect, it } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { decide } from '../../src/issue/decide.ts'
import { type DraftDeps, type DraftResult, draftIssue } from '../../src/issue/draft.ts'
import { freezeEdition } from '../../src/issue/edition.ts'
import { ensureIssue, findIssue } from '../../src/issue/issue.ts'
import { type Week, weekNamed } from '../../src/issue/week.ts'
import { clockAt, type MovableClock } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { newsletterWith, newYork } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { openPostOffice } from '../setup/post-office.ts'

const week47 = weekFor('2026-W47')
const week48 = weekFor('2026-W48')

const database = useDatabase()
let clock: MovableClock

beforeEach(() => {
  clock = clockAt('2026-11-19T14:00:00Z')
})

describe('drafting an issue', () => {
  it('saves what is new as an edition, with what is in it, in the order in which it is printed', async () => {
    await published('even', '2026-11-17T10:00:00Z', [4, 4])
    await published('one-sided', '2026-11-16T10:00:00Z', [4, 0])

    const { outcome, state, edition, chosen } = await draft(week47)

    expect({ outcome, state }).toEqual({ outcome: 'drafted', state: 'draft' })
    expect(chosen.map(({ slug }) => slug)).toEqual(['one-sided', 'even'])
    expect(await contents('2026-W47')).toEqual([
      { slug: 'one-sided', position: 1, revision: 1, counts: true },
      { slug: 'even', position: 2, revision: 1, counts: true },
    ])
    const issue = await findIssue(database.db, '2026-W47')
    expect(issue).toMatchObject({ state: 'draft', edition_hash: edition?.hash, approved_hash: null })
    expect(String(issue?.cutoff_at)).toBe('2026-11-19T14:00:00Z')
  })

  it('keeps the edition byte for byte, under its hash', async () => {
    await published('quillmark')

    const { edition } = await draft(week47)

    const [row] = await database.db.selectFrom('edition').selectAll().execute()
    expect(edition).toMatchObject({
      ...{ hash: row?.hash, subject: row?.subject, preheader: row?.preheader },
      ...{ html: row?.html, text: row?.text },
    })
    expect(row && freezeEdition(row).hash).toBe(edition?.hash)
    expect(row?.text).toContain('quillmark left')
  })

  it('again without news gives the same edition, and one row of everything', async () => {
    await published('quillmark')
    const first = await draft(week47)
    clock.pass('PT3H')

    const second = await draft(week47)

    expect(second.edition?.hash).toBe(first.edition?.hash)
    expect(await count('edition')).toBe(1)
    expect(await count('issue')).toBe(1)
    expect(await count('issue_comparison')).toBe(1)
  })

  it('again takes in what is newer', async () => {
    await published('quillmark')
    const first = await draft(week47)
    clock.pass('PT3H')
    await published('inkwell', '2026-11-19T15:00:00Z')

    const second = await draft(week47)

    expect(second.chosen.map(({ slug }) => slug).sort()).toEqual(['inkwell', 'quillmark'])
    expect(second.edition?.hash).not.toBe(first.edition?.hash)
    expect((await findIssue(database.db, '2026-W47'))?.edition_hash).toBe(second.edition?.hash)
  })

  it('again takes in what was corrected', async () => {
    const document = documentFor('quillmark')
    await publish(database.db, document)
    const first = await draft(week47)
    await publish(database.db, { ...document, title: 'Quillmark against the rest' })

    const second = await draft(week47)

    expect(second.edition?.hash).not.toBe(first.edition?.hash)
    expect(second.edition?.text).toContain('Quillmark against the rest')
    expect(await contents('2026-W47')).toEqual([
      { slug: 'quillmark', position: 1, revision: 2, counts: true },
    ])
  })

  it.each(['approve', 'hold', 'cancel'] as const)(
    'changes nothing after an editor said %s',
    async (decision) => {
      await published('quillmark')
      await draft(week47)
      await decide(desk(), '2026-W47', decision, 'eve@example.test')
      const before = await findIssue(database.db, '2026-W47')
      clock.pass('PT3H')
      await published('inkwell', '2026-11-19T15:00:00Z')

      const { outcome, state, chosen, edition } = await draft(week47)

      expect({ outcome, state, chosen, edition }).toEqual({
        ...{ outcome: 'unchanged', state: before?.state, chosen: [], edition: null },
      })
      expect(await findIssue(database.db, '2026-W47')).toEqual(before)
      expect(await count('edition')).toBe(1)
    },
  )

  it('changes nothing after the issue was sent', async () => {
    await people.ann(database.db)
    await published('quillmark')
    await draft(week47)
    await sendIssue(desk(), '2026-W47', { early: true })
    await published('inkwell', '2026-11-19T13:00:00Z')

    expect(await draft(week47)).toMatchObject({ outcome: 'unchanged', state: 'sent' })
  })

  it('leaves the next issue what this one has no room for', async () => {
    const most2 = { comparisons: { least: 1, most: 2 } }
    for (const [index, slug] of ['one', 'two', 'three'].entries())
      await published(slug, `2026-11-1${5 + index}T10:00:00Z`)

    const full = await draft(week47, most2)
    clock.moveTo('2026-11-26T14:00:00Z')
    const next = await draft(week48, most2)

    expect(full.chosen.map(({ slug }) => slug).sort()).toEqual(['one', 'two'])
    expect(full.leftOut.map(({ slug }) => slug)).toEqual(['three'])
    expect(next.chosen.map(({ slug }) => slug)).toEqual(['three'])
  })

  it('keeps the row’s instants although the calendar has changed', async () => {
    await ensureIssue(database.db, week47)
    await published('quillmark')

    const sunday = { ...newYork, sendAt: { weekday: 7, hour: 9, minute: 0 } }
    const { edition } = await draft(weekFor('2026-W47', sunday), { calendar: sunday })

    expect(String((await findIssue(database.db, '2026-W47'))?.due_at)).toBe('2026-11-20T14:00:00Z')
    expect(edition?.text).toContain('Friday 20 November 2026')
  })
})

describe('a quiet week', () => {
  it('is one without news', async () => {
    const { outcome, state, reason, edition } = await draft(week47)

    expect({ outcome, state, reason, edition }).toEqual({
      ...{ outcome: 'quiet week', state: 'quiet', reason: 'no new comparisons', edition: null },
    })
    expect(await findIssue(database.db, '2026-W47')).toMatchObject({
      ...{ state: 'quiet', reason: 'no new comparisons', edition_hash: null },
    })
  })

  it.each([
    [2, '1 new comparison, fewer than the 2 that make an issue'],
    [3, '2 new comparisons, fewer than the 3 that make an issue'],
  ])('is one with fewer than MIN_COMPARISONS=%i: they wait', async (least, reason) => {
    for (let n = 1; n < least; n++) await published(`news-${n}`)

    const { outcome, leftOut, chosen, ...result } = await draft(week47, { comparisons: { least, most: 10 } })

    expect({ outcome, reason: result.reason, chosen }).toEqual({ outcome: 'quiet week', reason, chosen: [] })
    expect(leftOut).toHaveLength(least - 1)
    for (const left of leftOut) expect(left.reason).toBe(`waits for the next issue: ${reason}`)
    expect(await contents('2026-W47')).toEqual([])
  })

  it('is not one with exactly MIN_COMPARISONS', async () => {
    await published('one')
    await published('two')

    expect((await draft(week47, { comparisons: { least: 2, most: 10 } })).outcome).toBe('drafted')
  })

  it('is one without news also when MIN_COMPARISONS is 0', async () => {
    const { outcome, reason } = await draft(week47, { comparisons: { least: 0, most: 10 } })

    expect({ outcome, reason }).toEqual({ outcome: 'quiet week', reason: 'no new comparisons' })
  })

  it('becomes a draft when something arrives and it is drafted again', async () => {
    await draft(week47)
    await published('quillmark')

    expect((await draft(week47)).outcome).toBe('drafted')

    expect(await findIssue(database.db, '2026-W47')).toMatchObject({ state: 'draft', reason: null })
  })

  it('is what a draft becomes when its only comparison is retracted', async () => {
    const document = await published('quillmark')
    await draft(week47)
    await publish(database.db, { ...document, retracted: true })

    expect((await draft(week47)).outcome).toBe('quiet week')

    expect(await findIssue(database.db, '2026-W47')).toMatchObject({ state: 'quiet', edition_hash: null })
    expect(await contents('2026-W47')).toEqual([])
  })
})

describe('drafting in several processes at once', () => {
  it('gives one issue, with one edition', async () => {
    await published('quillmark')
    await published('inkwell')

    const results = await Promise.all(Array.from({ length: 8 }, () => draft(week47)))

    expect(new Set(results.map(({ edition }) => edition?.hash)).size).toBe(1)
    expect(await count('issue')).toBe(1)
    expect(await count('edition')).toBe(1)
    expect(await contents('2026-W47')).toHaveLength(2)
  })

  it('of two weeks never puts a comparison into both', async () => {
    await published('quillmark')

    await Promise.allSettled([draft(week47), draft(week48)])

    const rows = await database.db.selectFrom('issue_comparison').selectAll().execute()
    expect(rows).toHaveLength(1)
  })

  it('while an editor approves leaves an approved edition or a newer draft, never a mixture', async () => {
    await published('quillmark')
    const first = await draft(week47)
    await published('inkwell')

    const [second, decided] = await Promise.all([
      draft(week47),
      decide(desk(), '2026-W47', 'approve', 'eve@example.test'),
    ])

    const issue = await findIssue(database.db, '2026-W47')
    expect(decided).toMatchObject({ ok: true, state: 'approved' })
    expect(issue).toMatchObject({ state: 'approved', approved_hash: issue?.edition_hash })
    expect([first.edition?.hash, second.edition?.hash]).toContain(issue?.edition_hash)
    const isFirst = issue?.edition_hash === first.edition?.hash
    expect(await contents('2026-W47')).toHaveLength(isFirst ? 1 : 2)
  })
})

describe('the database refuses', () => {
  it('a comparison in two issues that count', async () => {
    await published('quillmark')
    await draft(week47)
    const [row] = await database.db.selectFrom('issue_comparison').selectAll().execute()
    const other = await rowOf(week48)

    const again = { comparison_id: row?.comparison_id ?? 0, issue_id: other, position: 1, revision: 1 }
    await expect(database.db.insertInto('issue_comparison').values(again).execute()).rejects.toThrow(
      'comparison_in_one_live_issue',
    )

    await database.db
      .insertInto('issue_comparison')
      .values({ ...again, counts: false })
      .execute()
  })

  it('an edition whose hash is not that of its bytes', async () => {
    const issueId = await rowOf(week47)
    const edition = { ...freezeEdition({ subject: 'S', preheader: 'P', html: 'H', text: 'T' }) }
    const frozen = { issue_id: issueId, frozen_at: clock() }

    for (const part of ['subject', 'preheader', 'html', 'text'] as const)
      await expect(
        database.db
          .insertInto('edition')
          .values({ ...edition, ...frozen, [part]: `${edition[part]}!` })
          .execute(),
      ).rejects.toThrow('edition_check')

    await database.db
      .insertInto('edition')
      .values({ ...edition, ...frozen })
      .execute()
  })

  it('an edition with a line break in its subject', async () => {
    const edition = freezeEdition({ subject: 'S\nBcc: all', preheader: 'P', html: 'H', text: 'T' })

    await expect(
      database.db
        .insertInto('edition')
        .values({ ...edition, issue_id: await rowOf(week47), frozen_at: clock() })
        .execute(),
    ).rejects.toThrow('edition_subject_check')
  })

  it('any change of an edition, and its removal', async () => {
    await published('quillmark')
    const { edition } = await draft(week47)
    const { db } = database

    await expect(db.updateTable('edition').set({ html: 'other' }).execute()).rejects.toThrow(
      'edition is append-only',
    )
    await expect(db.deleteFrom('edition').execute()).rejects.toThrow('edition is append-only')

    expect((await db.selectFrom('edition').selectAll().executeTakeFirstOrThrow()).html).toBe(edition?.html)
  })

  it.each([
    [
      'a third tool',
      (id: number) =>
        sql`insert into comparison_tool select ${id}, 3, tool_id, name, category, tagline, description, entry_price from comparison_tool where side = 1`,
      'comparison_tool_side_check',
    ],
    [
      'the same tool on both sides',
      (id: number) =>
        sql`update comparison_tool set tool_id = (select min(tool_id) from comparison_tool) where comparison_id = ${id} and side = 2`,
      'comparison_tool_comparison_id_tool_id_key',
    ],
    [
      'a comparison that has lost a tool',
      (id: number) => sql`delete from comparison_tool where comparison_id = ${id} and side = 2`,
      'exactly two tools',
    ],
    [
      'a comparison without tools',
      () =>
        sql`insert into comparison (slug, title, published_at) values ('bare', 'Bare', '2026-11-18T14:00:00Z')`,
      'exactly two tools',
    ],
  ])('%s', async (_, statement, constraint) => {
    await published('quillmark')
    const { id } = await database.db.selectFrom('comparison').select('id').executeTakeFirstOrThrow()

    await expect(statement(id).execute(database.db)).rejects.toThrow(constraint)
  })

  it('a second issue for a week', async () => {
    await rowOf(week47)

    await expect(
      sql`insert into issue (week, state, timezone, draft_at, due_at)
          select week, state, timezone, draft_at, due_at from issue`.execute(database.db),
    ).rejects.toThrow('issue_week_key')
  })

  it.each(['2026-W00', '2026-W54', '2026-47', '2026-W7', 'W47'])('an issue for %s', async (name) => {
    await expect(ensureIssue(database.db, { ...week47, name })).rejects.toThrow('issue_week_check')
  })

  it('an issue that is due before it is drafted', async () => {
    await expect(
      ensureIssue(database.db, { ...week47, draftAt: week47.dueAt.add({ seconds: 1 }) }),
    ).rejects.toThrow(/issue.*check/)
  })

  it('the state approved with the hash of another edition, or with none', async () => {
    await published('quillmark')
    await draft(week47)
    const approve = (hash: string | null) =>
      database.db
        .updateTable('issue')
        .set({ state: 'approved', approved_hash: hash, approved_at: hash === null ? null : clock() })
        .execute()

    await expect(approve('0'.repeat(64))).rejects.toThrow(/issue_check/)
    await expect(approve(null)).rejects.toThrow(/issue_check/)
  })

  it('an issue with the edition of another', async () => {
    await published('quillmark')
    const { edition } = await draft(week47)
    await rowOf(week48)

    await expect(
      database.db
        .updateTable('issue')
        .set({ state: 'draft', edition_hash: edition?.hash ?? '' })
        .where('week', '=', '2026-W48')
        .execute(),
    ).rejects.toThrow('issue_id_edition_hash_fkey')
  })
})

function desk(parts: Partial<DraftDeps> = {}) {
  return newsletterWith(database, { clock, transport: openPostOffice(), ...parts })
}

function draft(week: Week, parts: Partial<DraftDeps> = {}): Promise<DraftResult> {
  return draftIssue(desk(parts), week)
}

function published(
  slug: string,
  publishedAt = '2026-11-18T14:00:00Z',
  shape: readonly [number, number] = [4, 0],
) {
  return publish(database.db, documentFor(slug, { publishedAt }, shape))
}

function weekFor(name: string, calendar = newYork): Week {
  const week = weekNamed(name, calendar)
  if (!week) throw new Error(`${name} is no week`)
  return week
}

/** The id of a week's row, made where there is none. */
async function rowOf(week: Week): Promise<number> {
  await ensureIssue(database.db, week)
  return (await findIssue(database.db, week.name))?.id ?? 0
}

async function contents(week: string) {
  return database.db
    .selectFrom('issue_comparison as ic')
    .innerJoin('issue as i', 'i.id', 'ic.issue_id')
    .innerJoin('comparison as c', 'c.id', 'ic.comparison_id')
    .select(['c.slug', 'ic.position', 'ic.revision', 'ic.counts'])
    .where('i.week', '=', week)
    .orderBy('ic.position')
    .execute()
}

async function count(table: 'issue' | 'edition' | 'issue_comparison'): Promise<number> {
  const rows = await database.db.selectFrom(table).select(sql`1`.as('one')).execute()
  return rows.length
}
