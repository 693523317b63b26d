import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { openIssue, sendIssue } from '../../jobs/send-issue.ts'
import { openForSending } from '../../src/delivery/send.ts'
import { composeIssue } from '../../src/issue/compose.ts'
import { decide } from '../../src/issue/decide.ts'
import { draftAgain, draftIssue } from '../../src/issue/draft.ts'
import { currentEdits, latestEdits, replay } from '../../src/issue/edit-history.ts'
import { type IssueEdits, isSame, issueEdits, longestEdit, noEdits, tidy } from '../../src/issue/edits.ts'
import { onTopOf, threeWayDiff } from '../../src/issue/edits-diff.ts'
import { findIssue, lockIssue } from '../../src/issue/issue.ts'
import { listDecisions } from '../../src/issue/list-decisions.ts'
import { lostApproval } from '../../src/issue/lost-approval.ts'
import { backToRevision, saveEdits, stepEdits } from '../../src/issue/save-edits.ts'
import { weekNamed } from '../../src/issue/week.ts'
import { clockAt, type MovableClock } from '../setup/clock.ts'
import { documentFor, publish, toComparison } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { friday, thursday } from '../setup/delivery.ts'
import { newsletterWith, newYork } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { openPostOffice, type PostOffice } from '../setup/post-office.ts'

const week = '2026-W47'
const eve = 'eve@example.test'
const sam = 'sam@example.test'
const [one, two, three] = ['loom', 'sieve', 'anvil'] as const
const week47 = weekNamed(week, newYork) ?? expect.fail('2026 has a week 47')

const database = useDatabase()
let clock: MovableClock
let mail: PostOffice

beforeEach(() => {
  clock = clockAt(thursday)
  mail = openPostOffice()
})

function deps(parts: Partial<Parameters<typeof newsletterWith>[1]> = {}) {
  return newsletterWith(database, { clock, transport: mail, ...parts })
}

/** Week 47 with three comparisons, drafted on its Thursday: loom leads, then sieve, then anvil. */
async function draft(): Promise<void> {
  await publish(database.db, documentFor(one, { publishedAt: '2026-11-16T10:00:00Z' }, [4, 0]))
  await publish(database.db, documentFor(two, { publishedAt: '2026-11-17T10:00:00Z' }, [4, 1]))
  await publish(database.db, documentFor(three, { publishedAt: '2026-11-18T10:00:00Z' }, [4, 2]))
  await draftIssue(deps(), week47)
}

async function issueNow() {
  return (await findIssue(database.db, week)) ?? expect.fail('there is no issue')
}

async function editionNow() {
  const { edition_hash } = await issueNow()
  return database.db
    .selectFrom('edition')
    .selectAll()
    .where('hash', '=', edition_hash)
    .executeTakeFirstOrThrow()
}

/** Saves on top of what there is. */
async function save(changes: Partial<IssueEdits>, by = eve, parts: Parameters<typeof deps>[0] = {}) {
  const now = await currentEdits(database.db, (await issueNow()).id)
  return saveEdits(deps(parts), week, { base: now.revision, by, edits: { ...now.edits, ...changes } })
}

async function undo(step: 'undo' | 'redo' = 'undo') {
  const now = await currentEdits(database.db, (await issueNow()).id)
  return stepEdits(deps(), week, step, { base: now.revision, by: eve })
}

async function slugs(): Promise<readonly string[]> {
  const rows = await database.db
    .selectFrom('issue_comparison as ic')
    .innerJoin('comparison as c', 'c.id', 'ic.comparison_id')
    .select('c.slug')
    .orderBy('ic.position')
    .execute()
  return rows.map(({ slug }) => slug)
}

