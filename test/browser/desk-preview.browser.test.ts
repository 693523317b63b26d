import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { serve } from '@hono/node-server'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freezeEdition, holeFor } from '../../src/issue/edition.ts'
import type { Issue } from '../../src/issue/issue.ts'
import { openChromium } from '../setup/browser.ts'
import { clockAt } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { openTestDatabase, type TestDatabase } from '../setup/database.ts'
import { thursday } from '../setup/delivery.ts'
import { deskOn } from '../setup/desk.ts'
import { freePort } from '../setup/free-port.ts'
import { approvedIssue, newsletterWith } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { openPostOffice } from '../setup/post-office.ts'
import { portOf } from '../setup/provider/control.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const path = '/desk/issues/2026-W47'
const looks = ['phone', 'desktop', 'dark', 'images', 'web', 'text', 'source', 'headers']

/** Everything that html can try: to run, to ask another host, to leave its frame, to send a form. */
const hostile = (evil: string) => `<!doctype html><html><head><title>x</title>
<meta http-equiv="refresh" content="0;url=${evil}/refresh"><base href="${evil}/">
<link rel="stylesheet" href="${evil}/style.css"><style>@import url(${evil}/import.css); body { background: url(${evil}/back.png) }</style>
<script>alert('script'); parent.document.title = 'taken'; top.location = '${evil}/top'</script>
<script src="${evil}/script.js"></script></head><body onload="alert('onload')">
<img src="${evil}/pixel.png" onerror="alert('onerror')"><svg onload="alert('svg')"><animate onbegin="alert('begin')"></animate></svg>
<iframe src="javascript:parent.parent.document.title='taken'"></iframe><iframe srcdoc="<script>alert('srcdoc')</script>"></iframe>
<object data="${evil}/object"></object><embed src="${evil}/embed"><video src="${evil}/video" autoplay></video>
<form action="${evil}/form"><input name="a" autofocus onfocus="alert('focus')"><button id="send">Send</button></form>
<a id="script-link" href="javascript:alert(document.domain)">run</a> <a id="top-link" target="_top" href="${evil}/top-link">top</a>
<p>harmless words</p><a id="leave" href="${holeFor('unsubscribe')}">Unsubscribe</a></body></html>`

let browser: Browser
let opened: Awaited<ReturnType<typeof openTestDatabase>>
let database: TestDatabase
let site: string
let issue: Issue
let desk: ReturnType<typeof deskOn>
let server: ReturnType<typeof serve>
let evil: Awaited<ReturnType<typeof listen>>
let cookies: Awaited<ReturnType<BrowserContext['cookies']>> | undefined

beforeAll(async () => {
  opened = await openTestDatabase()
  database = { connection: opened.connection, db: opened.connection.db }
  const port = await freePort()
  site = `http://localhost:${port}`
  const mail = openPostOffice()
  const clock = clockAt(thursday)
  const deps = newsletterWith(database, { clock, transport: mail })
  await people.ann(database.db)
  await people.crowd(database.db, 12)
  await publish(database.db, documentFor('loom'))
  const markup = `<img src=x onerror="alert('text')"><script>alert('text')</script>`
  await publish(database.db, documentFor('sieve', { title: `${markup} vs {{constructor}}` }))
  issue = await approvedIssue(deps)
  const parts = { wire: { ...deps.wire, publicUrl: site }, setting: { ...deps.setting, publicUrl: site } }
  desk = deskOn(database, { clock, mail, ...parts, environment: { PUBLIC_URL: site } })
  server = serve({ fetch: desk.app.fetch, port, hostname: 'localhost' })
  evil = await listen()
  browser = await openChromium()
})

afterAll(async () => {
  await browser?.close()
  await new Promise((closed) => server?.close(closed))
  await new Promise((closed) => evil?.server.close(closed))
  await opened?.close()
})

/** Another host, which writes down whatever it is asked for. */
async function listen() {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`request ${request.url}`)
    response.setHeader('access-control-allow-origin', '*').end('*/')
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return { url: `http://127.0.0.1:${portOf(server.address())}`, asked, server }
}

