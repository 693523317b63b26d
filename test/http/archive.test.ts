import fc from 'fast-check'
import { parseHTML } from 'linkedom'
import { describe, expect, it } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { appOn } from '../setup/app.ts'
import { clockAt } from '../setup/clock.ts'
import { documentFor, publish, sampleDocuments } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { dueIssue } from '../setup/delivery.ts'
import { approvedIssue } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'

const database = useDatabase()
const site = 'https://news.example.com'
const later = '2027-01-09T12:00:00Z'

describe('the archive', () => {
  it('lists the issues by year, the newest first, each with its headline and how much was in it', async () => {
    const subjects = await threeIssues()

    const { document } = await page('/issues')

    const years = [...document.querySelectorAll('.year')].map((year) => [
      year.querySelector('h2')?.textContent,
      [...year.querySelectorAll('h3 a')].map((link) => link.getAttribute('href')),
    ])
    expect(years).toEqual([
      ['2027', ['/issues/2027-W01']],
      ['2026', ['/issues/2026-W48', '/issues/2026-W47']],
    ])
    const [newest] = document.querySelectorAll('.shelf li')
    expect(newest?.querySelector('.kicker')?.textContent).toBe('8 January 2027 · 2 comparisons')
    expect(newest?.querySelector('h3')?.textContent).toBe(subjects.at(-1))
  })

  it('says so while there is no issue', async () => {
    expect((await page('/issues')).document.querySelector('.empty h2')?.textContent).toBe(
      'No issue has gone out yet',
    )
  })

  it('leads from each issue to the one before and the one after, and nowhere from the first and the last', async () => {
    await threeIssues()

    const ways = await Promise.all(
      ['2026-W47', '2026-W48', '2027-W01'].map(async (week) => {
        const { document } = await page(`/issues/${week}`)
        return ['prev', 'next'].map(
          (rel) => document.querySelector(`.wv-bar a[rel=${rel}]`)?.getAttribute('href') ?? '',
        )
      }),
    )

    expect(ways).toEqual([
      ['', '/issues/2026-W48'],
      ['/issues/2026-W47', '/issues/2027-W01'],
      ['/issues/2026-W48', ''],
    ])
  })

  it('shows an issue with what was retracted since, under our bar and above the edition', async () => {
    await threeIssues()
    await publish(database.db, {
      ...documentFor('glyphmoor-vs-kernwick', { title: 'A <b>retracted</b> one' }),
      retracted: true,
    })

    const { document } = await page('/issues/2026-W47')

    expect(document.querySelector('[role=note]')?.textContent).toContain('A <b>retracted</b> one')
  })
})

describe('an issue in the archive whose verdict was revised since', () => {
  it('says what changed and when, above the edition as it was sent', async () => {
    await threeIssues()
    const before = await page('/issues/2026-W47')
    await publish(database.db, documentFor('glyphmoor-vs-kernwick', {}, [1, 0]))

    const { document } = await page('/issues/2026-W47')

    const note = document.querySelector('[role=note]')
    expect(note?.textContent).toContain('Corrected since this issue was sent:')
    expect(note?.textContent).toContain('it shipped it before, 4 of 4; now 1 of 4 ships it.')
    expect(note?.querySelector('a')?.getAttribute('href')).toBe(`${site}/compare/glyphmoor-vs-kernwick`)
    note?.remove()
    expect(document.body.innerHTML).toBe(before.document.body.innerHTML)
    expect((await page('/issues/2026-W48')).document.querySelector('[role=note]')).toBeNull()
  })
})

