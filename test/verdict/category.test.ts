import { describe, expect, it } from 'vitest'
import { categoryPath, categorySlug, publicCategories } from '../../src/verdict/category.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'

const database = useDatabase()

describe('a category in the address of its page', () => {
  it.each([
    ['Developer Tools', 'developer-tools'],
    ['  Éditeurs & UX! ', 'editeurs-and-ux'],
    ['C++', 'c-plus-plus'],
    ['C#', 'c-sharp'],
    ['开发工具', '开发工具'],
    ['…', ''],
  ])('"%s" is "%s"', (name, slug) => {
    expect(categorySlug(name)).toBe(slug)
  })

  it('is a path that any server takes', () => {
    expect(categoryPath('开发 工具')).toBe('/categories/%E5%BC%80%E5%8F%91-%E5%B7%A5%E5%85%B7')
    expect(categoryPath('…')).toBe('')
  })
})

describe('the categories that are public', () => {
  it('have one entry for all spellings, named as it was written last', async () => {
    await publishedIn('Developer Tools', 'a-vs-b', '2026-11-01T09:00:00Z')
    await publishedIn('developer tools', 'c-vs-d', '2026-11-02T09:00:00Z')
    await publishedIn('Audio', 'e-vs-f', '2026-11-03T09:00:00Z')
    await publishedIn('Not yet', 'g-vs-h', '2026-12-03T09:00:00Z')

    const categories = await publicCategories(database.db, Temporal.Instant.from('2026-11-20T14:00:00Z'))

    expect(categories).toEqual([
      { slug: 'audio', name: 'Audio', spellings: ['Audio'] },
      {
        ...{ slug: 'developer-tools', name: 'developer tools' },
        spellings: ['developer tools', 'Developer Tools'],
      },
    ])
  })
})

async function publishedIn(category: string, slug: string, publishedAt: string): Promise<void> {
  const { tools, ...rest } = documentFor(slug, { publishedAt })
  await publish(database.db, { ...rest, tools: tools.map((tool) => ({ ...tool, category })) })
}
