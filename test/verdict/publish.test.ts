import { describe, expect, it } from 'vitest'
import { composeComparison } from '../../src/issue/compose.ts'
import type { ComparisonDocument } from '../../src/verdict/document.ts'
import { loadComparisons } from '../../src/verdict/load.ts'
import { foreseePublishing, publishComparison } from '../../src/verdict/publish.ts'
import { findRevision, listRevisions } from '../../src/verdict/revisions.ts'
import { clockAt } from '../setup/clock.ts'
import { documentFor, sampleDocuments } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'

const database = useDatabase()
const clock = clockAt('2026-11-18T15:00:00Z')
const quillmark = documentFor('quillmark')

describe('publishing a comparison', () => {
  it('makes it, with both tools and all reviews', async () => {
    expect(await publish(quillmark)).toBe('created')

    const [stored] = await load()
    expect(stored).toMatchObject({
      ...{ slug: 'quillmark', revision: 1, title: quillmark.title, tools: quillmark.tools },
    })
    expect(String(stored?.publishedAt)).toBe('2026-11-18T14:00:00Z')
  })

  it('again changes nothing, however its fields are ordered', async () => {
    await publish(quillmark, '2026-11-18T15:00:00Z')
    const { slug, ...others } = quillmark

    expect(await publish({ ...others, slug }, '2026-11-18T16:00:00Z')).toBe('unchanged')

    expect(await revisions()).toEqual([[1, '2026-11-18T15:00:00Z', quillmark.title]])
    expect(String((await row()).revised_at)).toBe('2026-11-18T15:00:00Z')
  })

  it('with changes makes the next revision, and keeps what was said before, with its instant', async () => {
    await publish(quillmark, '2026-11-18T15:00:00Z')
    expect(await publish({ ...quillmark, title: 'Second' }, '2026-11-18T16:00:00Z')).toBe('updated')
    expect(await publish({ ...quillmark, title: 'Third' }, '2026-11-18T17:00:00Z')).toBe('updated')

    expect(await revisions()).toEqual([
      [1, '2026-11-18T15:00:00Z', quillmark.title],
      [2, '2026-11-18T16:00:00Z', 'Second'],
      [3, '2026-11-18T17:00:00Z', 'Third'],
    ])
    const { title, revision, created_at, revised_at } = await row()
    expect([title, revision, String(created_at), String(revised_at)]).toEqual([
      ...['Third', 3, '2026-11-18T15:00:00Z', '2026-11-18T17:00:00Z'],
    ])
  })

  it('back to what it said once is a revision too', async () => {
    await publish(quillmark)
    await publish({ ...quillmark, title: 'Second' })

    expect(await publish(quillmark)).toBe('updated')

    expect((await revisions()).map(([revision, , title]) => [revision, title])).toEqual([
      [1, quillmark.title],
      [2, 'Second'],
      [3, quillmark.title],
    ])
  })

  it('replaces tools and reviews: what the new document leaves out is gone', async () => {
    await publish(quillmark)
    const [left, right] = quillmark.tools
    if (!left || !right) throw new Error('A comparison has two tools')
    const other = { ...documentFor('inkwell').tools[0], slug: 'inkwell' } as typeof left
    const fewer = { ...left, priceNote: 'from 9 a month', reviews: left.reviews.slice(0, 2) }

    await publish({ ...quillmark, tools: [other, fewer] })

    expect((await load())[0]?.tools).toMatchObject([
      { slug: 'inkwell', reviews: { length: 4 } },
      { slug: left.slug, priceNote: 'from 9 a month', reviews: fewer.reviews },
    ])
  })

  it('shares a tool with another comparison, each with its own words about it', async () => {
    const [left, right] = quillmark.tools
    if (!left || !right) throw new Error('A comparison has two tools')
    await publish(quillmark)

    await publish({ ...documentFor('inkwell'), tools: [{ ...right, tagline: 'Another view' }, left] })

    expect(await database.db.selectFrom('tool').select('slug').orderBy('slug').execute()).toEqual([
      { slug: 'quillmark-left' },
      { slug: 'quillmark-right' },
    ])
    expect((await load()).map(({ tools }) => tools.map((tool) => tool.tagline))).toEqual([
      [left.tagline, right.tagline],
      ['Another view', left.tagline],
    ])
  })

  it('is all or nothing: a document that the tables refuse leaves no trace', async () => {
    await publish(quillmark)
    const [left] = quillmark.tools
    if (!left) throw new Error('A comparison has two tools')

    await expect(publish({ ...quillmark, title: 'Two of the same', tools: [left, left] })).rejects.toThrow()
    await expect(publish({ ...documentFor('inkwell'), tools: [left, left] })).rejects.toThrow()

    expect(await load()).toMatchObject([{ slug: 'quillmark', title: quillmark.title, revision: 1 }])
    expect(await revisions()).toHaveLength(1)
  })
})

