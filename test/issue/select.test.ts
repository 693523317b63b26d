import { beforeEach, describe, expect, it } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { decide } from '../../src/issue/decide.ts'
import { type DraftResult, draftIssue } from '../../src/issue/draft.ts'
import { findIssue } from '../../src/issue/issue.ts'
import { type LeftOut, selectComparisons } from '../../src/issue/select.ts'
import { weekNamed } from '../../src/issue/week.ts'
import { clockAt, type MovableClock } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { newsletterWith, newYork } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { openPostOffice } from '../setup/post-office.ts'

const thursday47 = '2026-11-19T14:00:00Z'
const thursday48 = '2026-11-26T14:00:00Z'

const database = useDatabase()
let clock: MovableClock

beforeEach(() => {
  clock = clockAt(thursday47)
})

describe('the comparisons of an issue', () => {
  it('are what is new, the older before the newer, and what came together in the order it was taken in', async () => {
    await published('third', '2026-11-17T10:00:00Z')
    await published('first', '2026-11-15T10:00:00Z')
    await published('fourth', '2026-11-17T10:00:00Z')
    await published('second', '2026-11-16T10:00:00Z')

    const { chosen, leftOut } = await select()

    expect(chosen.map(({ slug }) => slug)).toEqual(['first', 'second', 'third', 'fourth'])
    expect(leftOut).toEqual([])
  })

  it('come with both tools, their reviews in panel order, and the revision that was read', async () => {
    const document = documentFor('quillmark', { publishedAt: '2026-11-17T10:00:00Z' })
    const [left, right] = document.tools
    if (!left || !right) throw new Error('A comparison has two tools')
    await publish(database.db, document)
    await publish(database.db, {
      ...document,
      tools: [
        { ...left, reviews: left.reviews.toReversed() },
        { ...right, priceNote: 'from 9 a month' },
      ],
    })

    const { chosen } = await select()

    expect(chosen).toHaveLength(1)
    expect(chosen[0]).toMatchObject({
      ...{ slug: 'quillmark', revision: 2, tools: [{ slug: left.slug, reviews: left.reviews }, right] },
    })
    expect(chosen[0]?.tools[1].priceNote).toBe('from 9 a month')
  })

  it('include what was published at the very instants of baseline and cut-off', async () => {
    await published('at-the-baseline', '2026-11-12T14:00:00Z')
    await published('at-the-cut-off', thursday47)

    const { chosen } = await select()

    expect(chosen.map(({ slug }) => slug)).toEqual(['at-the-baseline', 'at-the-cut-off'])
  })
})

describe('a comparison is left out', () => {
  it('when it was retracted', async () => {
    await published('quillmark', '2026-11-17T10:00:00Z', true)

    expect(await leftOut()).toEqual([reasonFor('quillmark', 'retracted')])
  })

  it('when it is in another issue that counts, with the name of that issue', async () => {
    await published('quillmark', '2026-11-17T10:00:00Z')
    await draft('2026-W47')

    expect(await leftOut()).toEqual([reasonFor('quillmark', 'in issue 2026-W47')])
  })

  it('when it came out after the cut-off', async () => {
    await published('quillmark', '2026-11-19T14:00:01Z')

    expect(await leftOut()).toEqual([reasonFor('quillmark', 'published after the cut-off')])
  })

  it('when it is older than the first issue', async () => {
    await published('quillmark', '2026-11-12T13:59:59Z')

    expect(await leftOut()).toEqual([
      reasonFor('quillmark', 'archive: published before the first issue began'),
    ])
  })

  it('when the issue is full: then the newest wait', async () => {
    await published('newest', '2026-11-18T10:00:00Z')
    await published('oldest', '2026-11-16T10:00:00Z')
    await published('middle', '2026-11-17T10:00:00Z')

    const { chosen, leftOut } = await select({ most: 2 })

    expect(chosen.map(({ slug }) => slug)).toEqual(['oldest', 'middle'])
    expect(leftOut).toEqual([reasonFor('newest', 'waits for the next issue: this one is full (2)')])
  })

  it('without taking a place: what is left out for another reason does not fill the issue', async () => {
    await published('archived', '2026-11-01T10:00:00Z')
    await published('retracted', '2026-11-14T10:00:00Z', true)
    await published('one', '2026-11-15T10:00:00Z')
    await published('two', '2026-11-16T10:00:00Z')
    await published('tomorrow', '2026-11-20T10:00:00Z')

    const { chosen, leftOut } = await select({ most: 2 })

    expect(chosen.map(({ slug }) => slug)).toEqual(['one', 'two'])
    expect(leftOut.map(({ slug }) => slug)).toEqual(['archived', 'retracted', 'tomorrow'])
  })

  it('of every other issue, but not of its own', async () => {
    await published('quillmark', '2026-11-17T10:00:00Z')
    await draft('2026-W47')
    const own = await findIssue(database.db, '2026-W47')

    expect((await select({ issueId: own?.id ?? 0 })).chosen).toMatchObject([{ slug: 'quillmark' }])
  })
})