describe('the search', () => {
  it.each([
    ['a tool', 'SmolVLM2'],
    ['the beginning of a tool, in small letters', 'smolv'],
    ['a category', 'developer tools claude'],
    ['a tagline', sampleWords('tagline')],
    ['a description', sampleWords('description')],
    ['what a reviewer said', sampleWords('quote')],
    ['words without their accents and signs', '“Smolvlm2!”'],
  ])('finds a comparison by %s', async (_, words) => {
    await publish(database.db, seed())
    await publish(database.db, documentFor('other-vs-another'))

    expect(linksOf(await results(words))).toEqual(['/compare/claude-4-sonnet-vs-smolvlm2'])
  })

  it('puts what is called so before what only says so', async () => {
    const quoting = documentFor('quoting-vs-silent', { publishedAt: '2026-12-01T12:00:00Z' })
    quoting.tools[0]?.reviews.splice(0, 1, {
      reviewer: 'builder',
      verdict: 'ship',
      quote: 'Like Nettlewick.',
    })
    await publish(database.db, quoting)
    await publish(database.db, documentFor('nettlewick-vs-thorn'))

    expect(linksOf(await results('nettlewick'))).toEqual([
      '/compare/nettlewick-vs-thorn',
      '/compare/quoting-vs-silent',
    ])
  })

  it('finds an issue by its headline', async () => {
    await threeIssues()

    const links = linksOf(await results('W48'))

    expect(links).toContain('/issues/2026-W48')
    expect(links).not.toContain('/issues/2026-W47')
  })

  it('finds what the newest revision says, and nothing that is retracted or to come', async () => {
    await publish(database.db, documentFor('one-vs-two', { title: 'Oldword one' }))
    await publish(database.db, documentFor('one-vs-two', { title: 'Newword one' }))
    await publish(database.db, {
      ...documentFor('three-vs-four', { title: 'Newword three' }),
      retracted: true,
    })
    await publish(
      database.db,
      documentFor('five-vs-six', { title: 'Newword five', publishedAt: '2027-02-01T00:00:00Z' }),
    )

    expect(linksOf(await results('oldword'))).toEqual([])
    expect(linksOf(await results('newword'))).toEqual(['/compare/one-vs-two'])
  })

  it('marks what was looked for, and shows markup as text', async () => {
    await publish(database.db, documentFor('mark-vs-up', { title: 'Mark <script>alert(1)</script> & Ünder' }))

    const { document, html } = await results('under ALERT')

    expect([...document.querySelectorAll('h3 mark')].map(({ textContent }) => textContent)).toEqual([
      'alert',
      'Ünder',
    ])
    expect(document.querySelector('h3')?.textContent).toBe('Mark <script>alert(1)</script> & Ünder')
    expect(html).not.toContain('<script')
  })

  it('says that there is more than it shows', async () => {
    for (let n = 10; n < 31; n += 1) await publish(database.db, documentFor(`many-vs-${n}`))

    const { document } = await results('many')

    expect(document.querySelectorAll('.shelf li')).toHaveLength(20)
    expect(document.querySelector('.year > p')?.textContent).toContain('The first 20.')
  })

  it.each([
    ['nothing', ''],
    ['white space', ' \t\n '],
    ['operators', "a & | ! <-> :* ( ) '"],
    ['quotes', `"''' OR 1=1; --`],
    ['a NUL', 'a\0b'],
    ['half a surrogate pair', '\ud83e'],
    ['ten thousand letters', 'x'.repeat(10_000)],
    ['a cut pair in a long word', `a${'𐌰'.repeat(90)}`],
    ['five thousand words', 'ab '.repeat(5_000)],
    ['percent signs', '100 %_\\'],
    ['emoji', '🦊🦊'],
  ])('answers whatever is typed: %s', async (_, typed) => {
    await publish(database.db, seed())

    const answer = await appOn(database).request(
      `${site}/issues?q=${encodeURIComponent(typed.toWellFormed())}`,
    )

    expect(answer.status).toBe(200)
  })

  it('answers anything at all', async () => {
    await publish(database.db, seed())
    const app = appOn(database)
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.string({ unit: fc.constantFrom(...`'"&|!<>():*\\ a1é-`), maxLength: 40 }),
    )

    await fc.assert(
      fc.asyncProperty(text, async (typed) => {
        const answer = await app.request(`${site}/issues?q=${encodeURIComponent(typed.toWellFormed())}`)
        expect(answer.status).toBe(200)
      }),
      { numRuns: 60, seed: 47 },
    )
  })

  it('teaches what to do when nothing is found, and keeps what was typed', async () => {
    const { document } = await results('"zyxw" <b>')

    expect(document.querySelector('.empty h2')?.textContent).toBe('Nothing has these words')
    expect(document.querySelector('#q')?.getAttribute('value')).toBe('"zyxw" <b>')
    expect(document.querySelector('meta[name=robots]')?.getAttribute('content')).toBe('noindex')
  })
})

