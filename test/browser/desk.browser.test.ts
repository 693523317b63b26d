import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { objections, openChromium } from '../setup/browser.ts'
import { signInAtDesk } from '../setup/desk-browser.ts'
import { type Site, startSite } from '../setup/site.ts'

const inside = ['/desk', '/desk/issues', '/desk/log', '/desk/no-such-page']

let browser: Browser
let site: Site

beforeAll(async () => {
  browser = await openChromium()
  site = await startSite({
    // The week that it is now has its draft at once and is due when it ends, so there is always an issue to decide on.
    ...{
      SEND_POLICY: 'approve',
      DRAFT_AT: 'mon 00:00',
      SEND_AT: 'sun 23:59',
      TIMEZONE: whereTheWeekIsNotOver(),
    },
  })
})

afterAll(async () => {
  await browser?.close()
  await site?.stop()
})

/** The paths that are there for whoever is signed in, the issues' own pages included. */
async function everyPage(page: Page): Promise<readonly string[]> {
  await page.goto(`${site.url}/desk/issues`)
  const issues = await page
    .locator('tbody th a')
    .evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? ''))
  const [next] = issues
  return [...inside, ...issues, ...(next ? [`${next}/decide?action=cancel`] : [])]
}

describe('every page of the desk', () => {
  it.each([
    ['light', 390],
    ['dark', 1280],
  ] as const)('has nothing that axe objects to, in %s at %i px', async (colorScheme, width) => {
    const context = await signedIn({ colorScheme, viewport: { width, height: 844 }, bypassCSP: true })
    const page = await context.newPage()
    for (const path of await everyPage(page)) {
      await page.goto(site.url + path)
      expect(await objections(page), path).toEqual([])
    }
    await page.locator('.account summary').click()
    expect(await objections(page), 'the account menu').toEqual([])

    await context.clearCookies()
    await page.goto(`${site.url}/desk`)
    expect(await objections(page), 'the door').toEqual([])
    await page.getByLabel('Your address').fill('nobody@example.com')
    await page.getByRole('button', { name: 'Send me a code' }).click()
    expect(await objections(page), 'the code').toEqual([])
    await page.getByLabel('The six digits').fill('123456')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    expect(await objections(page), 'a wrong code').toEqual([])
    await context.close()
  })

  it.each([320, 390, 1280])(
    'never scrolls sideways at %i px, and asks nobody but us for anything',
    async (width) => {
      const context = await signedIn({ viewport: { width, height: 844 } })
      const page = await context.newPage()
      const asked = new Set<string>()
      page.on('request', (request) => asked.add(new URL(request.url()).origin))
      for (const path of await everyPage(page)) {
        await page.goto(site.url + path)
        expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBe(width)
      }
      expect([...asked]).toEqual([site.url])
      await context.close()
    },
  )
})

describe('an editor without JavaScript', () => {
  it('signs in with the code from the outbox, approves, holds, lets go, cancels after saying so twice, and signs out', async () => {
    const context = await browser.newContext({
      javaScriptEnabled: false,
      viewport: { width: 390, height: 844 },
    })
    const page = await context.newPage()
    const main = () => page.locator('main').innerText()
    const said = () => page.getByRole('status').innerText()
    const press = (name: string) => page.getByRole('button', { name, exact: true }).click()

    await page.goto(`${site.url}/desk`)
    expect(await main()).toContain('editor@example.com')
    await signInAtDesk(page, site)
    expect(await main()).toContain('to go')
    expect(await main()).toContain('3 readers')

    await press('Approve this edition')
    expect(await said()).toContain('is approved, with the edition that you saw.')
    expect(await main()).toContain('Approved by editor@example.com.')
    await press('Hold it back')
    expect(await said()).toContain('is held back.')
    await press('Let it go out')
    expect(await main()).toContain('Approved by editor@example.com.')

    await page.getByRole('link', { name: 'Cancel this issue' }).click()
    expect(await main()).toContain('Its comparisons are free for the next issue.')
    await page.getByRole('link', { name: 'Leave it as it is' }).click()
    expect(await main()).toContain('Approved by editor@example.com.')
    await page.getByRole('link', { name: 'Cancel this issue' }).click()
    await press('Cancel this issue')
    expect(await said()).toContain('is cancelled.')

    await page.getByRole('link', { name: 'Log', exact: true }).click()
    expect(await main()).toMatch(
      /Cancelled[\s\S]*Let go[\s\S]*Held back[\s\S]*Approved[\s\S]*editor@example\.com[\s\S]*Signed in/,
    )

    await page.locator('.account summary').click()
    await press('Sign out')
    expect(await page.locator('h1').innerText()).toBe('Sign in to the desk')
    await page.goto(`${site.url}/desk`)
    expect(new URL(page.url()).pathname).toBe('/desk/sign-in')
    await context.close()
  }, 120_000)

  it('reaches everything with the keyboard: the skip link first, then the sections, then the account', async () => {
    const context = await signedIn()
    const page = await context.newPage()
    await page.goto(`${site.url}/desk`)

    const stops: string[] = []
    for (let tabs = 0; tabs < 9; tabs += 1) {
      await page.keyboard.press('Tab')
      stops.push(String(await page.evaluate('document.activeElement.innerText.trim()')))
    }
    await page.keyboard.press('Enter')

    expect(stops).toEqual([
      ...['Skip to the content', 'The desk', 'This week', 'Issues', 'Readers', 'Content', 'Votes', 'Log'],
      'editor@example.com',
    ])
    expect(await page.getByRole('button', { name: 'Sign out', exact: true }).isVisible()).toBe(true)
    await context.close()
  })
})

let cookies: Awaited<ReturnType<BrowserContext['cookies']>> | undefined

/** A context in which the editor is signed in; the code is asked for once. */
async function signedIn(options: Parameters<Browser['newContext']>[0] = {}): Promise<BrowserContext> {
  const context = await browser.newContext(options)
  if (cookies) await context.addCookies(cookies)
  else {
    const page = await context.newPage()
    await signInAtDesk(page, site)
    cookies = await context.cookies()
    await page.close()
  }
  return context
}

/** A zone in which it is not the last evening of a week. */
function whereTheWeekIsNotOver(): string {
  const { dayOfWeek, hour } = Temporal.Now.zonedDateTimeISO('Etc/UTC')
  return dayOfWeek === 7 && hour >= 12 ? 'Pacific/Kiritimati' : 'Etc/UTC'
}
