import { createHash } from 'node:crypto'
import { parseHTML } from 'linkedom'
import { beforeEach, describe, expect, it } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { previewEdition } from '../../src/delivery/preview.ts'
import type { Issue } from '../../src/issue/issue.ts'
import { clockAt } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { thursday } from '../setup/delivery.ts'
import { type Browser, deskOn } from '../setup/desk.ts'
import { approvedIssue, newsletterWith } from '../setup/newsletter.ts'
import { people, reader } from '../setup/people.ts'
import { openPostOffice, type PostOffice } from '../setup/post-office.ts'
import { withoutFrame } from '../setup/web-version.ts'

const database = useDatabase()
const page = '/desk/issues/2026-W47'
let mail: PostOffice
let deps: ReturnType<typeof newsletterWith>
let issue: Issue

beforeEach(async () => {
  mail = openPostOffice()
  deps = newsletterWith(database, { clock: clockAt(thursday), transport: mail })
})

/** Week 47 with something from the kitchen and something for developers, approved; and eve at the desk. */
async function eveWithAnIssue(): Promise<Browser> {
  const kitchen = documentFor('quern')
  await publish(database.db, {
    ...kitchen,
    tools: kitchen.tools.map((tool) => ({ ...tool, category: 'Kitchen & “Café”' })),
  })
  await publish(database.db, documentFor('loom'))
  issue = await approvedIssue(deps)
  return deskOn(database, { clock: clockAt(thursday), mail }).signedIn()
}

async function dom(answer: Response | Promise<Response>) {
  return parseHTML(await (await answer).text()).document
}

function sum(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex')
}

describe('the preview pane', () => {
  it.each([
    ['phone', 'Phone'],
    ['desktop', 'Desktop'],
    ['dark', 'Dark'],
    ['images', 'Images off'],
    ['web', 'Web version'],
    ['text', 'Plain text'],
    ['source', 'Source'],
    ['headers', 'Headers'],
  ])('has %s as a link of its own, and says which one is shown', async (view, label) => {
    const eve = await eveWithAnIssue()

    const shown = await dom(eve.get(`${page}?view=${view}`))

    const tabs = [...shown.querySelectorAll('.looks a')]
    expect(tabs).toHaveLength(8)
    const current = tabs.filter((tab) => tab.getAttribute('aria-current') === 'true')
    expect(current.map((tab) => tab.textContent)).toEqual([label])
    const frame = shown.querySelector('iframe.mail')
    expect(frame === null).toBe(['text', 'source', 'headers'].includes(view))
    if (frame) {
      const answer = await eve.get(frame.getAttribute('src') ?? '')
      expect(answer.status).toBe(200)
      expect(await answer.text()).toContain('quern left vs quern right')
    }
  })

  it('shows in Source, and hands out as files, the very bytes of the sums beside them and of the mail', async () => {
    const eve = await eveWithAnIssue()
    const ann = await people.ann(database.db)
    const as = `as=${ann.publicId}`

    const shown = await dom(eve.get(`${page}?view=source&${as}`))
    const html = await (await eve.get(`${page}/preview/issue.html?${as}`)).text()
    const text = await (await eve.get(`${page}/preview/issue.txt?${as}`)).text()
    const eml = await (await eve.get(`${page}/preview/issue.eml?${as}`)).text()
    await sendIssue(deps, '2026-W47', { early: true })

    const sent = mail.accepted.find(({ to }) => to === ann.address)
    expect(html).toBe(sent?.html)
    expect(text).toBe(sent?.text)
    expect(shown.querySelector('pre.code')?.textContent).toBe(sent?.html)
    expect(shown.querySelector('.sum')?.textContent).toBe(sum(sent?.html ?? ''))
    expect(eml).toMatch(/^To: ann@example\.test\r$/m)
    expect(eml).toContain(sent?.headers['List-Unsubscribe'])
  })

  it('shows the stored edition’s hash, so that a page can tell whether it is the newest', async () => {
    const eve = await eveWithAnIssue()

    const shown = await dom(eve.get(page))

    expect(shown.querySelector('[data-preview]')?.getAttribute('data-hash')).toBe(issue.edition_hash)
    expect(shown.querySelector('.sums')?.textContent).toContain(issue.edition_hash?.slice(0, 12))
  })

  it('shows the headers as they leave, and the form of the idempotency key', async () => {
    const eve = await eveWithAnIssue()
    const ann = await people.ann(database.db)

    const shown = await dom(eve.get(`${page}?view=headers&as=${ann.publicId}`))

    const facts = Object.fromEntries(
      [...shown.querySelectorAll('.headers div')].map((row) => [
        row.querySelector('dt')?.textContent,
        row.querySelector('dd')?.textContent,
      ]),
    )
    const preview = await previewEdition(deps, issue, ann.address)
    expect(facts).toMatchObject({
      ...(preview.kind === 'preview' && preview.headers),
      ...{ From: 'Weekly <verdicts@example.com>', To: ann.address },
      ...{ 'Tag issue': '2026-W47', 'Tag delivery': ann.publicId },
    })
    expect(facts['Idempotency-Key']).toContain('wv1/2026-W47/')
  })

  it('is there by itself for the script, and for nobody who is signed out', async () => {
    const eve = await eveWithAnIssue()

    const pane = await eve.get(`${page}/preview/pane?view=text`)
    const stranger = await deskOn(database).browser().get(`${page}/preview/pane?view=text`)

    expect((await dom(pane)).querySelectorAll('[data-preview]')).toHaveLength(1)
    expect(stranger.status).toBe(303)
  })
})

