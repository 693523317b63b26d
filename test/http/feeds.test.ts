import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Ajv } from 'ajv'
import { parseHTML } from 'linkedom'
import { describe, expect, it } from 'vitest'
import { validateXML } from 'xmllint-wasm'
import { sendIssue } from '../../jobs/send-issue.ts'
import { sitemapRoutes } from '../../src/http/public/sitemap.ts'
import { publishComparison } from '../../src/verdict/publish.ts'
import { appOn } from '../setup/app.ts'
import { clockAt } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { dueIssue, friday } from '../setup/delivery.ts'
import { people } from '../setup/people.ts'

const database = useDatabase()
const site = 'https://news.example.com'
const awkward = 'Quill & <b>Ink</b> ]]> vs ]]>]]> “Moor” 🦊'

describe('the feed as Atom', () => {
  it('is valid by the grammar of RFC 4287, empty and full', async () => {
    const empty = await read('/feed.xml')
    await sent()

    const full = await read('/feed.xml')

    expect(await faultsOf(empty)).toEqual([])
    expect(await faultsOf(full)).toEqual([])
    expect(
      await faultsOf(full.replace('<updated>', '<update>').replace('</updated>', '</update>')),
    ).not.toEqual([])
  })

  it('has the issue under its own address, with its headline and all that it says', async () => {
    const { subject } = await sent()

    const { document } = parseHTML((await read('/feed.xml')).replace(/^<\?xml.*?\?>/, ''))

    const entry = document.querySelector('entry')
    expect(entry?.querySelector('id')?.textContent).toBe(`${site}/issues/2026-W47`)
    expect(entry?.querySelector('link')?.getAttribute('href')).toBe(`${site}/issues/2026-W47`)
    expect(entry?.querySelector('title')?.textContent).toContain(subject)
    expect(entry?.querySelector('published')?.textContent).toBe('2026-11-20T14:00:00.000Z')
    expect(document.querySelector('feed > updated')?.textContent).toBe('2026-11-20T14:00:00.000Z')
  })

  it('says that an issue was updated when something in it was retracted', async () => {
    await sent()
    const before = JSON.parse(await read('/feed.json')).items[0]
    const at = '2026-11-24T08:00:00Z'
    await retractAt(at)

    const after = JSON.parse(await read('/feed.json', at)).items[0]

    expect(before.date_modified).toBe('2026-11-20T14:00:00Z')
    expect(after.date_modified).toBe(at)
    expect(after.id).toBe(before.id)
    expect(after.content_html).toContain('Retracted since this issue was sent:')
  })
})

describe('the feed after a verdict was revised', () => {
  it('says what was corrected, when, and that the issue was updated then; and stays valid', async () => {
    await sent()
    const at = '2026-11-25T08:00:00Z'
    await reviseAt('2026-11-24T08:00:00Z', documentFor('glyphmoor-vs-kernwick', {}, [1, 3]))
    await reviseAt(at, { ...documentFor('glyphmoor-vs-kernwick', {}, [1, 2]), title: 'A <b>new</b> title' })

    const entry = JSON.parse(await read('/feed.json', at)).items[0]

    expect(entry.date_modified).toBe(at)
    expect(entry.content_html).toContain('Corrected since this issue was sent:')
    expect(entry.content_html).toContain(`${site}/compare/glyphmoor-vs-kernwick`)
    expect(entry.content_html).toContain('A &lt;b&gt;new&lt;/b&gt; title')
    expect(entry.content_html).toContain(
      'glyphmoor-vs-kernwick left on 24 November 2026: it shipped it before, 4 of 4; now 1 of 4',
    )
    expect(entry.content_html).toContain(
      'glyphmoor-vs-kernwick right on 25 November 2026: it skipped it before, 0 of 4; now 2 of 4',
    )
    expect(await faultsOf(await read('/feed.xml', at))).toEqual([])
  })

  it('says nothing when only words were mended, or when it is as it was again', async () => {
    await sent()
    await reviseAt('2026-11-23T08:00:00Z', documentFor('glyphmoor-vs-kernwick', {}, [0, 4]))
    await reviseAt('2026-11-24T08:00:00Z', documentFor('glyphmoor-vs-kernwick', { title: 'Mended' }))

    const entry = JSON.parse(await read('/feed.json', '2026-11-25T08:00:00Z')).items[0]

    expect(entry.date_modified).toBe('2026-11-20T14:00:00Z')
    expect(entry.content_html).not.toContain('Corrected since')
  })
})

