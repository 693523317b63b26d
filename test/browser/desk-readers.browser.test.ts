import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { objections, openChromium } from '../setup/browser.ts'
import { signInAtDesk } from '../setup/desk-browser.ts'
import { type Site, startSite } from '../setup/site.ts'

const long = 'a.reader.with.quite.a.long.name.indeed@mail.department.of-a-large.company.example'

let browser: Browser
let site: Site
let cookies: Awaited<ReturnType<BrowserContext['cookies']>>
/** The paths of pages that show a reader in each state. */
let readers: readonly string[] = []

beforeAll(async () => {
  browser = await openChromium()
  site = await startSite({ SEND_POLICY: 'approve' })
  const context = await browser.newContext({ javaScriptEnabled: false })
  const page = await context.newPage()
  await signInAtDesk(page, site)
  cookies = await context.cookies()
  readers = [await signedUp(page), await added(page, long), await erased(page), await suppressed(page)]
  await context.close()
}, 120_000)

afterAll(async () => {
  await browser?.close()
  await site?.stop()
})

describe('the readers at the desk', () => {
  it.each([
    ['light', 390],
    ['dark', 1280],
  ] as const)(
    'have nothing that axe objects to, in %s at %i px',
    async (colorScheme, width) => {
      const context = await signedIn({ colorScheme, viewport: { width, height: 844 }, bypassCSP: true })
      const page = await context.newPage()
      for (const path of everyPath()) {
        await page.goto(site.url + path)
        expect(await objections(page), path).toEqual([])
      }
      await find(page, 'a.reader')
      expect(await objections(page), 'what was found').toEqual([])
      await page.goto(`${site.url}${readers[1]}/decide?action=erase`)
      await page.getByLabel('Type their address').fill('somebody else')
      await page.getByRole('button', { name: 'Erase this reader' }).click()
      expect(await objections(page), 'an erasure that was not meant').toEqual([])
      await page.goto(`${site.url}/desk/readers/add`)
      await page.getByLabel('Their address').fill('nobody')
      await page.getByLabel('Where and when').fill(' ')
      await page.getByRole('button', { name: 'Put them on the list' }).click()
      expect(await objections(page), 'nobody to add').toEqual([])
      await context.close()
    },
    120_000,
  )
})

describe('an editor with the keyboard and without JavaScript', () => {
  it('finds a reader, takes them off the list, erases them, and the address is in no web address', async () => {
    const context = await signedIn({ javaScriptEnabled: false, viewport: { width: 390, height: 844 } })
    const page = await context.newPage()
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    const main = () => page.locator('main').innerText()
    await added(page, 'zoe@example.com')

    await page.goto(`${site.url}/desk/readers`)
    await page.getByLabel('Find a reader').focus()
    await page.keyboard.type('ZOE@example.com')
    await page.keyboard.press('Enter')
    await page.waitForURL(/readers\/[\da-f-]{36}$/)
    expect(await main()).toContain('by an editor; gets every issue.')

    await page.getByRole('link', { name: 'Take them off the list' }).click()
    await page.getByRole('link', { name: 'Leave it as it is' }).click()
    expect(await main()).toContain('gets every issue.')
    await page.getByRole('link', { name: 'Take them off the list' }).click()
    await page.getByRole('button', { name: 'Take them off the list' }).click()
    expect(await page.getByRole('status').innerText()).toBe('They are off the list.')

    await page.getByRole('link', { name: 'Erase this reader' }).click()
    await page.getByLabel('Type their address').fill('zoe@example.com')
    await page.getByRole('button', { name: 'Erase this reader' }).click()
    expect(await main()).toContain('Nothing that says who they were')
    expect(asked.filter((url) => /zoe|%40|@/i.test(url))).toEqual([])
    await context.close()
  }, 60_000)
})

function everyPath(): readonly string[] {
  const [pending = '', listed = '', , barred = ''] = readers
  return [
    ...['/desk/readers', '/desk/readers?show=pending', '/desk/readers?show=bounced', '/desk/readers/add'],
    ...['/desk/readers?show=by%20hand', ...readers, `${listed}/decide?action=erase`],
    ...[`${pending}/decide?action=unsubscribe`, `${barred}/decide?action=lift%20suppression`],
  ]
}

async function signedUp(page: Page): Promise<string> {
  await page.goto(`${site.url}/subscribe`)
  await page.locator('input[type="email"]').fill('pending@example.com')
  await page.locator('main form button').first().click()
  await site.mailTo('pending@example.com', /Confirm your address/)
  return find(page, 'pending@example.com')
}

async function added(page: Page, address: string): Promise<string> {
  await page.goto(`${site.url}/desk/readers/add`)
  await page.getByLabel('Their address').fill(address)
  await page.getByLabel('Where and when').fill('Asked at the May meetup')
  await page.getByRole('button', { name: 'Put them on the list' }).click()
  return new URL(page.url()).pathname
}

async function erased(page: Page): Promise<string> {
  const path = await added(page, 'erased@example.com')
  await page.goto(`${site.url}${path}/decide?action=erase`)
  await page.getByLabel('Type their address').fill('erased@example.com')
  await page.getByRole('button', { name: 'Erase this reader' }).click()
  return path
}

async function suppressed(page: Page): Promise<string> {
  const path = await added(page, 'barred@example.com')
  await page.goto(`${site.url}${path}/decide?action=suppress`)
  await page.getByRole('button', { name: 'Never mail this address' }).click()
  return path
}

/** Looks for somebody, and says where that led. */
async function find(page: Page, typed: string): Promise<string> {
  await page.goto(`${site.url}/desk/readers`)
  await page.getByLabel('Find a reader').fill(typed)
  await page.getByRole('button', { name: 'Find', exact: true }).click()
  return new URL(page.url()).pathname
}

async function signedIn(options: Parameters<Browser['newContext']>[0]): Promise<BrowserContext> {
  const context = await browser.newContext(options)
  await context.addCookies(cookies)
  return context
}
