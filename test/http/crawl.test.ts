import { parseHTML } from 'linkedom'
import { describe, expect, it } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { readToken, signToken, type TokenPurpose } from '../../src/subscriber/token.ts'
import { appOn } from '../setup/app.ts'
import { documentFor, publish, sampleDocuments } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { dueIssue } from '../setup/delivery.ts'
import { testKeys } from '../setup/newsletter.ts'
import { reader } from '../setup/people.ts'

const database = useDatabase()
const site = 'https://news.example.com'
const names = ['ann', 'bob', 'cleo', 'dora', 'emil', 'fay']

/** Every purpose there is: a new one has to be named here before this compiles. */
const purposes = Object.keys({
  unsubscribe: true,
  preferences: true,
  'vote 2026-W47': true,
} satisfies Record<TokenPurpose, true>) as TokenPurpose[]

describe('the whole site, followed from its front page, its feeds and its sitemap', () => {
  it('has no link that leads nowhere', async () => {
    await publishedSite()

    const { visited } = await crawl()

    const broken = visited.filter(({ status }) => status >= 400)
    expect(broken.map(({ path, from }) => `${path} from ${from}`)).toEqual([])
    const paths = visited.map(({ path }) => path)
    for (const path of [
      '/issues/2026-W47',
      '/compare/glyphmoor-vs-kernwick',
      '/tools/glyphmoor',
      '/categories/developer-tools',
      '/feed.xml',
      '/feed.json',
      '/unsubscribe',
    ])
      expect(paths).toContain(path)
    expect(paths.filter((path) => path.startsWith('/compare/')).length).toBeGreaterThan(15)
  })

  it('says nothing of any reader: no address, no public id, no token of any purpose', async () => {
    const { readers, mails } = await publishedSite()

    const { visited } = await crawl()

    const everything = visited.map(({ said }) => said).join('\n')
    expect(leaksIn(everything, readers)).toEqual([])
    expect(leaksIn(mails.join('\n'), readers).length).toBeGreaterThan(readers.length)
    expect(everything).not.toContain('/go/')
  })

  it.each(purposes)('would notice a token to %s', async (purpose) => {
    const ann = await reader(database.db, 'ann')
    const [key] = testKeys
    if (!key) throw new Error('There is no key')

    const leaks = leaksIn(`<a href="/x/${signToken(key, purpose, ann.publicId)}">`, [ann])

    expect(leaks).toEqual([`token to ${purpose}`])
  })
})

type Reader = { readonly address: string; readonly publicId: string }
type Visit = { readonly path: string; readonly from: string; readonly status: number; readonly said: string }

/** Six readers, one issue that all of them got, every sample, votes on all of them, and one retraction. */
async function publishedSite(): Promise<{ readers: readonly Reader[]; mails: readonly string[] }> {
  const readers: Reader[] = []
  for (const name of names) readers.push(await reader(database.db, name))
  const due = await dueIssue(database)
  for (const document of sampleDocuments().values())
    await publish(database.db, { ...document, publishedAt: '2026-11-17T09:00:00Z' })
  await sendIssue(due.deps, '2026-W47')
  await publish(database.db, documentFor('never-vs-again'))
  await database.db.updateTable('comparison_tool').set({ community_ship: 4, community_skip: 2 }).execute()
  return {
    readers,
    mails: due.mail.accepted.map(({ html, text, headers }) => `${html}${text}${JSON.stringify(headers)}`),
  }
}

/** Every page of our own that some page, feed or map leads to; links elsewhere are left alone. */
async function crawl(): Promise<{ visited: readonly Visit[] }> {
  const app = appOn(database)
  const starts = ['/', '/feed.xml', '/feed.json', '/sitemap.xml', '/robots.txt', '/issues?q=the']
  const queue = starts.map((path) => ({ path, from: 'the start' }))
  const known = new Set(starts)
  const visited: Visit[] = []
  for (let next = queue.shift(); next; next = queue.shift()) {
    const answer = await app.request(site + next.path)
    const body = await answer.text()
    const said = `${next.path}\n${JSON.stringify([...answer.headers])}\n${body}`
    visited.push({ ...next, status: answer.status, said })
    for (const path of linksIn(body, answer.headers.get('Location'), next.path)) {
      if (known.has(path)) continue
      known.add(path)
      queue.push({ path, from: next.path })
    }
  }
  return { visited }
}

/** The links of a page, and whatever looks like an address of ours in a feed, a map or a script of data. */
function linksIn(body: string, location: string | null, base: string): readonly string[] {
  const { document } = parseHTML(body)
  const attributes = ['href', 'src', 'action', 'content'].flatMap((name) =>
    [...document.querySelectorAll(`[${name}]`)].map((element) => element.getAttribute(name) ?? ''),
  )
  const written = body.match(/https:\/\/news\.example\.com[^\s"'<>\\)\]]*/g) ?? []
  return [...attributes.filter((link) => /^(\/|\?|https:)/.test(link)), ...written, location ?? '']
    .filter((link) => link !== '' && URL.canParse(link, site + base))
    .map((link) => new URL(link.replaceAll('&amp;', '&'), site + base))
    .filter(({ origin }) => origin === site)
    .map(({ pathname, search }) => pathname + search)
}

/** What in a text is one reader's: their address in any case, their public id in any form, and tokens that are ours. */
function leaksIn(text: string, readers: readonly Reader[]): readonly string[] {
  const low = text.toLowerCase()
  const named = readers.flatMap(({ address, publicId }) =>
    [address, encodeURIComponent(address), publicId, publicId.replaceAll('-', '')].filter((one) =>
      low.includes(one.toLowerCase()),
    ),
  )
  const candidates = new Set(text.match(/[\w-]{1,32}\.[\w-]{22}\.[\w-]{22}/g) ?? [])
  const tokens = purposes.flatMap((purpose) =>
    [...candidates].filter((one) => readToken(testKeys, purpose, one)).map(() => `token to ${purpose}`),
  )
  return [...named, ...tokens]
}