describe('the frame of a preview', () => {
  it('is in a sandbox twice, loads nothing and runs nothing', async () => {
    const eve = await eveWithAnIssue()

    const shown = await dom(eve.get(page))
    const policy = (await eve.get(`${page}/preview`)).headers.get('content-security-policy') ?? ''

    const sandbox = shown.querySelector('iframe')?.getAttribute('sandbox')
    expect(sandbox).toBe('allow-popups allow-popups-to-escape-sandbox')
    expect(policy).toContain("default-src 'none'")
    expect(policy).toMatch(/sandbox allow-popups allow-popups-to-escape-sandbox$/)
    expect(policy).not.toMatch(/script|allow-same-origin/)
  })

  it('loads no image where images are off', async () => {
    const eve = await eveWithAnIssue()

    const policy = (view: string) =>
      eve.get(`${page}/preview?view=${view}`).then((answer) => answer.headers.get('content-security-policy'))

    expect(await policy('images')).toContain("img-src 'none'")
    expect(await policy('phone')).toContain('img-src data:')
  })

  it('has no link with a token in it, and none that is counted, whoever it is for', async () => {
    const eve = await eveWithAnIssue()
    const ann = await people.ann(database.db)

    for (const view of ['phone', 'desktop', 'dark', 'images', 'web']) {
      const frame = await dom(eve.get(`${page}/preview?view=${view}&as=${ann.publicId}`))
      const links = [...frame.querySelectorAll('a[href]')].map((link) => link.getAttribute('href') ?? '')
      expect(links.length, view).toBeGreaterThan(3)
      expect(
        links.filter((link) =>
          /\/(unsubscribe|preferences)\/[^/]{20}|\/vote\/(?!anybody\.)[^/]{20}|\/go\//.test(link),
        ),
        view,
      ).toEqual([])
    }
  })

  it('leads, where a reader’s own link would be, to a page that says so and does nothing', async () => {
    const eve = await eveWithAnIssue()
    const frame = await dom(eve.get(`${page}/preview`))
    const links = [...frame.querySelectorAll('a[href^="/desk/"]')].map((link) => link.getAttribute('href'))

    const pages = await Promise.all(links.map((link) => eve.get(link ?? '').then((answer) => answer.text())))

    expect(new Set(links.map((link) => link?.replace(/\.2026-W\d\d\..+/, '')))).toEqual(
      new Set([
        ...['vote', 'unsubscribe', 'preferences', 'web'].map((name) => `/desk/preview-link/${name}`),
        ...['loom', 'quern'].map((slug) => `/desk/preview-link/preferences/follow/${slug}`),
      ]),
    )
    const titles = [
      'The reader’s vote',
      'The issue on the web',
      'What the reader gets',
      'The way off the list',
    ]
    for (const title of [...titles, 'What the reader follows']) expect(pages.join()).toContain(title)
  })

  it('differs from what is sent in its links and its shade, and in nothing else', async () => {
    const eve = await eveWithAnIssue()
    const exact = await previewEdition(deps, issue)
    if (exact.kind !== 'preview') throw new Error('There is no preview')

    const light = await (await eve.get(`${page}/preview?view=desktop`)).text()
    const dark = await (await eve.get(`${page}/preview?view=dark`)).text()

    const bare = (html: string) =>
      html
        .replace('<base target="_blank">', '')
        .replaceAll(/ href="[^"]*"/g, ' href')
        .replaceAll(/\(prefers-color-scheme:\s*dark\)|@media not all|@media all/g, (found) =>
          found.replace(/\(.*\)|not all|all/, 'SHADE'),
        )
        .replaceAll(/(color-schemes?: |color-schemes?" content=")(?:light dark|light|dark)/g, '$1SHADE')
    expect(bare(light)).toBe(bare(exact.html))
    expect(bare(dark)).toBe(bare(exact.html))
    expect(dark).toContain('@media all')
    expect(light).toContain('@media not all')
  })

  it('leaves alone what a comparison says about dark screens', async () => {
    const words = 'It asks (prefers-color-scheme: dark) and says color-scheme: light dark'
    const anvil = documentFor('anvil')
    await publish(database.db, { ...anvil, tools: anvil.tools.map((tool) => ({ ...tool, tagline: words })) })
    const eve = await eveWithAnIssue()

    const frame = await (await eve.get(`${page}/preview?view=dark`)).text()

    expect(frame).toContain(words)
  })

  it('shows under Web version what the public page shows once the issue goes out', async () => {
    const eve = await eveWithAnIssue()
    await people.ann(database.db)

    const before = await (await eve.get(`${page}/preview?view=web`)).text()
    await sendIssue(deps, '2026-W47', { early: true })
    const after = await (await eve.get('/issues/2026-W47')).text()

    const unframed = before
      .replace('<base target="_blank">', '')
      .replace('@media not all', '@media (prefers-color-scheme: dark)')
      .replaceAll(/(color-schemes?: |color-schemes?" content=")light/g, '$1light dark')
    expect(unframed).toBe(withoutFrame(after))
  })
})

