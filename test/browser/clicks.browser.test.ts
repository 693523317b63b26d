import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openChromium } from '../setup/browser.ts'
import { type Site, startSite } from '../setup/site.ts'

describe('the counted links of a mail, in a browser', () => {
  let browser: Browser
  let site: Site
  let html: string

  beforeAll(async () => {
    site = await startSite()
    html = (await site.mailTo('ada@example.test', /./)).html ?? ''
    browser = await openChromium()
  }, 120_000)

  afterAll(async () => {
    await browser?.close()
    await site?.stop()
  })

  it.each([
    ['as it is', (given: string) => given],
    ['without its style', (given: string) => given.replace(/<style[\s\S]*?<\/style>/g, '')],
    ['by a program that drops style attributes', (given: string) => given.replace(/ style="[^"]*"/g, '')],
  ])('hide the one that is for programs, %s', async (_, shown) => {
    const page = await mailIn(browser, shown(html))
    const trap = page.locator('a[aria-hidden]')

    expect(await trap.count()).toBe(1)
    expect(await trap.evaluate((link) => link.getBoundingClientRect().width)).toBe(0)
    const href = (await trap.getAttribute('href')) ?? ''
    expect(await focusedInTurn(page)).not.toContain(href)
    expect(await page.evaluate('document.body.innerText')).not.toContain(href)
    await page.close()
  })

  it('are not among what a screen reader is told, but for those that people follow', async () => {
    const page = await mailIn(browser, html)

    const seen = await page.locator('body').ariaSnapshot()
    const href = (await page.locator('a[aria-hidden]').getAttribute('href')) ?? ''

    expect(seen).toContain('link "Read the full comparison')
    expect(seen).not.toContain(new URL(href).pathname)
    await page.close()
  })

  it('lead a reader to the comparison that they are under', async () => {
    const page = await mailIn(browser, html)
    const title = await page.locator('h2').first().textContent()

    await page
      .getByRole('link', { name: /^Read the full comparison/ })
      .first()
      .click()

    await page.waitForURL(/\/compare\//)
    expect(new URL(page.url()).origin).toBe(site.url)
    expect(await page.locator('h1').textContent()).toBe(title)
    await page.close()
  })
})

async function mailIn(browser: Browser, html: string): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 390, height: 844 } })
  await page.setContent(html)
  return page
}

/** Where the Tab key goes, link by link, to the end of the mail. */
async function focusedInTurn(page: Page): Promise<readonly string[]> {
  const links = await page.locator('a').count()
  const met: string[] = []
  for (let n = 0; n <= links; n += 1) {
    await page.keyboard.press('Tab')
    met.push(await page.evaluate(`document.activeElement?.getAttribute('href') ?? ''`))
  }
  expect(met.filter((href) => href !== '').length).toBeGreaterThanOrEqual(links - 1)
  return met
}
