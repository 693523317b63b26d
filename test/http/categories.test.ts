import { describe, expect, it } from 'vitest'
import type { ComparisonDocument } from '../../src/verdict/document.ts'
import { publishComparison } from '../../src/verdict/publish.ts'
import { appOn } from '../setup/app.ts'
import { clockAt } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { friday } from '../setup/delivery.ts'
import { type Page, pageOf, words } from '../setup/pages.ts'

const database = useDatabase()

describe('the page of a category', () => {
  it('lists its tools, what the panel ships first, and its comparisons, the newest first', async () => {
    await compared('a-vs-b', 'Design & UX', '2026-10-01T09:00:00Z', [1, 4])
    await compared('c-vs-d', 'Design & UX', '2026-11-01T09:00:00Z', [3, 2])
    await compared('e-vs-f', 'Audio', '2026-11-02T09:00:00Z', [4, 4])

    const page = await pageOf(appOn(database), '/categories/design-and-ux')
    const { document, status } = page

    expect(status).toBe(200)
    expect(document.querySelector('h1')?.textContent).toBe('Design & UX')
    expect(document.querySelector('.answer')?.textContent).toBe('Panel ships 2 of the 4.')
    const tools = [...document.querySelectorAll('tbody tr')].map((row) => [
      row.querySelector('a')?.getAttribute('href'),
      row.querySelector('.stamp')?.textContent,
    ])
    expect(tools).toEqual([
      ['/tools/a-vs-b-right', 'ship'],
      ['/tools/c-vs-d-left', 'ship'],
      ['/tools/c-vs-d-right', 'split'],
      ['/tools/a-vs-b-left', 'skip'],
    ])
    expect(comparisonsOn(page)).toEqual(['/compare/c-vs-d', '/compare/a-vs-b'])
  })

  it('shows a tool once, by its newest comparison', async () => {
    const first = await compared('a-vs-b', 'Design', '2026-10-01T09:00:00Z', [4, 4])
    const next = documentFor('c-vs-d', { publishedAt: '2026-11-01T09:00:00Z' }, [0, 0])
    const again = { ...next.tools[0], slug: first.tools[0]?.slug ?? '', category: 'Design' }
    await publish(database.db, { ...next, tools: [again, next.tools[1]] } as typeof next)

    const { document } = await pageOf(appOn(database), '/categories/design')

    const stamps = [...document.querySelectorAll('tbody tr')].map((row) => words(row.textContent))
    expect(stamps.filter((row) => row.includes('left'))).toEqual([expect.stringContaining('skip')])
  })

  it('leaves out what is to come and what was retracted, and is not there without anything else', async () => {
    const clock = clockAt(friday)
    const app = appOn(database, { clock })
    const only = await compared('a-vs-b', 'Design', '2026-10-01T09:00:00Z', [4, 0])
    await compared('c-vs-d', 'Design', '2026-12-01T09:00:00Z', [4, 0])
    await compared('e-vs-f', 'Robots', '2026-12-01T09:00:00Z', [4, 0])
    const before = await pageOf(app, '/categories/design')
    await publishComparison({ db: database.db, clock }, { ...only, retracted: true })
    clock.pass('PT1S')

    const after = await pageOf(app, '/categories/design')

    expect(comparisonsOn(before)).toEqual(['/compare/a-vs-b'])
    expect(after.status).toBe(404)
    for (const slug of ['robots', 'nothing', '%ff', '..%2f..']) {
      expect((await pageOf(app, `/categories/${slug}`)).status, slug).toBe(404)
    }
  })

  it('is one page for all spellings, and for any script', async () => {
    await compared('a-vs-b', 'Developer Tools', '2026-10-01T09:00:00Z', [4, 0])
    await compared('c-vs-d', 'Developer tools', '2026-11-01T09:00:00Z', [4, 0])
    await compared('e-vs-f', '开发工具', '2026-11-02T09:00:00Z', [4, 0])

    const app = appOn(database)

    const page = await pageOf(app, '/categories/developer-tools')
    expect(page.document.querySelector('h1')?.textContent).toBe('Developer tools')
    expect(comparisonsOn(page)).toEqual(['/compare/c-vs-d', '/compare/a-vs-b'])
    const chinese = await pageOf(app, `/categories/${encodeURIComponent('开发工具')}`)
    expect(chinese.document.querySelector('h1')?.textContent).toBe('开发工具')
  })

  it('keeps markup as text, and says what it is in words of JSON', async () => {
    const name = '<b>Bold</b> </script>'
    await compared('a-vs-b', name, '2026-10-01T09:00:00Z', [4, 0])

    const { document, html } = await pageOf(appOn(database), '/categories/b-bold-b-script')

    expect(document.querySelector('h1')?.textContent).toBe(name)
    expect(document.querySelector('b')).toBeNull()
    expect(html.match(/<script/g)).toHaveLength(1)
    const data = JSON.parse(document.querySelector('script')?.textContent ?? '')
    expect(data).toMatchObject({ '@type': 'CollectionPage', name, mainEntity: { numberOfItems: 1 } })
    expect(document.querySelector('[name=follow-category]')?.getAttribute('value')).toBe(name)
  })
})

async function compared(
  slug: string,
  category: string,
  publishedAt: string,
  shape: readonly [number, number],
): Promise<ComparisonDocument> {
  const { tools, ...rest } = documentFor(slug, { publishedAt }, shape)
  const document = { ...rest, tools: tools.map((tool) => ({ ...tool, category })) }
  await publishComparison({ db: database.db, clock: clockAt('2026-10-01T09:00:00Z') }, document)
  return document
}

function comparisonsOn({ document }: Page): readonly (string | null | undefined)[] {
  return [...document.querySelectorAll('.outcomes > li h3 a')].map((link) => link.getAttribute('href'))
}