describe('an editor’s corrections', () => {
  it('are in the edition: subject, preheader, intro, order, and a shorter quote', async () => {
    await draft()

    const saved = await save({
      ...{ subject: 'My own words', preheader: 'And these beside them', intro: 'Hello *you*.' },
      ...{
        order: [three, one, two],
        quotes: { [one]: ['it earns what it costs … where you would expect', null] },
      },
    })

    const edition = await editionNow()
    expect(saved).toMatchObject({ kind: 'saved', revision: 1, hash: edition.hash, state: 'draft' })
    expect(edition).toMatchObject({ subject: 'My own words', preheader: 'And these beside them' })
    expect(edition.html).toContain('Hello <em>you</em>.')
    expect(edition.text).toContain('Hello you.')
    expect(edition.text).toContain('“it earns what it costs … where you would expect”')
    expect(await slugs()).toEqual([three, one, two])
    expect(edition.text.indexOf('anvil left vs')).toBeLessThan(edition.text.indexOf('loom left vs'))
  })

  it('leave out a comparison with the reason, and let no other one into its place', async () => {
    await draft()
    await publish(database.db, documentFor('late', { publishedAt: '2026-11-18T12:00:00Z' }))
    const three = { comparisons: { least: 1, most: 3 } }

    await save({ leftOut: [{ slug: one, reason: 'a fact is being checked' }] }, eve, three)
    clock.pass('PT1H')
    const { leftOut } = await draftIssue(deps(three), week47)

    expect(await slugs()).toEqual([two, 'anvil'])
    expect(leftOut).toEqual([
      expect.objectContaining({ slug: one, reason: 'left out by the editor: a fact is being checked' }),
      expect.objectContaining({ slug: 'late', reason: 'waits for the next issue: this one is full (3)' }),
    ])
  })

  it('put in what came after the cut-off or found no room, but nothing that is not out yet', async () => {
    await draft()
    await publish(database.db, documentFor('late', { publishedAt: '2026-11-19T15:00:00Z' }))
    await publish(database.db, documentFor('to-come', { publishedAt: '2026-11-19T20:00:00Z' }))
    clock.moveTo('2026-11-19T16:00:00Z')

    await save({ include: ['late', 'to-come'] }, eve, { comparisons: { least: 1, most: 3 } })
    const again = await database.db.transaction().execute(async (trx) => {
      const issue = (await lockIssue(trx, week)) ?? expect.fail('there is no issue')
      return draftAgain(trx, deps({ comparisons: { least: 1, most: 3 } }), issue)
    })

    expect(await slugs()).toHaveLength(4)
    expect(await slugs()).toContain('late')
    expect(again.leftOut).toEqual([
      expect.objectContaining({
        slug: 'to-come',
        reason: 'published after the cut-off; an editor had put it in',
      }),
    ])
  })

  it('stay when it is drafted again; what is retracted since is left out with a word', async () => {
    await draft()
    await save({ subject: 'My own words', order: [three, two, one], include: [two] })
    await publish(database.db, {
      ...documentFor(two, { publishedAt: '2026-11-17T10:00:00Z' }),
      retracted: true,
    })

    const { leftOut, edition } = await draftIssue(deps(), week47)

    expect(edition?.subject).toBe('My own words')
    expect(await slugs()).toEqual([three, one])
    expect(leftOut).toEqual([
      expect.objectContaining({ slug: two, reason: 'retracted; an editor had put it in' }),
    ])
  })

  it('are a decision with the revision, the fields and the edition, and of no address', async () => {
    await draft()

    await save({ intro: 'Hello.', order: [three, two, one] })

    const [decision] = await listDecisions(database.db, { most: 1 })
    expect(decision).toMatchObject({ what: 'edit', by: eve, week })
    expect(decision?.evidence).toEqual({
      ...{ revision: 1, how: 'edit', fields: 'intro, order', approval: 'none' },
      edition: (await issueNow()).edition_hash,
    })
  })

  it('that change nothing make no revision', async () => {
    await draft()
    await save({ subject: 'My own words' })

    expect(await save({ subject: '  My own words '.trim() })).toMatchObject({
      kind: 'unchanged',
      revision: 1,
    })
  })

  it('are refused with words where an issue cannot be changed, and where nothing would be left', async () => {
    await draft()
    const nothing = [one, two, three].map((slug) => ({ slug, reason: 'all of it' }))
    const before = await issueNow()

    const empty = await save({ leftOut: nothing })
    await decide(deps(), week, 'cancel', eve)
    const cancelled = await save({ subject: 'Too late' })

    expect(empty).toMatchObject({
      kind: 'refused',
      problem: expect.stringMatching(/^No new comparisons, without what an editor left out\. An issue needs/),
    })
    expect(cancelled).toEqual({ kind: 'refused', problem: '2026-W47 was cancelled. Nothing was changed.' })
    expect(await issueNow()).toMatchObject({ state: 'cancelled', edition_hash: before.edition_hash })
  })

  it.each([
    ['sending', '2026-W47 is sending: its readers and its edition are fixed. Nothing was changed.'],
    ['sent', '2026-W47 is sent: its readers and its edition are fixed. Nothing was changed.'],
  ])('are refused once it is %s', async (state, problem) => {
    await people.ann(database.db)
    await draft()
    if (state === 'sent') await sendIssue(deps(), week, { early: true })
    else await openForSending(deps(), week, { early: true })

    expect(await save({ subject: 'Too late' })).toEqual({ kind: 'refused', problem })
  })

  it('leave no pile of editions behind: the current one, the one before, and the approved one', async () => {
    await draft()
    await save({ subject: 'The approved one' })
    await decide(deps(), week, 'approve', eve)
    const approved = (await issueNow()).approved_hash

    for (let letters = 1; letters < 12; letters += 1) await save({ intro: 'a'.repeat(letters) })

    const kept = await database.db.selectFrom('edition').select('hash').execute()
    const { edition_hash } = await issueNow()
    expect(kept.map(({ hash }) => hash)).toEqual(expect.arrayContaining([edition_hash, approved]))
    expect(kept).toHaveLength(3)
    expect(await latestEdits(database.db, (await issueNow()).id, { most: 50 })).toHaveLength(12)
  })
})

