import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openChromium } from '../setup/browser.ts'
import { signInAtDesk } from '../setup/desk-browser.ts'
import { type Site, startSite } from '../setup/site.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const [eve, sam] = ['eve@example.com', 'sam@example.com']

let browser: Browser
let site: Site
let path: string
const cookies = new Map<string, Awaited<ReturnType<BrowserContext['cookies']>>>()

beforeAll(async () => {
  browser = await openChromium()
  site = await startSite({
    ...{ EDITORS: `${eve},${sam}`, SEND_POLICY: 'approve', DRAFT_AT: 'mon 00:00', SEND_AT: 'sun 23:59' },
    TIMEZONE: whereTheWeekIsNotOver(),
  })
})

afterAll(async () => {
  await browser?.close()
  await site?.stop()
})

/** A zone in which it is not the last evening of a week. */
function whereTheWeekIsNotOver(): string {
  const { dayOfWeek, hour } = Temporal.Now.zonedDateTimeISO('Etc/UTC')
  return dayOfWeek === 7 && hour >= 12 ? 'Pacific/Kiritimati' : 'Etc/UTC'
}

/** The page in a browser of an editor's own. Whatever goes wrong in a script is a failure. */
async function open(editor: string, options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 1000 }, ...options })
  const known = cookies.get(editor)
  if (known) await context.addCookies(known)
  const page = await context.newPage()
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('dialog', (dialog) => void dialog.accept())
  if (!known) {
    await signInAtDesk(page, site, editor)
    cookies.set(editor, await context.cookies())
  }
  if (!path) {
    await page.goto(`${site.url}/desk/issues`)
    path = (await page.locator('tbody th a').first().getAttribute('href')) ?? ''
  }
  await page.goto(site.url + path)
  return page
}

const faults: string[] = []

const order = (page: Page) =>
  page.locator('#rows .row').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-slug')))
const saved = (page: Page, revision: number) =>
  page.locator('#saved', { hasText: `revision ${revision}` }).waitFor({ timeout: 15_000 })
const fieldSays = (page: Page, field: string, words: string) =>
  expect.poll(() => page.locator(field).inputValue(), { timeout: 10_000 }).toBe(words)
const revisionOf = async (page: Page) => Number(await page.locator('[name="base"]').inputValue())