/** Eve's browser; she signs in with her code once. */
async function eveWith(
  options: BrowserContextOptions = {},
): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  const page = await context.newPage()
  if (cookies) {
    await context.addCookies(cookies)
    return { context, page }
  }
  await page.goto(`${site}/desk`)
  await page.getByLabel('Your address').fill('eve@example.test')
  await page.getByRole('button', { name: 'Send me a code' }).click()
  await page.getByLabel('The six digits').waitFor()
  await expect.poll(() => desk.mail.accepted.length).toBeGreaterThan(0)
  await page
    .getByLabel('The six digits')
    .fill(/\b\d{6}\b/.exec(desk.mail.accepted.at(-1)?.text ?? '')?.[0] ?? '')
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.waitForURL(`${site}/desk`)
  cookies = await context.cookies()
  return { context, page }
}

/** Everything that would be harm: dialogs, and requests that arrive at the other host. */
function watch(page: Page): readonly string[] {
  const harm = evil.asked
  harm.length = 0
  page.on('dialog', (dialog) => {
    harm.push(`dialog ${dialog.message()}`)
    void dialog.dismiss()
  })
  return harm
}

async function objections(page: Page, within: string): Promise<unknown> {
  await page.addScriptTag({ content: axe })
  return page.evaluate(
    `axe.run('${within}', { iframes: false }).then(({ violations }) => violations.map(({ id, nodes }) => id + ' ' + nodes.map((node) => node.html).join(' ')))`,
  )
}

describe('the preview pane in a browser', () => {
  it.each([
    ['light', 390],
    ['dark', 1280],
  ] as const)(
    'has nothing that axe objects to in any mode, in %s at %i px, and never scrolls sideways',
    async (colorScheme, width) => {
      const { context, page } = await eveWith({
        ...{ colorScheme, bypassCSP: true, viewport: { width, height: 844 } },
      })
      const pages = [
        ...looks.map((view) => `${path}?view=${view}`),
        ...[`${path}?as=monthly`, `${path}/diff`, '/desk/time-travel', '/desk/time-travel?view=text'],
        ...['/desk/time-travel?week=2026-W40&at=2026-10-01T09:00', '/desk/preview-link/unsubscribe'],
      ]
      for (const one of pages) {
        await page.goto(site + one)
        const within = one.startsWith(`${path}?`) ? '.edition-view' : 'html'
        expect(await objections(page, within), one).toEqual([])
        expect(await page.evaluate('document.documentElement.scrollWidth'), one).toBe(width)
      }
      await context.close()
    },
    120_000,
  )

  it('changes what it shows in place, by mouse and by keyboard, and leaves the rest of the page as it is', async () => {
    const { context, page } = await eveWith()
    await page.goto(site + path)
    await page.evaluate('globalThis.untouched = true')

    await page.getByRole('link', { name: 'Dark', exact: true }).click()
    await page.locator('.looks a[aria-current]', { hasText: 'Dark' }).waitFor()
    const background = await page
      .frameLocator('iframe.mail')
      .locator('div[role=article]')
      .evaluate((mail) => mail.ownerDocument.defaultView?.getComputedStyle(mail).backgroundColor)
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.locator('pre.letter').waitFor()

    expect(background).toBe('rgb(22, 21, 19)')
    expect(await page.locator('.looks a[aria-current]').innerText()).toBe('Plain text')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Plain text')
    expect(await page.evaluate('untouched')).toBe(true)
    expect(new URL(page.url()).searchParams.get('view')).toBe('text')
    await context.close()
  })

  it('loads the edition anew when an editor saved another one, and only then', async () => {
    const { context, page } = await eveWith()
    await page.goto(site + path)
    const asked: string[] = []
    page.on('request', (request) => asked.push(new URL(request.url()).pathname))
    const ours = () => asked.filter((one) => one.startsWith(`${path}/preview`))
    const saved = (hash: string | null) =>
      page.evaluate(
        `document.dispatchEvent(new CustomEvent('issue-saved', { detail: { hash: '${hash}', revision: 2 } }))`,
      )

    await saved(issue.edition_hash)
    await page.evaluate('new Promise((resolve) => setTimeout(resolve, 100))')
    const afterTheSame = ours()
    await saved('another')
    await expect.poll(() => asked).toContain(`${path}/preview`)

    expect(afterTheSame).toEqual([])
    expect(asked).toContain(`${path}/preview/pane`)
    await context.close()
  })

  it('works without JavaScript: every mode is a link, and a reader is found by how their address begins', async () => {
    const { context, page } = await eveWith({ javaScriptEnabled: false })
    await page.goto(site + path)

    await page.getByRole('link', { name: 'Source', exact: true }).click()
    const source = await page.locator('pre.code').innerText()
    await page.getByText('As somebody else').click()
    await page.getByLabel('A reader’s address, or how it begins').fill('reader-0000')
    await page.getByRole('button', { name: 'See theirs' }).click()
    const offered = await page.locator('tbody a').count()
    await page.getByRole('link', { name: 'reader-000003@example.test' }).click()

    expect(source).toContain('<!doctype html>')
    expect(offered).toBe(10)
    expect(await page.locator('#edition').innerText()).toContain('reader-000003@example.test')
    expect(await page.locator('.looks a[aria-current]').innerText()).toBe('Source')
    await context.close()
  })

  it('opens a page of the desk, in a tab of its own, where a reader’s way off the list would be', async () => {
    const { context, page } = await eveWith()
    const { public_id } = await database.db
      .selectFrom('subscriber')
      .select('public_id')
      .where('address', '=', 'ann@example.test')
      .executeTakeFirstOrThrow()
    await page.goto(`${site}${path}?as=${public_id}`)

    const opens = context.waitForEvent('page')
    await page.frameLocator('iframe.mail').getByRole('link', { name: 'Unsubscribe' }).click()
    const tab = await opens
    await tab.waitForLoadState()

    expect(new URL(tab.url()).pathname).toBe('/desk/preview-link/unsubscribe')
    expect(await tab.locator('h1').innerText()).toBe('The way off the list')
    await context.close()
  })
})