describe('a shorter quote', () => {
  it.each([
    ['words that are not there', 'it earns more than it costs', 'it earns more than it costs'],
    ['words in another order', 'it breaks … it earns', 'it earns'],
    ['a piece of a word', 'earns what it cost', 'earns what it cost'],
  ])('is refused with %s, and says which', async (_, quote, missing) => {
    await draft()

    const saved = await save({ quotes: { [one]: [quote, null] } })

    expect(saved).toMatchObject({ kind: 'refused', problem: expect.stringContaining(`“${missing}”`) })
    expect(await currentEdits(database.db, (await issueNow()).id)).toMatchObject({ revision: 0 })
  })

  it('that is not its reviewer’s any more is not printed', async () => {
    await draft()
    await save({ quotes: { [one]: ['it earns what it costs', null] } })
    const revised = documentFor(one, { publishedAt: '2026-11-16T10:00:00Z' }, [4, 0])
    for (const review of revised.tools[0]?.reviews ?? []) review.quote = 'Something else altogether.'
    await publish(database.db, revised)

    const { edition } = await draftIssue(deps(), week47)

    expect(edition?.text).toContain('“Something else altogether.”')
    expect(edition?.text).not.toContain('“it earns what it costs”')
  })
})

describe('two editors at once', () => {
  it('never overwrite each other: who is second is told what both changed', async () => {
    await draft()
    await save({ subject: 'Before either' })
    const seen = await currentEdits(database.db, (await issueNow()).id)
    clock.moveTo('2026-11-19T19:02:00Z')

    await saveEdits(deps(), week, {
      base: 1,
      by: sam,
      edits: { ...seen.edits, subject: 'Sam’s', intro: 'Sam wrote.' },
    })
    const second = await saveEdits(deps(), week, {
      ...{ base: 1, by: eve },
      edits: { ...seen.edits, subject: 'Eve’s', preheader: 'Eve’s too' },
    })

    expect(second).toMatchObject({
      ...{ kind: 'stale', base: 1, revision: 2, since: [{ by: sam, revision: 2 }] },
      diff: [
        { name: 'subject', base: 'Before either', mine: 'Eve’s', theirs: 'Sam’s', changedBy: 'both' },
        { name: 'preheader', base: '', mine: 'Eve’s too', theirs: '', changedBy: 'me' },
        { name: 'intro', base: '', mine: '', theirs: 'Sam wrote.', changedBy: 'them' },
      ],
    })
    expect(await currentEdits(database.db, (await issueNow()).id)).toMatchObject({
      edits: { subject: 'Sam’s', intro: 'Sam wrote.' },
    })
  })

  it('can put theirs on top once they have seen it, and nothing of the other’s is lost', async () => {
    await draft()
    const mine = { ...noEdits, subject: 'Eve’s', leftOut: [{ slug: one, reason: 'Eve says so' }] }
    const theirs = { ...noEdits, intro: 'Sam wrote.', leftOut: [{ slug: two, reason: 'Sam says so' }] }
    await saveEdits(deps(), week, { base: 0, by: sam, edits: theirs })

    const blind = await saveEdits(deps(), week, { base: 0, by: eve, edits: mine, onto: 7 })
    const seen = await saveEdits(deps(), week, { base: 0, by: eve, edits: mine, onto: 1 })

    expect(blind.kind).toBe('stale')
    expect(seen).toMatchObject({ kind: 'saved', revision: 2 })
    const { edits } = await currentEdits(database.db, (await issueNow()).id)
    expect(edits).toMatchObject({ subject: 'Eve’s', intro: 'Sam wrote.' })
    expect(edits.leftOut.map(({ slug }) => slug).sort()).toEqual([one, two])
  })

  it('at the very same moment give two revisions or one and a difference, never a lost one', async () => {
    await draft()

    const answers = await Promise.all(
      [eve, sam, eve, sam].map((by, index) =>
        saveEdits(deps(), week, { base: 0, by, edits: { ...noEdits, intro: `Version ${index}` } }),
      ),
    )

    expect(answers.map(({ kind }) => kind).sort()).toEqual(['saved', 'stale', 'stale', 'stale'])
  })

  it('cannot undo what they have not seen', async () => {
    await draft()
    await save({ intro: 'Mine.' })
    await save({ intro: 'Sam’s.' }, sam)

    const undone = await stepEdits(deps(), week, 'undo', { base: 1, by: eve })

    expect(undone).toMatchObject({ kind: 'stale', revision: 2, diff: [{ name: 'intro', theirs: 'Sam’s.' }] })
  })
})