describe('an issue’s content in a browser', () => {
  it('saves by itself, shows the new edition beside it, and undoes after a reload', async () => {
    const page = await open(eve)
    const before = await page.locator('h1').innerText()

    await page.locator('#subject').fill('A subject of our own that is long enough to fit')
    await saved(page, 1)
    await page.locator('h1', { hasText: 'A subject of our own' }).waitFor()
    await page.locator('.in-inbox', { hasText: 'A subject of our own' }).waitFor()
    expect(await page.locator('#subject-count').innerText()).toBe('47 characters, good')
    expect(await page.evaluate('document.activeElement.id')).toBe('subject')

    await page.reload()
    await page.getByRole('button', { name: 'Undo', exact: true }).click()
    await saved(page, 2)
    await page.locator('h1', { hasText: before }).waitFor()
    await fieldSays(page, '#subject', '')
    await page.locator('#content-title').click()
    await page.keyboard.press('Control+Shift+Z')
    await saved(page, 3)
    await fieldSays(page, '#subject', 'A subject of our own that is long enough to fit')
    await page.context().close()
  })

  it('is reordered by dragging, by keys and by buttons, and says each new place', async () => {
    const page = await open(eve)
    const [first = '', second = '', third = '', ...rest] = (await order(page)).map((slug) => slug ?? '')
    const revision = await revisionOf(page)
    const handle = (slug: string) => page.locator(`[data-slug="${slug}"] .handle`)

    await handle(third).scrollIntoViewIfNeeded()
    const from = await handle(third).boundingBox()
    const to = await page.locator(`[data-slug="${first}"]`).boundingBox()
    if (!from || !to) throw new Error('Nothing to drag')
    await page.mouse.move(from.x + 10, from.y + 20)
    await page.mouse.down()
    await page.mouse.move(from.x + 10, from.y, { steps: 5 })
    await page.mouse.move(to.x + 20, to.y + 3, { steps: 15 })
    await page.mouse.up()
    await saved(page, revision + 1)
    expect(await order(page)).toEqual([third, first, second, ...rest])
    expect(await page.locator('#moved').innerText()).toMatch(/: now 1 of \d+, the lead\.$/)

    await handle(third).focus()
    await page.keyboard.press('Alt+ArrowDown')
    expect(await order(page)).toEqual([first, third, second, ...rest])
    expect(await page.evaluate('document.activeElement.closest(".row").dataset.slug')).toBe(third)
    await saved(page, revision + 2)

    await page.locator(`[data-slug="${third}"]`).getByRole('button', { name: /^Up/ }).click()
    await page
      .locator(`[data-slug="${second}"]`)
      .getByRole('button', { name: /^Make it the lead/ })
      .click()
    await page.locator('#saved', { hasText: /revision/ }).waitFor()
    await page.waitForFunction('!/Not saved/.test(document.getElementById("saved").textContent)')
    await page.reload()
    expect(await order(page)).toEqual([second, third, first, ...rest])
    await page.context().close()
  })

  it('leaves one out with a reason and puts it back, without leaving the page', async () => {
    const page = await open(eve)
    const [slug] = await order(page)
    const row = page.locator(`[data-slug="${slug}"]`)

    await row.getByText('Leave out…').click()
    await row.getByLabel('Why').fill('a fact is being checked')
    await page.keyboard.press('Enter')
    await page.locator('[data-refresh="left-out"]', { hasText: 'a fact is being checked' }).waitFor()
    expect(await order(page)).not.toContain(slug)

    await page.getByRole('button', { name: /^Put back/ }).click()
    await page.locator(`#rows [data-slug="${slug}"]`).waitFor()
    expect((await order(page))[0]).toBe(slug)
    await page.context().close()
  })

  it('says in words what cannot be saved, and keeps it', async () => {
    const page = await open(eve)

    await page.locator('#intro').fill('x'.repeat(2001))
    await page
      .locator('#saved.problem', { hasText: 'The intro has 2001 characters; it can have up to 2000.' })
      .waitFor()

    expect(await page.locator('#intro').inputValue()).toHaveLength(2001)
    await page.context().close()
  })

  it('shows two editors what both changed, and puts one on top of the other', async () => {
    const [hers, his] = [await open(eve), await open(sam)]
    const revision = await revisionOf(hers)
    await his.locator('#intro').fill('Sam wrote this.')
    await saved(his, revision + 1)

    await hers.locator('#subject').fill('Eve typed this meanwhile, and it is not lost')
    await hers.locator('.stale').waitFor()
    expect(await hers.locator('#saved').innerText()).toMatch(
      /Not saved: sam@example\.com changed this at \d\d:\d\d/,
    )
    expect(await hers.locator('.stale tbody').innerText()).toMatch(/Intro[\s\S]*They[\s\S]*Sam wrote this\./)
    expect(await hers.locator('#subject').inputValue()).toBe('Eve typed this meanwhile, and it is not lost')

    await hers.getByRole('button', { name: 'Use mine on top of theirs' }).click()
    await saved(hers, revision + 2)
    await fieldSays(hers, '#intro', 'Sam wrote this.')
    expect(await hers.locator('#subject').inputValue()).toBe('Eve typed this meanwhile, and it is not lost')

    await his.locator('#saved', { hasText: 'eve@example.com changed this' }).waitFor({ timeout: 20_000 })
    await hers.context().close()
    await his.context().close()
  })

  it('shows hostile words in the preview frame as words: no dialog, no request', async () => {
    const page = await open(eve)
    const asked: string[] = []
    page.on('request', (request) => asked.push(new URL(request.url()).origin))

    await page
      .locator('#intro')
      .fill(
        '<script>parent.x=1</script> ![p](https://evil.example/p.png) [x](javascript:alert(1)) <img src=x onerror=alert(1)>',
      )
    await saved(page, (await revisionOf(page)) + 1)
    await page.waitForLoadState('networkidle')

    expect(new Set(asked)).toEqual(new Set([site.url]))
    await page.context().close()
  })

  it.each([
    ['light', 390],
    ['dark', 1280],
  ] as const)(
    'has nothing that axe objects to with everything open, in %s at %i px',
    async (colorScheme, width) => {
      const page = await open(eve, { colorScheme, viewport: { width, height: 900 }, bypassCSP: true })
      for (const summary of await page.locator('#content-form summary').all()) await summary.click()
      await page.addScriptTag({ content: axe })

      const objections = await page.evaluate(
        `axe.run(document.querySelector('.content-desk'), { iframes: false }).then(({ violations }) => violations.map(({ id, nodes }) => id + ' ' + nodes.map((node) => node.html).join(' ')))`,
      )

      expect(objections).toEqual([])
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
      await page.context().close()
    },
  )

  it('has met no fault in any script', () => {
    expect(faults).toEqual([])
  })
})