describe('a retracted comparison', () => {
  it('is in no later issue, also when its draft has to be made again', async () => {
    await published('quillmark', '2026-11-17T10:00:00Z')
    await published('inkwell', '2026-11-18T10:00:00Z')
    expect(slugsOf(await draft('2026-W47'))).toEqual(['inkwell', 'quillmark'])

    await published('quillmark', '2026-11-17T10:00:00Z', true)

    expect(slugsOf(await draft('2026-W47'))).toEqual(['inkwell'])
    clock.moveTo(thursday48)
    expect((await draft('2026-W48')).outcome).toBe('quiet week')
  })

  it('that is put back in time is in the issue', async () => {
    await published('quillmark', '2026-11-17T10:00:00Z', true)
    expect((await draft('2026-W47')).outcome).toBe('quiet week')

    await published('quillmark', '2026-11-17T10:00:00Z')

    expect(slugsOf(await draft('2026-W47'))).toEqual(['quillmark'])
  })
})

describe('the baseline', () => {
  it('of a first issue is the draft before it: what is older stays archive for good', async () => {
    await published('archived', '2026-11-12T13:59:59Z')
    await published('quillmark', '2026-11-12T14:00:00Z')
    expect(slugsOf(await draft('2026-W47'))).toEqual(['quillmark'])

    clock.moveTo(thursday48)

    expect((await draft('2026-W48')).leftOut).toEqual([
      reasonFor('archived', 'archive: published before the first issue began'),
      reasonFor('quillmark', 'in issue 2026-W47'),
    ])
  })

  it('is never less than a week before the cut-off, however early the first draft is made', async () => {
    clock.moveTo('2026-11-16T12:00:00Z')
    await published('eight-days-old', '2026-11-08T12:00:00Z')
    await published('six-days-old', '2026-11-10T12:00:00Z')

    expect(slugsOf(await draft('2026-W47'))).toEqual(['six-days-old'])
  })

  it('stays where it was when a first issue is drafted again later', async () => {
    await published('quillmark', '2026-11-12T14:00:00Z')
    await draft('2026-W47')

    clock.moveTo('2026-11-23T14:00:00Z')

    expect(slugsOf(await draft('2026-W47'))).toEqual(['quillmark'])
  })

  it('is no lower bound for later issues: what was committed late is still taken in', async () => {
    await published('quillmark', '2026-11-17T10:00:00Z')
    await draft('2026-W47')
    clock.moveTo(thursday48)

    await published('late', '2026-11-13T10:00:00Z')

    expect(slugsOf(await draft('2026-W48'))).toEqual(['late'])
  })
})