describe('what is public', () => {
  const everyPage = [
    ...['/', '/issues', '/issues?q=glyphmoor', '/issues/2026-W47', '/compare/glyphmoor-vs-kernwick'],
    ...['/feed.xml', '/feed.json', '/sitemap.xml', '/robots.txt'],
  ]

  it.each(everyPage)('is sent once, and only asked about after that: %s', async (path) => {
    await threeIssues()
    const app = appOn(database, { clock: clockAt(later) })
    const ask = (headers: Record<string, string>, method = 'GET') =>
      app.request(site + path, { headers, method })

    const first = await ask({})
    const etag = first.headers.get('ETag') ?? 'none'
    const bare = etag.replace(/^W\//, '')
    const again = await Promise.all(
      [etag, bare, `W/${bare}`, `"other", ${etag}`, '*'].map((known) => ask({ 'If-None-Match': known })),
    )
    const other = await ask({ 'If-None-Match': '"other"' })
    const head = await ask({}, 'HEAD')

    expect(etag).toMatch(/^(W\/)?"[\w-]{22}"$/)
    expect(first.headers.get('Cache-Control')).toMatch(/^public, max-age=\d+/)
    expect(first.headers.get('Set-Cookie')).toBeNull()
    expect(again.map(({ status }) => status)).toEqual([304, 304, 304, 304, 304])
    expect(await again[0]?.text()).toBe('')
    expect(again[0]?.headers.get('Cache-Control')).toBe(first.headers.get('Cache-Control'))
    expect(other.status).toBe(200)
    expect([head.status, await head.text(), head.headers.get('ETag')]).toEqual([200, '', etag])
  })

  it.each(everyPage.filter((path) => path !== '/robots.txt' && path !== '/issues/2026-W47'))(
    'is new in every process a second after it changed: %s',
    async (path) => {
      await threeIssues()
      const [clock, other] = [clockAt(later), clockAt(later)]
      const apps = [appOn(database, { clock }), appOn(database, { clock: other })]
      const tags = () =>
        Promise.all(apps.map(async (app) => (await app.request(site + path)).headers.get('ETag')))
      const before = await tags()
      await publish(database.db, documentFor('glyphmoor-vs-kernwick', { title: 'Glyphmoor, retitled' }))
      await takeBackNewest()
      clock.pass('PT1S')
      other.pass('PT1S')

      const after = await tags()

      expect(after[0]).toBe(after[1])
      expect(after[0]).not.toBe(before[0])
    },
  )

  it.each([
    '/subscribe',
    '/unsubscribe',
    '/preferences',
    '/embed',
    '/desk',
    '/outbox',
    '/readyz',
    '/metrics',
  ])('is nothing else: %s', async (path) => {
    const answer = await appOn(database).request(site + path)

    expect(answer.headers.get('Cache-Control') ?? '').not.toContain('public')
  })
})

function seed() {
  const document = sampleDocuments().get('claude-4-sonnet-vs-smolvlm2')
  if (!document) throw new Error('The seed is gone')
  return document
}

/** Three words that stand in the seed's last tool. */
function sampleWords(field: 'tagline' | 'description' | 'quote'): string {
  const tool = seed().tools[1]
  const text = field === 'quote' ? tool?.reviews[0]?.quote : tool?.[field]
  return (text ?? '').split(' ').slice(0, 6).join(' ')
}

/** Weeks 47, 48 and 1 have gone out; their subjects in that order. */
async function threeIssues(): Promise<readonly string[]> {
  await people.ann(database.db)
  const due = await dueIssue(database)
  await sendIssue(due.deps, '2026-W47')
  for (const [week, draftAt, sendAt, slugs] of [
    ['2026-W48', '2026-11-26T14:00:00Z', '2026-11-27T14:00:00Z', ['b-vs-c']],
    ['2027-W01', '2027-01-07T14:00:00Z', '2027-01-08T14:00:00Z', ['d-vs-e', 'f-vs-g']],
  ] as const) {
    due.clock.moveTo(draftAt)
    for (const slug of slugs) {
      const publishedAt = Temporal.Instant.from(draftAt).subtract('PT24H').toString()
      await publish(database.db, documentFor(slug, { publishedAt }))
    }
    await approvedIssue(due.deps, week)
    due.clock.moveTo(sendAt)
    await sendIssue(due.deps, week)
  }
  return due.mail.accepted.map(({ subject }) => subject)
}

/** As happens when a sending is stopped before anybody got it: the archive no longer has the issue. */
async function takeBackNewest(): Promise<void> {
  await database.db.updateTable('issue').set({ state: 'cancelled' }).where('week', '=', '2027-W01').execute()
}

async function page(path: string) {
  const answer = await appOn(database, { clock: clockAt(later) }).request(site + path)
  const html = await answer.text()
  return { html, document: parseHTML(html).document }
}

function results(words: string) {
  return page(`/issues?q=${encodeURIComponent(words)}`)
}

function linksOf({ document }: Awaited<ReturnType<typeof page>>): (string | null)[] {
  return [...document.querySelectorAll('.shelf a')].map((link) => link.getAttribute('href'))
}