describe('going back', () => {
  it('is a revision of its own: undo further and further, redo, and the same bytes as before', async () => {
    await draft()
    const generated = (await issueNow()).edition_hash
    await save({ intro: 'First.' })
    const first = (await issueNow()).edition_hash
    await save({ intro: 'Second.' })
    const second = (await issueNow()).edition_hash
    const hash = async () => (await issueNow()).edition_hash

    await undo()
    expect(await hash()).toBe(first)
    await undo()
    expect(await hash()).toBe(generated)
    expect(await undo()).toEqual({ kind: 'refused', problem: 'There is nothing to undo.' })
    await undo('redo')
    await undo('redo')
    expect(await hash()).toBe(second)
    expect(await undo('redo')).toEqual({ kind: 'refused', problem: 'There is nothing to redo.' })

    const history = await latestEdits(database.db, (await issueNow()).id, { most: 20 })
    expect(history.map(({ revision, how, restores }) => [revision, how, restores])).toEqual([
      ...[[6, 'redo', 2] as const, [5, 'redo', 1] as const, [4, 'undo', 0] as const, [3, 'undo', 1] as const],
      ...[[2, 'edit', null] as const, [1, 'edit', null] as const],
    ])
  })

  it('to any revision can itself be undone', async () => {
    await draft()
    await save({ intro: 'First.' })
    await save({ intro: 'Second.' })

    await backToRevision(deps(), week, 0, { base: 2, by: eve })
    expect(await currentEdits(database.db, (await issueNow()).id)).toMatchObject({
      revision: 3,
      edits: noEdits,
    })
    await undo()

    expect(await currentEdits(database.db, (await issueNow()).id)).toMatchObject({
      edits: { intro: 'Second.' },
    })
  })

  it('never loses a revision, and leads where an editor’s program would lead, whatever is done', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('edit', 'undo', 'redo', 'back'), { maxLength: 40 }), (wishes) => {
        const rows: { revision: number; how: 'edit' | 'undo' | 'redo' | 'back'; restores: number | null }[] =
          []
        const contents = [0]
        let [past, future]: [number[], number[]] = [[0], []]
        for (const how of wishes) {
          const revision = rows.length + 1
          const steps = replay(rows)
          expect(steps).toEqual({ undo: past.at(-2), redo: future.at(-1) })
          const to =
            how === 'undo' ? steps.undo : how === 'redo' ? steps.redo : how === 'back' ? 0 : undefined
          if (to === undefined && how !== 'edit') continue
          rows.push({ revision, how, restores: to ?? null })
          contents.push(to === undefined ? revision : (contents[to] ?? -1))
          if (how === 'undo') future.push(past.pop() ?? -1)
          else if (how === 'redo') past.push(future.pop() ?? -1)
          else [past, future] = [[...past, to ?? revision], []]
          expect(contents[revision]).toBe(contents[past.at(-1) ?? -1])
        }
        expect(rows.map((row) => row.revision)).toEqual(rows.map((_, index) => index + 1))
      }),
    )
  })
})

