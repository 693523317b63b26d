import type { Browser, BrowserContext } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { objections, openChromium } from '../setup/browser.ts'
import { openWholeDesk, type WholeDesk } from '../setup/whole-desk.ts'

/** Each scheme and each width once: what axe finds wrong with colours and with places does not depend on both together. */
const looks = [
  ['light', 390],
  ['dark', 1280],
] as const

let browser: Browser
let desk: WholeDesk

beforeAll(async () => {
  browser = await openChromium()
  desk = await openWholeDesk()
}, 120_000)

afterAll(async () => {
  await browser?.close()
  await desk?.close()
})

describe('every page of the desk, of a newsletter that has something of everything', () => {
  it('has nothing that axe objects to, light and dark, on a phone and on a wide screen', async () => {
    const context = await signedIn()
    const page = await context.newPage()
    const wrong: unknown[] = []
    for (const path of desk.paths) {
      await page.goto(desk.url + path)
      for (const [colorScheme, width] of looks) {
        await page.setViewportSize({ width, height: 844 })
        await page.emulateMedia({ colorScheme })
        const found = await objections(page)
        if (JSON.stringify(found) !== '[]') wrong.push([path, colorScheme, width, found])
      }
    }

    expect(wrong).toEqual([])
    await context.close()
  }, 240_000)

  it('never scrolls sideways, stumbles over no script, and asks nobody but us for anything', async () => {
    const context = await signedIn()
    const page = await context.newPage()
    const wrong: unknown[] = []
    const asked = new Set<string>()
    page.on('request', (request) => asked.add(new URL(request.url()).origin))
    page.on('pageerror', ({ message }) => wrong.push(message))
    for (const path of desk.paths) {
      await page.setViewportSize({ width: 320, height: 844 })
      await page.goto(desk.url + path)
      for (const width of [320, 390, 1280]) {
        await page.setViewportSize({ width, height: 844 })
        const needs = await page.evaluate('document.documentElement.scrollWidth')
        if (needs !== width) wrong.push([path, width, needs])
      }
    }

    expect(wrong).toEqual([])
    expect([...asked]).toEqual([desk.url])
    await context.close()
  }, 120_000)
})

function signedIn(): Promise<BrowserContext> {
  return browser.newContext({ storageState: { cookies: [...desk.cookies], origins: [] }, bypassCSP: true })
}
