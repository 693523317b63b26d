import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { objections, openChromium } from '../setup/browser.ts'
import { type Site, startSite } from '../setup/site.ts'

let browser: Browser
let site: Site
let paths: readonly string[]

beforeAll(async () => {
  browser = await openChromium()
  site = await startSite()
  const mail = await site.mailTo('ada@example.test', /./)
  const links = [...mail.text.matchAll(/http:\/\/localhost:\d+(\/\S+)/g)].map(([, path]) => path ?? '')
  const personal = links.filter((path) => /^\/(unsubscribe|preferences)\/[^/]+$/.test(path))
  const compared = links.filter((path) => path.startsWith('/compare/'))
  const erase = personal.filter((path) => path.startsWith('/preferences/')).map((path) => `${path}/erase`)
  const signUp = ['/subscribe', '/embed', '/embed/snippet', '/confirm/forged']
  const wrong = ['/no-such-page', '/unsubscribe/forged', '/unsubscribe', '/preferences']
  paths = [
    '/',
    '/issues',
    '/outbox',
    `/outbox/${mail.id}`,
    ...signUp,
    ...wrong,
    ...personal,
    ...erase,
    ...compared,
  ]
})

afterAll(async () => {
  await browser?.close()
  await site?.stop()
})

describe('every page that a reader can open', () => {
  it.each([
    ['light', 390],
    ['dark', 390],
    ['light', 1280],
    ['dark', 1280],
  ] as const)('has nothing that axe objects to, in %s at %i px', async (colorScheme, width) => {
    const page = await browser.newPage({ colorScheme, viewport: { width, height: 844 }, bypassCSP: true })
    for (const path of paths) {
      await page.goto(site.url + path)
      const found = await objections(page)
      expect(found, path).toEqual([])
    }
    await page.close()
  })

  it.each([320, 390, 1280])('never scrolls sideways at %i px', async (width) => {
    const page = await browser.newPage({ viewport: { width, height: 844 } })
    for (const path of paths) {
      await page.goto(site.url + path)
      expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBe(width)
    }
    await page.close()
  })

  it('asks nobody but us for anything, and weighs less than 50 kB', async () => {
    const page = await browser.newPage()
    const asked: { url: string; bytes: Promise<number> }[] = []
    page.on('response', (response) =>
      asked.push({
        url: response.url(),
        bytes: response.body().then(
          (body) => body.byteLength,
          () => 0,
        ),
      }),
    )
    for (const path of paths.filter((one) => !one.startsWith('/outbox/'))) {
      asked.length = 0
      await page.goto(site.url + path)
      const weight = (await Promise.all(asked.map(({ bytes }) => bytes))).reduce(
        (sum, bytes) => sum + bytes,
        0,
      )
      expect(
        asked.map(({ url }) => new URL(url).origin),
        path,
      ).toSatisfy((origins: string[]) => origins.every((origin) => origin === site.url))
      expect(weight, path).toBeLessThan(50_000)
    }
    await page.close()
  })
})