describe('an edit after approval', () => {
  it('takes the approval away, and says who did and when', async () => {
    await draft()
    await decide(deps(), week, 'approve', sam)
    clock.moveTo('2026-11-19T19:02:00Z')

    const saved = await save({ intro: 'One more thing.' })

    expect(saved).toMatchObject({ state: 'draft', approval: { became: 'taken away', by: sam } })
    const lost = await lostApproval(database.db, await issueNow())
    expect(lost).toMatchObject({ approvedBy: sam, byEdit: { by: eve } })
    expect(String(lost?.byEdit?.at)).toBe('2026-11-19T19:02:00Z')
  })

  it('that is undone gives it back, because the bytes are the approved ones again', async () => {
    await draft()
    await decide(deps(), week, 'approve', sam)
    await save({ intro: 'One more thing.' })

    expect(await undo()).toMatchObject({ state: 'approved', approval: { became: 'given back', by: sam } })
    expect(await lostApproval(database.db, await issueNow())).toBeUndefined()
  })

  it('is not sent under SEND_POLICY=approve until it is approved again', async () => {
    const rules = { policy: 'approve' as const, grace: Temporal.Duration.from('PT36H') }
    await people.ann(database.db)
    await draft()
    await decide(deps({ rules }), week, 'approve', sam)
    await save({ subject: 'Edited after approval' }, eve, { rules })
    clock.moveTo(friday)

    const refused = await sendIssue(deps({ rules }), week)
    await decide(deps({ rules }), week, 'approve', eve)
    await sendIssue(deps({ rules }), week)

    expect(refused).toMatchObject({ kind: 'refused', problem: expect.stringContaining('is not approved') })
    expect(mail.accepted.map(({ subject }) => subject)).toEqual(['Edited after approval'])
  })

  it('is sent as edited under SEND_POLICY=auto', async () => {
    await people.ann(database.db)
    await draft()
    await decide(deps(), week, 'approve', sam)
    await save({ subject: 'Edited after approval', intro: 'With a note.' })
    clock.moveTo(friday)

    await sendIssue(deps(), week)

    expect(mail.accepted).toHaveLength(1)
    expect(mail.accepted[0]).toMatchObject({ subject: 'Edited after approval' })
    expect(mail.accepted[0]?.text).toContain('With a note.')
  })

  it('is checked anew before it leaves: what blocks stops it', async () => {
    await people.ann(database.db)
    await draft()
    await decide(deps(), week, 'approve', sam)
    await save({ intro: 'See [this](https://news.example.com/go/abcdefghijkl).' })
    clock.moveTo(friday)

    const sent = await sendIssue(deps(), week)

    expect(sent).toMatchObject({ kind: 'refused', problem: expect.stringContaining('is blocked') })
    expect(mail.accepted).toEqual([])
  })

  it.each(['held', 'missed'] as const)('leaves an issue %s that was', async (state) => {
    await draft()
    await decide(deps(), week, 'hold', sam)
    if (state === 'missed')
      await database.db.updateTable('issue').set({ state, reason: 'nobody was there' }).execute()
    const { reason } = await issueNow()

    await save({ intro: 'While it waits.' })

    expect(await issueNow()).toMatchObject({ state, reason })
    expect((await editionNow()).text).toContain('While it waits.')
  })

  it('and a retraction before sending keep the edits and what the issue waits for', async () => {
    await draft()
    await save({ subject: 'Kept' })
    await database.db.updateTable('issue').set({ state: 'missed', reason: 'nobody was there' }).execute()
    await publish(database.db, {
      ...documentFor(one, { publishedAt: '2026-11-16T10:00:00Z' }),
      retracted: true,
    })

    const opened = await openIssue(deps(), week, { early: false })

    expect(opened).toMatchObject({ kind: 'refused', problem: expect.stringContaining('was missed') })
    expect(await issueNow()).toMatchObject({ state: 'missed', reason: 'nobody was there' })
    expect(await editionNow()).toMatchObject({ subject: 'Kept' })
    expect(await slugs()).toEqual([two, three])
  })
})

