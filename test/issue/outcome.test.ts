import { beforeEach, describe, expect, it } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { previewEdition } from '../../src/delivery/preview.ts'
import { composeOutcome } from '../../src/issue/compose-outcome.ts'
import { draftIssue } from '../../src/issue/draft.ts'
import { findIssue } from '../../src/issue/issue.ts'
import { weekNamed } from '../../src/issue/week.ts'
import { castVote } from '../../src/subscriber/cast-vote.ts'
import type { Comparison } from '../../src/verdict/comparison.ts'
import { documentFor, publish, toComparison } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { type DueIssue, dueIssue } from '../setup/delivery.ts'
import { newYork } from '../setup/newsletter.ts'
import { reader } from '../setup/people.ts'

const database = useDatabase()
const names = ['ann', 'bob', 'cleo', 'dora', 'emil']
let due: DueIssue

describe('the issue after a week of votes', () => {
  beforeEach(async () => {
    for (const name of names) await reader(database.db, name)
    due = await dueIssue(database)
    await sendIssue(due.deps, '2026-W47')
    await publish(database.db, documentFor('siltbed-vs-marrowgate', { publishedAt: '2026-11-24T14:00:00Z' }))
    due.clock.moveTo('2026-11-26T14:00:00Z')
  })

  it('tells what readers decided, and where they and the panel are furthest apart', async () => {
    await vote('left', ['ship', 'skip', 'skip', 'skip', 'skip'])
    await vote('right', ['skip', 'skip', 'skip', 'skip', 'skip'])

    const { html, text } = await drafted()

    const told = words(text)
    expect(told).toContain('Week 47, as readers voted What the community decided')
    expect(told).toContain(
      'Furthest apart on glyphmoor-vs-kernwick left: 20 % of 5 readers would ship it; of the panel, 4 of 4.',
    )
    expect(told).toContain('glyphmoor-vs-kernwick left Readers 20 % of 5 readers Panel 4 of 4, apart')
    expect(told).toContain('glyphmoor-vs-kernwick right Readers 0 % of 5 readers Panel 0 of 4 ')
    expect(html).toContain('What the community decided')
  })

  it('says nothing of it while nothing has enough votes', async () => {
    await vote('left', ['ship', 'ship', 'ship', 'ship'])

    expect((await drafted()).text).not.toContain('What the community decided')
  })

  it('says nothing of what was retracted since', async () => {
    await vote('left', ['ship', 'ship', 'ship', 'ship', 'ship'])
    await database.db
      .updateTable('comparison')
      .set({ retracted_at: due.clock() })
      .where('slug', '=', 'glyphmoor-vs-kernwick')
      .execute()

    expect((await drafted()).text).not.toContain('glyphmoor')
  })

  it('is the same for each way of reading as when it was drafted, whoever votes meanwhile', async () => {
    await vote('left', ['ship', 'ship', 'ship', 'ship', 'skip'])
    const edition = await drafted()
    await follows('bob', 'Developer Tools')
    const before = await previews()

    await vote('left', ['skip', 'skip', 'skip', 'skip', 'skip'])

    expect(await previews()).toEqual(before)
    expect(before.weekly).toMatchObject({ kind: 'preview', hash: edition.hash })
    expect(before.bob).toMatchObject({ kind: 'preview' })
    expect(JSON.stringify(before.bob)).toContain('with what you follow')
    expect(JSON.stringify(before.bob)).toContain('80 % of 5 readers')
  })

  it('takes in what was voted since when it is drafted again', async () => {
    await vote('left', ['ship', 'ship', 'ship', 'ship', 'skip'])
    await drafted()
    await vote('left', ['skip', 'skip', 'skip', 'skip', 'skip'])

    expect(words((await drafted()).text)).toContain('Readers 0 % of 5 readers Panel 4 of 4, apart')
  })
})