describe('an edition that attacks whoever previews it', () => {
  it.each(['phone', 'desktop', 'dark', 'images', 'web'])(
    'runs nothing, asks for nothing and reaches nothing from its frame, in %s',
    async (view) => {
      await storeHostile()
      const { context, page } = await eveWith()
      const harm = watch(page)

      await page.goto(`${site}${path}?view=${view}`)
      const frame = page.frameLocator('iframe.mail')
      await frame.getByText('harmless words').waitFor()
      const title = await page.title()
      await frame.locator('#script-link').click()
      await frame.locator('#send').click()
      await page.evaluate('new Promise((resolve) => setTimeout(resolve, 300))')

      expect(harm).toEqual([])
      expect(await page.title()).toBe(title)
      expect(new URL(page.url()).pathname).toBe(path)
      expect(await page.evaluate(`document.querySelector('iframe.mail').contentDocument`)).toBeNull()
      expect(await page.frames()[1]?.evaluate('origin')).toBe('null')
      await context.close()
    },
  )

  it('would run and ask, were it not for the frame', async () => {
    const { context, page } = await eveWith()
    const harm = watch(page)

    await page.setContent(hostile(evil.url), { waitUntil: 'commit' }).catch(() => {})

    await expect.poll(() => harm.join()).toMatch(/dialog script[\s\S]*request|request[\s\S]*dialog script/)
    await context.close()
  })

  it('is text in Source, and text in the difference to another one', async () => {
    await storeHostile()
    const { context, page } = await eveWith()
    const harm = watch(page)

    await page.goto(`${site}${path}?view=source`)
    const source = await page.locator('pre.code').innerText()
    await page.goto(`${site}${path}/diff?against=approved`)

    expect(source).toContain("<script>alert('script')")
    expect(await page.locator('main script, main img, main svg').count()).toBe(0)
    expect(harm).toEqual([])
    await context.close()
  })
})

/** Puts html into the issue's edition that no template of ours would ever make. */
async function storeHostile(): Promise<void> {
  const { db } = database
  const text = `words ${holeFor('unsubscribe')}`
  const edition = freezeEdition({ subject: 'A subject', preheader: '', html: hostile(evil.url), text })
  await db
    .insertInto('edition')
    .values({ ...edition, issue_id: issue.id, frozen_at: Temporal.Instant.from(thursday) })
    .onConflict((oc) => oc.doNothing())
    .execute()
  await db
    .updateTable('issue')
    .set({ state: 'draft', edition_hash: edition.hash })
    .where('id', '=', issue.id)
    .execute()
}
