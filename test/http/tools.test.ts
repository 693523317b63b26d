import type { Hono } from 'hono'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ComparisonDocument } from '../../src/verdict/document.ts'
import { appOn } from '../setup/app.ts'
import { clockAt } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { friday } from '../setup/delivery.ts'
import { pageOf, words } from '../setup/pages.ts'

const database = useDatabase()
const attack = `</script><img src=x onerror=alert(1)>"'&`
let clock = clockAt(friday)
let app: Hono

beforeEach(() => {
  clock = clockAt(friday)
  app = appOn(database, { clock })
})

describe('the page of a tool', () => {
  it('says what its newest comparison says of it', async () => {
    await compared('old-vs', '2026-10-01T09:00:00Z', { tagline: 'What it was' }, 0)
    await compared('new-vs', '2026-11-01T09:00:00Z', { tagline: 'What it is', priceNote: 'from $9' }, 3)

    const { document, status } = await pageOf(app, '/tools/glyphmoor')

    expect(status).toBe(200)
    expect(document.querySelector('h1')?.textContent).toBe('Glyphmoor')
    expect(document.querySelector('h1 + .lede')?.textContent).toBe('What it is')
    expect(document.querySelector('.answer')?.textContent).toBe('Panel ships Glyphmoor: 3 of 4 ship it.')
    const figures = [...document.querySelectorAll('.figure')].map(({ textContent }) => words(textContent))
    expect(figures).toEqual([
      'ship 75% Panel ship 3 of 4 ship it',
      '80% Community of 5 readers',
      'Free Entry from $9',
    ])
    expect(document.querySelector('.kicker a')?.getAttribute('href')).toBe('/categories/design')
  })

  it('lists every comparison it was in, the newest first, each with who won', async () => {
    await compared('lost-vs', '2026-10-01T09:00:00Z', {}, 0, 4)
    await compared('tied-vs', '2026-10-08T09:00:00Z', {}, 4, 4)
    await compared('won-vs', '2026-11-01T09:00:00Z', {}, 4, 0)
    await publish(database.db, documentFor('others-vs'))

    const { document } = await pageOf(app, '/tools/glyphmoor')

    expect(document.querySelector('#comparisons + .read')?.textContent).toBe(
      'Compared 3 times: won 1, lost 1, tied 1.',
    )
    const listed = [...document.querySelectorAll('.outcomes > li')].map((line) => [
      line.querySelector('a')?.getAttribute('href'),
      line.querySelector('.kicker bdi')?.textContent,
      line.querySelector('.stamp')?.textContent,
    ])
    expect(listed).toEqual([
      ['/compare/won-vs', 'Glyphmoor', 'ship'],
      ['/compare/tied-vs', 'Both', 'ship'],
      ['/compare/lost-vs', 'lost-vs right', 'skip'],
    ])
  })

  it.each([
    ['nobody has compared', async () => {}],
    ['is only in a comparison to come', () => compared('later-vs', '2026-12-01T09:00:00Z')],
    ['is only in one that was retracted', () => retracted('gone-vs', '2026-11-01T09:00:00Z')],
  ])('is not there for a tool that %s', async (_, happened) => {
    await happened()

    expect((await pageOf(app, '/tools/glyphmoor')).status).toBe(404)
  })

  it('says nothing of a comparison that was retracted since, from the next second on', async () => {
    await compared('first-vs', '2026-10-01T09:00:00Z')
    await compared('gone-vs', '2026-11-01T09:00:00Z')
    const before = await pageOf(app, '/tools/glyphmoor')
    await retracted('gone-vs', '2026-11-01T09:00:00Z')
    clock.pass('PT1S')

    const after = await pageOf(app, '/tools/glyphmoor')

    expect(before.html).toContain('/compare/gone-vs')
    expect(after.html).not.toContain('gone-vs')
    expect(after.document.querySelectorAll('.outcomes > li')).toHaveLength(1)
  })

  it('is known again by who has it, until somebody votes', async () => {
    await compared('new-vs', '2026-11-01T09:00:00Z')
    const { answer } = await pageOf(app, '/tools/glyphmoor')
    const headers = { 'If-None-Match': answer.headers.get('ETag') ?? '' }

    const again = await app.request('/tools/glyphmoor', { headers })
    await database.db.updateTable('comparison_tool').set({ community_skip: 7 }).execute()
    clock.pass('PT1S')
    const later = await app.request('/tools/glyphmoor', { headers })

    expect(answer.headers.get('Cache-Control')).toBe('public, max-age=60')
    expect([again.status, later.status]).toEqual([304, 200])
  })

  it('tells search engines and link previews what it is, without a rating', async () => {
    await compared('new-vs', '2026-11-01T09:00:00Z', { tagline: attack })

    const { document, html } = await pageOf(app, '/tools/glyphmoor')

    const url = 'https://news.example.com/tools/glyphmoor'
    expect(document.querySelector('link[rel=canonical]')?.getAttribute('href')).toBe(url)
    expect(document.querySelector('meta[property="og:url"]')?.getAttribute('content')).toBe(url)
    expect(document.querySelector('meta[name=description]')?.getAttribute('content')).toContain('Glyphmoor')
    expect(html.match(/<script/g)).toHaveLength(1)
    expect(document.querySelector('img')).toBeNull()
    const data = JSON.parse(document.querySelector('script')?.textContent ?? '')
    expect(data).toMatchObject({ '@type': 'WebPage', url, name: 'Glyphmoor' })
    expect(data.mainEntity).toMatchObject({ '@type': 'SoftwareApplication', description: attack })
    expect(data.breadcrumb.itemListElement.map(({ name }: { name: string }) => name)).toEqual([
      ...['Weekly AI Tool Verdicts', 'Design', 'Glyphmoor'],
    ])
    expect(JSON.stringify(data)).not.toMatch(/rating/i)
  })

  it('is a press away from each comparison with it, and its form too', async () => {
    await compared('new-vs', '2026-11-01T09:00:00Z')

    const { document } = await pageOf(app, '/compare/new-vs')

    const links = [...document.querySelectorAll('article a')].map((link) => link.getAttribute('href'))
    for (const path of ['/tools/glyphmoor', '/tools/glyphmoor#follow', '/categories/design'])
      expect(links).toContain(path)
  })

  it('has a form that says what is followed, and where', async () => {
    await compared('new-vs', '2026-11-01T09:00:00Z')

    const { document } = await pageOf(app, '/tools/glyphmoor')

    const form = document.querySelector('#follow form')
    const fields = [...(form?.querySelectorAll('input') ?? [])].map((input) => [
      input.getAttribute('name'),
      input.getAttribute('value'),
    ])
    expect(form?.getAttribute('action')).toBe('/subscribe')
    expect(words(form?.querySelector('button')?.textContent)).toBe('Follow Glyphmoor')
    for (const field of [
      ['follow-tool', 'glyphmoor'],
      ['cadence', 'weekly'],
      ['cadence', 'followed'],
      ['page', '/tools/glyphmoor'],
    ])
      expect(fields).toContainEqual(field)
  })
})

/** Glyphmoor, as a comparison presents it, on the left; `ships` and `others` of four ship each side. */
async function compared(
  slug: string,
  publishedAt: string,
  changes: Partial<ComparisonDocument['tools'][number]> = {},
  ships = 4,
  others = 0,
): Promise<ComparisonDocument> {
  const document = documentFor(slug, { publishedAt }, [ships, others])
  const [left, right] = document.tools
  if (!left || !right) throw new Error('A comparison has two tools')
  const glyphmoor = {
    slug: 'glyphmoor',
    name: 'Glyphmoor',
    category: 'Design',
    community: { ship: 4, skip: 1 },
  }
  return publish(database.db, { ...document, tools: [{ ...left, ...glyphmoor, ...changes }, right] })
}

async function retracted(slug: string, publishedAt: string): Promise<void> {
  await publish(database.db, { ...(await compared(slug, publishedAt)), retracted: true })
}