describe('what the community decided', () => {
  it('is nothing without an issue before, or without a result', () => {
    expect(composeOutcome(undefined)).toBeUndefined()
    expect(composeOutcome({ week: '2026-W47', comparisons: [pair([1, 2], [0, 0])] })).toBeUndefined()
  })

  it('says so when readers and panel agree', () => {
    const outcome = composeOutcome({ week: '2026-W47', comparisons: [pair([98, 2], [1, 99])] })

    expect(outcome?.sentence).toBe('Readers and panel agree on every tool that has a result.')
    expect(outcome?.rows[0]?.tools.map(({ isApart }) => isApart)).toEqual([false, false])
  })

  it('says how many comparisons have too few votes to say', () => {
    const comparisons = [pair([9, 1], [0, 4]), pair([1, 1], [0, 0]), pair([0, 0], [0, 0])]

    expect(composeOutcome({ week: '2026-W47', comparisons })?.note).toBe('2 more have too few votes to say.')
    expect(composeOutcome({ week: '2026-W47', comparisons })?.rows[0]?.tools[1]?.community).toBe('—')
  })

  it('calls nobody apart whose panel is split in half, or who are split themselves', () => {
    const split = toComparison(documentFor('quillmark', {}, [2, 2]))
    const comparison = { ...split, tools: withVotesOn(split, [9, 1], [5, 5]) }

    const outcome = composeOutcome({ week: '2026-W47', comparisons: [comparison] })

    expect(outcome?.rows[0]?.tools.map(({ isApart }) => isApart)).toEqual([false, false])
    expect(outcome?.sentence).toContain('90 % of 10 readers would ship it; of the panel, 2 of 4.')
  })
})

/** A comparison whose panel ships the first tool and skips the second, with these votes on each. */
function pair(first: readonly [number, number], second: readonly [number, number]): Comparison {
  const comparison = toComparison(documentFor('quillmark'))
  return { ...comparison, tools: withVotesOn(comparison, first, second) }
}

function withVotesOn(
  { tools: [a, b] }: Comparison,
  first: readonly [number, number],
  second: readonly [number, number],
): Comparison['tools'] {
  return [
    { ...a, community: { ship: first[0], skip: first[1] } },
    { ...b, community: { ship: second[0], skip: second[1] } },
  ]
}

async function vote(side: 'left' | 'right', verdicts: readonly ('ship' | 'skip')[]): Promise<void> {
  const { db } = database
  const tool = await db
    .selectFrom('tool')
    .select('id')
    .where('slug', '=', `glyphmoor-vs-kernwick-${side}`)
    .executeTakeFirstOrThrow()
  const readers = await db.selectFrom('subscriber').select('public_id').orderBy('id').execute()
  const wish = { toolId: tool.id, comparisonId: 1, issueId: due.issue.id, network: '192.0.2.0/24' }
  for (const [n, verdict] of verdicts.entries())
    await castVote({ db, clock: due.clock }, readers[n]?.public_id ?? '', { ...wish, verdict })
}

async function drafted() {
  const week = weekNamed('2026-W48', newYork)
  const { edition } = week ? await draftIssue(due.deps, week) : { edition: null }
  if (!edition) throw new Error('Nothing was drafted')
  return edition
}

async function previews() {
  const issue = await findIssue(database.db, '2026-W48')
  if (!issue) throw new Error('Week 48 has no issue')
  return {
    weekly: await previewEdition(due.deps, issue),
    bob: await previewEdition(due.deps, issue, 'bob@example.test'),
  }
}

async function follows(name: string, category: string): Promise<void> {
  const { db } = database
  const address = `${name}@example.test`
  await db.updateTable('subscriber').set({ cadence: 'followed' }).where('address', '=', address).execute()
  const { id } = await db
    .selectFrom('subscriber')
    .select('id')
    .where('address', '=', address)
    .executeTakeFirstOrThrow()
  await db.insertInto('followed_category').values({ subscriber_id: id, category }).execute()
}

function words(text: string): string {
  return text.replace(/\s+/g, ' ')
}