describe('the feed as JSON', () => {
  it('is valid by the schema of JSON Feed 1.1, empty and full', async () => {
    const empty = JSON.parse(await read('/feed.json'))
    await sent()

    const full = JSON.parse(await read('/feed.json'))

    const isValid = new Ajv({ strict: false, validateFormats: false }).compile(schema)
    expect([isValid(empty), isValid.errors]).toEqual([true, null])
    expect([isValid(full), isValid.errors]).toEqual([true, null])
    expect(full.version).toBe('https://jsonfeed.org/version/1.1')
    expect(isValid({ ...full, items: [{}] })).toBe(false)
  })

  it('says all that the issue says, in plain HTML: no style, no frame, nothing of the mail’s own, every link absolute', async () => {
    await sent()

    const [item] = JSON.parse(await read('/feed.json')).items

    const { document } = parseHTML(`<html><body>${item.content_html}</body></html>`)
    const said = (document.body.textContent ?? '').replace(/\s+/g, ' ')
    for (const phrase of [
      'glyphmoor-vs-kernwick left',
      'The left one of two',
      'Reviewer by reviewer',
      awkward,
    ])
      expect(said).toContain(phrase)
    expect(item.title).not.toContain('&amp;')
    expect(item.content_html).not.toMatch(/style|class=|<!--|<script|<h1|Unsubscribe|Change or pause/)
    const links = [...document.querySelectorAll('a')].map((link) => link.getAttribute('href'))
    expect(links.length).toBeGreaterThan(0)
    expect(links.filter((link) => !link?.startsWith(`${site}/compare/`))).toEqual([])
  })
})

describe('the sitemap', () => {
  it('has every page that is for everybody, and none that is retracted or to come', async () => {
    await sent()
    await publish(database.db, documentFor('later-vs-sooner', { publishedAt: '2026-12-01T09:00:00Z' }))
    await publish(database.db, { ...documentFor('gone-vs-here'), retracted: true })

    const map = await read('/sitemap.xml')

    expect(await validity(map, sitemapSchema())).toEqual([])
    expect(locations(map)).toEqual(
      [
        '/',
        '/subscribe',
        '/issues',
        '/issues/2026-W47',
        '/compare/awkward',
        '/compare/glyphmoor-vs-kernwick',
        '/tools/awkward-left',
        '/tools/awkward-right',
        '/tools/glyphmoor-vs-kernwick-left',
        '/tools/glyphmoor-vs-kernwick-right',
        '/categories/developer-tools',
      ].map((path) => site + path),
    )
  })

  it('is split where one file cannot hold it, and each address is in one file', async () => {
    for (const slug of ['a-vs-b', 'c-vs-d', 'e-vs-f', 'g-vs-h']) await publish(database.db, documentFor(slug))
    const routes = sitemapRoutes({ db: database.db, clock: clockAt(friday), wire: { publicUrl: site } }, 3)
    const text = async (path: string) => (await routes.request(path)).text()

    const index = await text('/sitemap.xml')

    const files = locations(index)
    expect(files).toEqual([1, 2, 3, 4, 5, 6].map((n) => `${site}/sitemap-${n}.xml`))
    const all = await Promise.all(files.map(async (file) => locations(await text(new URL(file).pathname))))
    expect(all.map((one) => one.length)).toEqual([3, 3, 3, 3, 3, 1])
    expect(new Set(all.flat()).size).toBe(16)
    for (const path of ['/sitemap-7.xml', '/sitemap-0.xml', '/sitemap-x.xml'])
      expect((await routes.request(path)).status).toBe(404)
  })

  it('is named in robots.txt, which keeps everybody out of what is not public and out of nothing else', async () => {
    await sent()

    const robots = await read('/robots.txt')

    const closed = [...robots.matchAll(/^Disallow: (.+)$/gm)].map(([, path = '']) => path)
    expect(robots).toContain(`Sitemap: ${site}/sitemap.xml`)
    for (const path of ['/desk', '/outbox', '/preferences', '/unsubscribe', '/vote', '/confirm', '/go'])
      expect(closed).toContain(path)
    const open = locations(await read('/sitemap.xml')).map((location) => new URL(location).pathname)
    expect(open.filter((path) => closed.some((one) => path.startsWith(one)))).toEqual([])
  })
})

const require = createRequire(import.meta.url)
const schema = require('jsonfeed-schema/schema-v1.1.json')

async function sent() {
  await people.ann(database.db)
  await publish(database.db, { ...documentFor('awkward'), title: awkward })
  const due = await dueIssue(database)
  await sendIssue(due.deps, '2026-W47')
  return { subject: due.mail.accepted[0]?.subject ?? '' }
}

async function retractAt(at: string) {
  await reviseAt(at, { ...documentFor('glyphmoor-vs-kernwick'), retracted: true })
}

async function reviseAt(at: string, document: ReturnType<typeof documentFor>) {
  await publishComparison({ db: database.db, clock: clockAt(at) }, document)
}

async function read(path: string, at = friday): Promise<string> {
  const answer = await appOn(database, { clock: clockAt(at) }).request(site + path)
  expect(answer.status).toBe(200)
  return answer.text()
}

function locations(map: string): string[] {
  return [...map.matchAll(/<loc>(.*?)<\/loc>/g)].map(([, location = '']) => location)
}

function faultsOf(feed: string) {
  return validity(feed, readFileSync(new URL('../setup/atom.rng', import.meta.url), 'utf8'), 'relaxng')
}

async function validity(xml: string, grammar: string, extension: 'schema' | 'relaxng' = 'schema') {
  const { errors } = await validateXML({ xml, schema: grammar, extension })
  return errors.map(({ message }) => message)
}

function sitemapSchema(): string {
  return readFileSync(
    require.resolve('sitemap/package.json').replace('package.json', 'schema/sitemap.xsd'),
    'utf8',
  )
}