describe('the revisions of a comparison', () => {
  it('are kept with whoever brought them, newest first, and what nobody named stays nameless', async () => {
    await publish(quillmark)
    await publishComparison({ db: database.db, clock }, { ...quillmark, title: 'Second' }, 'eve@example.test')

    const revisions = await listRevisions(database.db, 'quillmark', { most: 10 })

    expect(revisions.map(({ revision, by, document }) => [revision, by, document.title])).toEqual([
      [2, 'eve@example.test', 'Second'],
      [1, null, quillmark.title],
    ])
    expect(await findRevision(database.db, 'quillmark', 1)).toMatchObject({ document: quillmark })
    expect(await findRevision(database.db, 'quillmark', 3)).toBeUndefined()
    expect(await findRevision(database.db, 'inkwell')).toBeUndefined()
  })
})

describe('retracting a comparison', () => {
  it('keeps its first instant when the text is mended later', async () => {
    await publish({ ...quillmark, retracted: true }, '2026-11-18T16:00:00Z')
    await publish({ ...quillmark, retracted: true, title: 'Mended' }, '2026-11-18T17:00:00Z')

    expect(String((await row()).retracted_at)).toBe('2026-11-18T16:00:00Z')
  })

  it('keeps when it happened, and every word', async () => {
    await publish(quillmark, '2026-11-18T15:00:00Z')

    expect(await publish({ ...quillmark, retracted: true }, '2026-11-18T16:00:00Z')).toBe('updated')

    expect(String((await row()).retracted_at)).toBe('2026-11-18T16:00:00Z')
    expect((await load())[0]?.tools).toMatchObject(quillmark.tools)
  })

  it('is undone by the document without it', async () => {
    await publish({ ...quillmark, retracted: true })

    expect(await publish(quillmark)).toBe('updated')

    expect((await row()).retracted_at).toBeNull()
    expect(await revisions()).toHaveLength(2)
  })
})

describe('what publishing would come to', () => {
  it('is said without doing it', async () => {
    expect(await foreseePublishing(database.db, quillmark)).toBe('created')
    expect(await load()).toEqual([])

    await publish(quillmark)
    expect(await foreseePublishing(database.db, quillmark)).toBe('unchanged')
    expect(await foreseePublishing(database.db, { ...quillmark, title: 'Second' })).toBe('updated')
    expect(await revisions()).toHaveLength(1)
  })
})

describe('publishing from several places at once', () => {
  it('takes in one of eight equal documents, and the others change nothing', async () => {
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => publish(quillmark)))

    expect(outcomes.toSorted()).toEqual(['created', ...Array.from({ length: 7 }, () => 'unchanged')])
    expect(await revisions()).toHaveLength(1)
    expect(await load()).toHaveLength(1)
  })

  it('makes eight revisions of eight different documents, and the row says what the last one does', async () => {
    const titles = Array.from({ length: 8 }, (_, n) => `Title ${n}`)

    const outcomes = await Promise.all(titles.map((title) => publish({ ...quillmark, title })))

    expect(outcomes.toSorted()).toEqual(['created', ...Array.from({ length: 7 }, () => 'updated')])
    const kept = await revisions()
    expect(kept.map(([revision]) => revision)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(kept.map(([, , title]) => title).toSorted()).toEqual(titles)
    expect((await load())[0]).toMatchObject({ title: kept.at(-1)?.[2], revision: 8 })
  })

  it('does not stop when comparisons share their tools the other way round', async () => {
    const [left, right] = quillmark.tools
    if (!left || !right) throw new Error('A comparison has two tools')
    const documents = Array.from({ length: 12 }, (_, n) => ({
      ...documentFor(`pair-${n}`),
      tools: n % 2 === 0 ? [left, right] : [right, left],
    }))

    const outcomes = await Promise.all(documents.map((document) => publish(document)))

    expect(new Set(outcomes)).toEqual(new Set(['created']))
    expect(await load()).toHaveLength(12)
  })
})