describe('looking as a reader', () => {
  it('goes from an address to that reader’s mail, and keeps the address out of the page’s own', async () => {
    const eve = await eveWithAnIssue()
    const ann = await people.ann(database.db)

    const answer = await eve.post(`${page}/preview/reader`, { address: ' Ann@Example.test ', view: 'text' })
    const shown = await eve.read(answer)

    const location = answer.headers.get('location') ?? ''
    expect(location).toBe(`${page}?view=text&as=${ann.publicId}#edition`)
    expect(shown).toContain('as ann@example.test gets it')
  })

  it('offers at most ten readers whose address begins like that, each with a link', async () => {
    const eve = await eveWithAnIssue()
    await people.crowd(database.db, 12)
    await people.ann(database.db)

    const shown = await dom(eve.post(`${page}/preview/reader`, { address: 'reader-0', view: 'dark' }))

    const links = [...shown.querySelectorAll('tbody a')]
    expect(links).toHaveLength(10)
    expect(links[0]?.textContent).toBe('reader-000001@example.test')
    expect(links[0]?.getAttribute('href')).toMatch(/view=dark&as=[0-9a-f-]{36}#edition$/)
    expect(shown.querySelector('caption')?.textContent).toContain('The first ten')
  })

  it.each([
    ['nobody@', 'Nobody’s address begins like that'],
    ['', 'Type an address, or how it begins'],
    ['%', 'Nobody’s address begins like that'],
  ])('says so when %j is nobody, and keeps what was typed', async (address, said) => {
    const eve = await eveWithAnIssue()
    await people.ann(database.db)

    const answer = await eve.post(`${page}/preview/reader`, { address })

    expect(answer.status).toBe(422)
    const shown = await dom(answer)
    expect(shown.querySelector('.error')?.textContent).toContain(said)
    expect(shown.querySelector('#onlooker')?.getAttribute('value')).toBe(address)
  })

  it('shows what a follower of one category gets, by picking the kind', async () => {
    const eve = await eveWithAnIssue()

    const shown = await dom(eve.get(page))
    const kind = [...shown.querySelectorAll('.kinds a')].find((link) =>
      link.textContent?.includes('Kitchen & “Café”'),
    )
    const theirs = await dom(eve.get((kind?.getAttribute('href') ?? '').replace('view=phone', 'view=text')))

    const text = theirs.querySelector('pre')?.textContent
    expect(text).toContain('quern left vs quern right')
    expect(text).not.toContain('loom left')
    expect(text).toContain('whenever something you follow is in it')
    expect(theirs.querySelector('.sums')?.textContent).toContain('set beside the issue’s own')
  })

  it.each([
    ['monthly', 'monthly: no issue went out last month'],
    ['follows:Gardening', 'nothing they follow is in it'],
    ['00000000-0000-4000-8000-000000000000', 'There is no such reader any more'],
  ])('says why %s gets nothing', async (as, why) => {
    const eve = await eveWithAnIssue()

    const shown = await dom(eve.get(`${page}?${new URLSearchParams({ as })}`))

    expect(shown.querySelector('.nothing-sent')?.textContent).toContain(why)
    expect(shown.querySelector('iframe')).toBeNull()
    expect((await eve.get(`${page}/preview?${new URLSearchParams({ as })}`)).status).toBe(404)
  })

  it('says why somebody gets nothing who is off the list', async () => {
    const eve = await eveWithAnIssue()
    const bob = await people.bobWhoComplained(database.db)

    const shown = await dom(eve.get(`${page}?as=${bob.publicId}`))

    expect(shown.querySelector('.nothing-sent')?.textContent).toContain('they are not on the list now')
  })

  it('takes anything else in the address for a new reader on a phone', async () => {
    const eve = await eveWithAnIssue()

    const shown = await dom(eve.get(`${page}?view=../../etc/passwd&as=%00<script>`))

    expect(shown.querySelector('iframe')?.getAttribute('src')).toBe(`${page}/preview?view=phone&as=weekly`)
  })

  it('has no frame and no file of an issue that was never drafted', async () => {
    const eve = await eveWithAnIssue()
    await reader(database.db, 'cleo')

    for (const path of ['/preview', '/preview/pane', '/preview/issue.html', '/preview/issue.exe'])
      expect((await eve.get(`/desk/issues/2026-W50${path}`)).status, path).toBe(404)
    expect((await eve.get(`${page}/preview/..%2f..%2fpackage.json`)).status).toBe(404)
  })
})

describe('time travel at the desk', () => {
  it('shows the coming issue as of now, and any other week as of any moment in the newsletter’s zone', async () => {
    const eve = await eveWithAnIssue()

    const now = await dom(eve.get('/desk/time-travel'))
    const before = await dom(eve.get('/desk/time-travel?week=2026-W47&at=2026-11-18T08:59'))
    const at = await dom(eve.get('/desk/time-travel?week=2026-W47&at=2026-11-18T09:00'))

    expect(now.querySelector('#selected')?.textContent).toContain('2026-W47 as of Thursday 19 November')
    expect(now.querySelector('main')?.textContent).toContain('Byte for byte the edition that is stored')
    expect(before.querySelector('main')?.textContent).toContain('A quiet week: no new comparisons')
    expect(at.querySelectorAll('.contents li')).toHaveLength(2)
  })

  it('shows it in a frame as harmless as the other, and as plain text', async () => {
    const eve = await eveWithAnIssue()

    const shown = await dom(eve.get('/desk/time-travel?week=2026-W47&view=dark'))
    const frame = await eve.get(shown.querySelector('iframe')?.getAttribute('src') ?? '')
    const html = await frame.text()
    const text = await dom(eve.get('/desk/time-travel?week=2026-W47&view=text'))

    expect(frame.headers.get('content-security-policy')).toMatch(/default-src 'none'.*sandbox/)
    expect(html).toContain('@media all')
    expect(html).not.toMatch(/\/go\/|[\u0001\u0002]/)
    expect(text.querySelector('pre')?.textContent).toContain('[the reader’s way off the list]')
  })

  it.each([
    ['week=2026-W60', '“2026-W60” is no week.'],
    ['week=2026-W47&at=yesterday', '“yesterday” is no date and time.'],
  ])('says what is wrong with %s', async (query, said) => {
    const eve = await eveWithAnIssue()

    const answer = await eve.get(`/desk/time-travel?${query}`)

    expect(answer.status).toBe(422)
    expect((await dom(answer)).querySelector('.error')?.textContent).toContain(said)
  })

  it('is linked from the issues and from this week', async () => {
    const eve = await eveWithAnIssue()

    for (const path of ['/desk', '/desk/issues'])
      expect(await eve.read(eve.get(path)), path).toContain('href="/desk/time-travel"')
  })
})
