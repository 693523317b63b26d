import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { OutboxMail } from '../../src/mail/read-outbox.ts'
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

const phone = { javaScriptEnabled: false, viewport: { width: 390, height: 844 } }

describe('following on a phone without JavaScript', () => {
  it('goes from a comparison over its tool’s page and a mail to the reader’s stack', async () => {
    const page = await browser.newPage(phone)
    await page.goto(`${site.url}/compare/glyphmoor-vs-kernwick`)
    await page.locator('.follow').getByRole('link', { name: 'Glyphmoor', exact: true }).click()

    await page.getByLabel('Your address').fill('nora@example.test')
    await page.getByLabel('Only issues with Glyphmoor in it').check()
    await page.getByRole('button', { name: 'Follow Glyphmoor', exact: true }).click()
    await page.goto(linkIn(await site.mailTo('nora@example.test', /^Confirm/), /^\/confirm\//))
    await page.getByRole('button', { name: 'Confirm my address', exact: true }).click()

    const welcome = await site.mailTo('nora@example.test', /You are on the list/)
    await page.goto(linkIn(welcome, /^\/preferences\//))
    expect(await page.locator('.my-stack li').allInnerTexts()).toEqual([expect.stringContaining('Glyphmoor')])
    expect(await page.getByLabel('Only what I follow').isChecked()).toBe(true)

    await page.goto(`${site.url}/tools/kernwick`)
    await page.getByLabel('Your address').fill('ada@example.test')
    await page.getByRole('button', { name: 'Follow Kernwick', exact: true }).click()
    await page.goto(linkIn(await site.mailTo('ada@example.test', /^Follow Kernwick\?/), /^\/follow\//))
    await page.getByRole('button', { name: 'Follow Kernwick', exact: true }).click()
    await page.getByRole('link', { name: 'Everything you follow' }).click()
    expect(await page.locator('.my-stack li').allInnerTexts()).toEqual([expect.stringContaining('Kernwick')])
    await page.getByRole('button', { name: 'Remove Kernwick' }).click()
    expect(await page.locator('.my-stack li').count()).toBe(0)
    await page.close()
  }, 200_000)

  it('takes one press under a comparison in a mail, and a tick for each', async () => {
    const page = await browser.newPage(phone)
    const [issue] = await site.mailsTo('grace@example.test')
    if (!issue) throw new Error('Grace got no issue')

    await page.goto(linkIn(issue, /\/follow\//))
    await page.locator('input[name=tool]').first().check()
    await page.getByRole('button', { name: 'Save what I follow' }).click()

    expect(await page.getByRole('status').innerText()).toContain('Saved')
    expect(await page.locator('input[name=tool]').first().isChecked()).toBe(true)
    await page.close()
  })
})

describe('the pages to follow from', () => {
  it.each([
    ['light', 390],
    ['dark', 390],
    ['light', 1280],
    ['dark', 1280],
  ] as const)('have nothing that axe objects to and fit, in %s at %i px', async (colorScheme, width) => {
    const page = await browser.newPage({ colorScheme, viewport: { width, height: 844 }, bypassCSP: true })
    const [issue] = await site.mailsTo('ada@example.test')
    if (!issue) throw new Error('Ada got no issue')
    const own = linkIn(issue, /\/follow\//)
    for (const url of [
      `${site.url}/tools/claude-4-sonnet`,
      `${site.url}/categories/developer-tools`,
      own,
      own.replace(/\/follow\/.*/, ''),
    ]) {
      await page.goto(url)
      expect(await objections(page), url).toEqual([])
      expect(await page.evaluate('document.documentElement.scrollWidth'), url).toBe(width)
    }
    await page.close()
  })
})

function linkIn(mail: OutboxMail, path: RegExp): string {
  const found = mail.text.match(/https?:\/\/\S+/g)?.find((url) => path.test(new URL(url).pathname))
  if (!found) throw new Error(`No link like ${path} in "${mail.subject}"`)
  return found
}