describe('the seed', () => {
  const seed = sampleDocuments().get('claude-4-sonnet-vs-smolvlm2') ?? expect.fail('the seed is not there')

  it('comes back from the tables word for word', async () => {
    await publish(seed)

    const [stored] = await load()
    expect(stored?.tools.map(({ community, ...tool }) => tool)).toMatchObject(seed.tools)
    expect(stored?.tools.map((tool) => tool.reviews.length)).toEqual([4, 4])
  })

  it('is what its page says: both shipped by all, no votes yet, one paid and one free', async () => {
    await publish(seed)

    const [stored] = await load()
    const composed = stored && composeComparison(stored)
    expect(composed).toMatchObject({
      ...{ title: 'Claude 4 Sonnet vs SmolVLM2', category: 'Developer Tools', winner: 'Both' },
      sentence: 'Panel ships both; SmolVLM2 is free to start.',
      tools: [
        { name: 'Claude 4 Sonnet', panel: { percent: 100 }, communityLabel: '—', entry: 'Paid' },
        { name: 'SmolVLM2', panel: { percent: 100 }, communityLabel: '—', entry: 'Free' },
      ],
    })
    expect(composed?.split).toEqual(
      ['Builder', 'Skeptic', 'Futurist', 'Founder'].map((lens) => ({
        ...{ lens, verdicts: ['ship', 'ship'], parts: false },
      })),
    )
  })

  it('has every word that the panel said: 1112 in eight reviews', () => {
    const quotes = seed.tools.map((tool) =>
      Object.fromEntries(tool.reviews.map((r) => [r.reviewer, r.quote])),
    )

    expect(quotes[0]).toMatchObject({
      builder: expect.stringMatching(/^The primitive here is a long-context transformer/),
      skeptic: expect.stringMatching(/keeping the higher price point defensible\.$/),
      futurist: expect.stringMatching(/the right direction placed at the right time\.$/),
      founder: expect.stringMatching(/when your differentiation is capability, not interface\.$/),
    })
    expect(quotes[1]).toMatchObject({
      builder: expect.stringMatching(/optimized for deployability, not benchmark theater\.$/),
      skeptic: expect.stringMatching(/the adoption flywheel is already spinning\.$/),
      futurist: expect.stringMatching(/but this release moves the line\.$/),
      founder: expect.stringMatching(/and Hugging Face has the volume\.$/),
    })
    expect(
      quotes
        .flatMap((byReviewer) => Object.values(byReviewer))
        .join(' ')
        .split(/\s+/),
    ).toHaveLength(1112)
  })
})

describe('every sample', () => {
  it('can be published, and comes back as it was', async () => {
    for (const document of sampleDocuments().values()) expect(await publish(document)).toBe('created')
    for (const document of sampleDocuments().values()) expect(await publish(document)).toBe('unchanged')

    const stored = await load()
    expect(stored).toHaveLength(16)
    for (const { slug, tools, title } of stored) {
      const document = sampleDocuments().get(slug)
      expect(title).toBe(document?.title)
      for (const [side, { reviews, community, ...tool }] of tools.entries()) {
        const { reviews: written, community: votes, ...given } = document?.tools[side] ?? expect.fail(slug)
        expect(tool).toEqual({ priceNote: undefined, url: undefined, ...given })
        expect(community).toEqual(votes ?? { ship: 0, skip: 0 })
        expect(new Set(reviews)).toEqual(new Set(written))
      }
    }
  })
})

function publish(document: ComparisonDocument, at?: string) {
  if (at) clock.moveTo(at)
  return publishComparison({ db: database.db, clock }, document)
}

/** Every comparison there is, as the rules see it. */
async function load() {
  const rows = await database.db.selectFrom('comparison').select('id').orderBy('id').execute()
  return loadComparisons(
    database.db,
    rows.map(({ id }) => id),
  )
}

function row() {
  return database.db.selectFrom('comparison').selectAll().executeTakeFirstOrThrow()
}

async function revisions(): Promise<readonly (readonly [number, string, string])[]> {
  const rows = await database.db.selectFrom('comparison_revision').selectAll().orderBy('revision').execute()
  return rows.map(({ revision, revised_at, document }) => {
    const title = 'title' in document ? String(document.title) : ''
    return [revision, String(revised_at), title] as const
  })
}
