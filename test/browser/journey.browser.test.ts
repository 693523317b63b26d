import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { OutboxMail } from '../../src/mail/read-outbox.ts'
import { openChromium } from '../setup/browser.ts'
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

/** A phone whose owner has switched JavaScript off. */
function phone(): Promise<BrowserContext> {
  return browser.newContext({ javaScriptEnabled: false, viewport: { width: 390, height: 844 } })
}

function link(mail: OutboxMail, path: RegExp): string {
  const found = mail.text.match(/https?:\/\/\S+/g)?.find((url) => path.test(new URL(url).pathname))
  if (!found) throw new Error(`No link like ${path} in "${mail.subject}"`)
  return found
}

async function press(page: Page, button: string): Promise<void> {
  await page.getByRole('button', { name: button, exact: true }).click()
}

describe('a reader on a phone without JavaScript', () => {
  it('joins, chooses, pauses, moves, leaves, comes back and is forgotten', async () => {
    const context = await phone()
    const page = await context.newPage()
    const heading = () => page.locator('h1').innerText()

    await page.goto(site.url)
    await page.getByLabel('Your address').fill('Nora@Example.TEST')
    await press(page, 'Send me the confirmation')
    expect(await heading()).toBe('Check your inbox')

    const asked = await site.mailTo('nora@example.test', /^Confirm your address/)
    expect(asked.headers.map(({ name }) => name.toLowerCase())).not.toContain('list-unsubscribe')
    await page.goto(link(asked, /^\/confirm\//))
    await press(page, 'Confirm my address')
    expect(await heading()).toMatch(/you are in|on the list/i)

    const welcome = await site.mailTo('nora@example.test', /You are on the list/)
    const preferences = link(welcome, /^\/preferences\//)
    await page.goto(preferences)
    await page
      .getByLabel(/^Monthly|month/i)
      .first()
      .check()
    await press(page, 'Save what I get')
    expect(await page.getByRole('status').innerText()).not.toBe('')
    expect(
      await page
        .getByLabel(/^Monthly|month/i)
        .first()
        .isChecked(),
    ).toBe(true)

    await page.getByLabel('2 weeks').check()
    await press(page, 'Pause my subscription')
    expect(await page.locator('main').innerText()).toContain('Paused')
    await press(page, 'Resume now')
    expect(await page.getByRole('button', { name: 'Resume now' }).count()).toBe(0)

    await page.getByLabel('New address').fill('nora.new@example.test')
    await press(page, 'Send the letter')
    const moving = await site.mailTo('nora.new@example.test', /Confirm your new address/)
    await page.goto(link(moving, /./))
    await page.getByRole('button').first().click()
    await site.mailTo('nora@example.test', /go to another address/)

    await page.goto(preferences)
    await page.locator('section[aria-labelledby=leave]').getByRole('button').click()
    expect(await heading()).toBe('You are out')
    await press(page, 'Put me back on the list')
    await page.goto(preferences)
    expect(await page.getByRole('button', { name: 'Pause my subscription' }).count()).toBe(1)

    await page.getByRole('link', { name: 'erase me', exact: true }).click()
    await page.getByLabel('I want to be erased, for good').check()
    await press(page, 'Erase me')
    expect(await page.locator('main').innerText()).toMatch(/erased|forgotten/i)
    await page.goto(preferences)
    expect(await page.getByRole('button', { name: 'Pause my subscription' }).count()).toBe(0)
    await context.close()
  }, 300_000)

  it('is told what is wrong with an address, keeps what was typed, and is offered the likely one', async () => {
    const context = await phone()
    const page = await context.newPage()
    await page.goto(`${site.url}/subscribe`)

    await page.getByLabel('Your address').fill('otto@gmial.com')
    await press(page, 'Send me the confirmation')

    expect(await page.getByLabel('Your address').inputValue()).toBe('otto@gmial.com')
    expect(await page.getByRole('button', { name: 'Use otto@gmail.com' }).count()).toBe(1)
    await context.close()
  })
})

describe('a link scanner with JavaScript', () => {
  it('opens every link of every mail three times and changes nothing', async () => {
    const page = await (await browser.newContext()).newPage()
    await page.goto(site.url)
    await page.getByLabel('Your address').fill('vera@example.test')
    await press(page, 'Send me the confirmation')
    const asked = await site.mailTo('vera@example.test', /^Confirm your address/)
    const [issue] = await site.mailsTo('ada@example.test')
    if (!issue) throw new Error('Ada got no issue')
    // The votes are opened in `vote.browser.test.ts`, beside a copy of every table.
    const all = [asked, issue].flatMap((mail) => mail.text.match(/https?:\/\/\S+/g) ?? [])
    const urls = all.filter((url) => !url.includes('/vote/'))

    for (let visit = 0; visit < 3; visit++) {
      for (const url of new Set(urls)) {
        await page.goto(url)
        for (const method of ['HEAD', 'OPTIONS']) await fetch(url, { method })
      }
    }

    await page.goto(link(issue, /^\/unsubscribe\//))
    expect(await page.locator('h1').innerText()).toBe('Leave the list?')
    await page.goto(link(asked, /^\/confirm\//))
    await press(page, 'Confirm my address')
    expect(await page.locator('h1').innerText()).toMatch(/you are in|on the list/i)
  }, 300_000)
})