describe('composing with edits', () => {
  const comparisons = [one, two, three].map((slug, index) => toComparison(documentFor(slug, {}, [4, index])))
  const someEdits: fc.Arbitrary<IssueEdits> = fc
    .record({
      subject: fc.option(fc.string({ minLength: 1, maxLength: 60 })),
      preheader: fc.option(fc.string({ minLength: 1, maxLength: 60 })),
      intro: fc.string({ maxLength: 80 }),
      order: fc.option(fc.shuffledSubarray([one, two, three, 'gone'])),
      leftOut: fc.array(fc.record({ slug: fc.constantFrom(one, 'gone'), reason: fc.string() }), {
        maxLength: 2,
      }),
      include: fc.subarray([two, 'gone']),
      quotes: fc.dictionary(
        fc.constantFrom(one, 'gone'),
        fc.tuple(fc.option(fc.string()), fc.option(fc.string())),
      ),
    })
    .map(tidy)

  it('gives the same issue whatever the order in which comparisons arrive, and has each of them once', () => {
    fc.assert(
      fc.property(someEdits, fc.shuffledSubarray(comparisons, { minLength: 3 }), (edits, shuffled) => {
        const composed = composeIssue(week47, comparisons, edits)

        expect(composeIssue(week47, shuffled, edits)).toEqual(composed)
        expect(composed.comparisons.map(({ slug }) => slug).sort()).toEqual([three, one, two].sort())
      }),
    )
  })

  it('puts mine on theirs so that no field of mine is lost, and none of theirs that I left alone', () => {
    fc.assert(
      fc.property(someEdits, someEdits, someEdits, (base, mine, theirs) => {
        const merged = onTopOf(base, mine, theirs)

        expect(threeWayDiff(base, mine, merged).filter(({ changedBy }) => changedBy !== 'them')).toEqual([])
        expect(isSame(onTopOf(base, base, theirs), theirs)).toBe(true)
        expect(isSame(onTopOf(base, mine, base), mine)).toBe(true)
      }),
    )
  })
})

describe('what can be typed', () => {
  it.each([
    ['a longer intro', { intro: 'x'.repeat(2001) }, 'The intro has 2001 characters; it can have up to 2000.'],
    [
      'a longer subject',
      { subject: 'x'.repeat(151) },
      'The subject has 151 characters; it can have up to 150.',
    ],
    ['a hole’s marks', { intro: '\u0001unsubscribe\u0002' }, 'The intro has a control character'],
    [
      'a turned direction',
      { subject: 'abc\u202edef' },
      'The subject has a control character or a mark that turns',
    ],
    ['half a character', { intro: '\ud800' }, 'The intro has half of a character in it'],
  ])('is refused in words: %s', (_, changes, words) => {
    const parsed = issueEdits.safeParse({ ...noEdits, ...changes })

    expect(parsed.error?.issues[0]?.message).toContain(words)
    expect(longestEdit.intro).toBe(2000)
  })

  it('is one line where an inbox has one line', () => {
    expect(issueEdits.parse({ ...noEdits, subject: ' one\r\n two ' }).subject).toBe('one two')
  })
})
