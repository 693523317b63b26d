import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { objections, openChromium } from '../setup/browser.ts'
import { type Site, startSite } from '../setup/site.ts'

let browser: Browser
let site: Site

beforeAll(async () => {
  browser = await openChromium()
  site = await startSite()
})

afterAll(async () => {
  await browser?.close()
  await site?.stop()
})

describe('the archive in a browser', () => {
  it.each([
    ['light', 320],
    ['dark', 390],
    ['light', 1280],
    ['dark', 1280],
  ] as const)(
    'has nothing that axe objects to, and never scrolls sideways, in %s at %i px',
    async (colorScheme, width) => {
      const page = await browser.newPage({ colorScheme, viewport: { width, height: 844 }, bypassCSP: true })
      for (const path of await paths()) {
        await page.goto(site.url + path)
        expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBe(width)
        const found = await objections(page)
        expect(found, path).toEqual([])
      }
      await page.close()
    },
  )

  it('finds a comparison from the keyboard, without a script', async () => {
    const page = await browser.newPage({ javaScriptEnabled: false })
    await page.goto(`${site.url}/issues`)

    await page.getByLabel('Tool, category or word').fill('smolvlm')
    await page.keyboard.press('Enter')
    await page.getByRole('link', { name: 'Claude 4 Sonnet vs SmolVLM2' }).first().click()

    expect(new URL(page.url()).pathname).toBe('/compare/claude-4-sonnet-vs-smolvlm2')
    await page.close()
  })
})

/** The list, what a search found, what none found, and an issue where one has gone out. */
async function paths(): Promise<readonly string[]> {
  const list = await (await fetch(`${site.url}/issues`)).text()
  const issue = /href="(\/issues\/[\w-]+)"/.exec(list)?.[1]
  return ['/issues', '/issues?q=support', '/issues?q=zyxwv', ...(issue ? [issue] : [])]
}
