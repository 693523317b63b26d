import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { objections, openChromium } from '../setup/browser.ts'
import { signInAtDesk } from '../setup/desk-browser.ts'
import { type Site, startSite } from '../setup/site.ts'

let browser: Browser
let site: Site
let cookies: Awaited<ReturnType<BrowserContext['cookies']>>
/** The path of a comparison that was edited once. */
let edited: string

beforeAll(async () => {
  browser = await openChromium()
  site = await startSite({ SEND_POLICY: 'approve' })
  const context = await browser.newContext()
  const page = await context.newPage()
  await signInAtDesk(page, site)
  cookies = await context.cookies()
  await page.goto(`${site.url}/desk/content`)
  edited = (await page.locator('tbody th a').first().getAttribute('href')) ?? ''
  await page.goto(`${site.url}${edited}/edit`)
  await page.getByLabel('Tagline').first().fill('Mended by an editor')
  await page.getByRole('button', { name: 'Save as a new revision' }).click()
  await context.close()
}, 180_000)

afterAll(async () => {
  await browser?.close()
  await site?.stop()
})

async function signedIn(options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
  const context = await browser.newContext(options)
  await context.addCookies(cookies)
  return context.newPage()
}

function everyPage(): readonly string[] {
  return [
    ...['/desk/content', '/desk/content?state=scheduled', '/desk/content?q=nothing+like+it'],
    ...[edited, `${edited}/edit`, `${edited}/retract`, `${edited}/revisions/1`, `${edited}/revisions/2`],
    ...['/desk/content/new', '/desk/content/new/paste'],
  ]
}

describe('every page about comparisons', () => {
  it.each([
    ['light', 390],
    ['dark', 1280],
  ] as const)(
    'has nothing that axe objects to, in %s at %i px',
    async (colorScheme, width) => {
      const page = await signedIn({ colorScheme, viewport: { width, height: 844 }, bypassCSP: true })
      for (const path of everyPage()) {
        await page.goto(site.url + path)
        expect(await objections(page), path).toEqual([])
      }
      await page.goto(`${site.url}/desk/content/new`)
      await page.getByRole('button', { name: 'Publish it' }).click()
      expect(await objections(page), 'a form with errors').toEqual([])
      await page.goto(`${site.url}/desk/content/new/paste`)
      await page.getByLabel('The document').fill('{ "title": 7 }')
      await page.getByRole('button', { name: 'Read it' }).click()
      expect(await objections(page), 'a document with errors').toEqual([])
      await page.context().close()
    },
    180_000,
  )
})

describe('an editor without JavaScript', () => {
  it('writes a comparison for a time to come, adds a review, publishes it now, mends it, goes back, retracts and restores it', async () => {
    const page = await signedIn({ javaScriptEnabled: false, viewport: { width: 390, height: 844 } })
    const press = (name: string) => page.getByRole('button', { name, exact: true }).first().click()
    const main = () => page.locator('main').innerText()

    await page.goto(`${site.url}/desk/content`)
    await page.getByRole('link', { name: 'New comparison' }).click()
    await page.getByLabel('Title').fill('Quillmark vs Inkwell')
    await page.getByLabel('Name in the address').fill('quillmark-vs-inkwell')
    await page.getByLabel('Published').fill('2100-01-01T09:00')
    for (const [side, name] of ['Quillmark', 'Inkwell'].entries()) {
      await page.getByLabel('Name', { exact: true }).nth(side).fill(name)
      await page.getByLabel('Slug').nth(side).fill(name.toLowerCase())
      await page.getByLabel('Category').nth(side).fill('Writing')
      await page.getByLabel('Tagline').nth(side).fill(`${name} writes`)
      await page.getByLabel('Description').nth(side).fill(`${name} writes things down.`)
      await page.getByLabel('Entry price').nth(side).selectOption('free')
      await page
        .getByLabel('Verdict')
        .nth(side * 4)
        .selectOption('ship')
      await page
        .getByLabel('What they said')
        .nth(side * 4)
        .fill(`I would write with ${name}.`)
    }
    await press('Add a review')
    expect(await page.getByLabel('Title').inputValue()).toBe('Quillmark vs Inkwell')
    await page.getByLabel('Reviewer').nth(4).fill('power-user')
    await page.getByLabel('Verdict').nth(4).selectOption('skip')
    await press('Publish it')
    expect(await main()).toContain('Nothing was saved yet')
    await page.getByLabel('What they said').nth(4).fill('It cannot be scripted.')
    await page.getByLabel('Title').press('Enter')
    expect(await main()).toContain('Saved, and scheduled: revision 1.')
    expect((await page.request.get(`${site.url}/compare/quillmark-vs-inkwell`)).status()).toBe(404)

    await press('Publish now')
    expect(await main()).toContain('It is published: revision 2.')
    await page.getByRole('link', { name: 'Its public page' }).click()
    expect(await page.locator('h1').innerText()).toBe('Quillmark vs Inkwell')
    await page.goBack()

    await page.getByRole('link', { name: 'Edit it' }).click()
    await page.getByLabel('Title').fill('Quillmark versus Inkwell')
    await press('Save as a new revision')
    await page.getByRole('link', { name: 'Revision 2' }).click()
    expect(await page.locator('ins').allInnerTexts()).toContain('Quillmark vs Inkwell')
    await press('Go back to this')
    expect(await page.locator('h1').innerText()).toBe('Quillmark vs Inkwell')

    await page.getByRole('link', { name: 'Retract it' }).click()
    await press('Retract it')
    expect(await main()).toContain('It is retracted: revision 5.')
    await press('Restore it')
    expect(await main()).toContain('It is back: revision 6.')

    await page.goto(`${site.url}/desk/content`)
    await page.getByLabel('Title or tool').fill('inkw')
    await press('Find')
    expect(await page.locator('tbody th').allInnerTexts()).toEqual(['Quillmark vs Inkwell'])
    await page.context().close()
  }, 180_000)
})