describe('a cancelled issue', () => {
  it('frees its comparisons for the next one', async () => {
    await published('quillmark', '2026-11-17T10:00:00Z')
    await draft('2026-W47')
    await decide(desk(), '2026-W47', 'cancel', 'eve@example.test')

    clock.moveTo(thursday48)

    expect(slugsOf(await draft('2026-W48'))).toEqual(['quillmark'])
  })

  it('keeps them when some readers may have it already', async () => {
    await people.ann(database.db)
    await published('quillmark', '2026-11-17T10:00:00Z')
    await draft('2026-W47')
    const mail = openPostOffice()
    mail.answerNext({ kind: 'halt', reason: 'the key is wrong' })
    await sendIssue(newsletterWith(database, { clock, transport: mail }), '2026-W47', { early: true })
    await decide(desk(), '2026-W47', 'cancel', 'eve@example.test')

    clock.moveTo(thursday48)
    const next = await draft('2026-W48')

    expect(next.outcome).toBe('quiet week')
    expect(next.leftOut).toEqual([reasonFor('quillmark', 'in issue 2026-W47')])
  })
})

describe('the rehearsal of an earlier week after a later one', () => {
  it('takes what was there then, and leaves the later issue what it has', async () => {
    await published('october', '2026-10-13T10:00:00Z')
    await published('quillmark', '2026-11-17T10:00:00Z')
    await draft('2026-W47')

    clock.moveTo('2026-10-15T13:00:00Z')
    const rehearsed = await draft('2026-W42')

    expect(slugsOf(rehearsed)).toEqual(['october'])
    expect(rehearsed.leftOut).toEqual([reasonFor('quillmark', 'in issue 2026-W47')])
    expect(await slugsIn('2026-W47')).toEqual(['quillmark'])
  })

  it('becomes the first issue: nothing between it and the later one is archive any more', async () => {
    await published('october', '2026-10-13T10:00:00Z')
    await published('between', '2026-11-02T10:00:00Z')
    await published('quillmark', '2026-11-17T10:00:00Z')
    expect(slugsOf(await draft('2026-W47'))).toEqual(['quillmark'])
    clock.moveTo('2026-10-15T13:00:00Z')
    await draft('2026-W42')

    clock.moveTo(thursday47)

    expect(slugsOf(await draft('2026-W47'))).toEqual(['between', 'quillmark'])
  })
})

function desk() {
  return newsletterWith(database, { clock, transport: openPostOffice() })
}

function published(slug: string, publishedAt: string, retracted?: true) {
  return publish(database.db, documentFor(slug, { publishedAt, ...(retracted && { retracted }) }))
}

/** The selection, for an issue that is not there yet unless one is given: up to Thursday of week 47, and a week back. */
function select({ most = 10, issueId = 0 } = {}) {
  return selectComparisons(database.db, {
    ...{ issueId, most },
    cutoff: Temporal.Instant.from(thursday47),
    baseline: Temporal.Instant.from('2026-11-12T14:00:00Z'),
  })
}

async function leftOut(): Promise<readonly LeftOut[]> {
  const selection = await select()
  expect(selection.chosen).toEqual([])
  return selection.leftOut
}

function draft(week: string): Promise<DraftResult> {
  const named = weekNamed(week, newYork)
  if (!named) throw new Error(`${week} is no week`)
  return draftIssue(desk(), named)
}

function reasonFor(slug: string, reason: string): LeftOut {
  return { slug, title: `${slug} left vs ${slug} right`, reason }
}

function slugsOf({ chosen }: DraftResult): readonly string[] {
  return chosen.map(({ slug }) => slug).sort()
}

async function slugsIn(week: string): Promise<readonly string[]> {
  const rows = await database.db
    .selectFrom('issue_comparison as ic')
    .innerJoin('issue as i', 'i.id', 'ic.issue_id')
    .innerJoin('comparison as c', 'c.id', 'ic.comparison_id')
    .select('c.slug')
    .where('i.week', '=', week)
    .where('ic.counts', '=', true)
    .execute()
  return rows.map(({ slug }) => slug).sort()
}
