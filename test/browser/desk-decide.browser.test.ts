import { serve } from '@hono/node-server'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { objections, openChromium } from '../setup/browser.ts'
import { openTestDatabase, type TestDatabase } from '../setup/database.ts'
import { deskOn } from '../setup/desk.ts'
import { signInAtDesk } from '../setup/desk-browser.ts'
import { heard, issueInQuarantine } from '../setup/doubt.ts'
import { freePort } from '../setup/free-port.ts'
import { people } from '../setup/people.ts'
import { openPostOffice } from '../setup/post-office.ts'
import { type Site, startSite } from '../setup/site.ts'

const sizes = [
  ['light', 390],
  ['dark', 1280],
] as const

let browser: Browser

beforeAll(async () => {
  browser = await openChromium()
})

afterAll(async () => {
  await browser?.close()
})

/** Axe is content with the page, and it does not scroll sideways. */
async function expectSound(page: Page, width: number): Promise<void> {
  await shoot(page, width)
  expect(await objections(page), page.url()).toEqual([])
  expect(await page.evaluate('document.documentElement.scrollWidth'), page.url()).toBe(width)
}

/** A picture to look at, where somebody wants some: `SHOTS=folder`. */
async function shoot(page: Page, width: number): Promise<void> {
  if (!process.env.SHOTS) return
  const name = new URL(page.url()).pathname.replace(/[0-9a-f-]{36}/, 'batch').replaceAll('/', '_')
  const scheme = await page.evaluate(`matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'`)
  const title = (await page.title()).replace(/\W+/g, '-').slice(0, 30)
  await page.screenshot({
    path: `${process.env.SHOTS}/${name}-${title}-${width}-${scheme}.png`,
    fullPage: true,
  })
}

describe('an editor without JavaScript, with a draft', () => {
  let site: Site

  beforeAll(async () => {
    site = await startSite({
      ...{
        SEND_POLICY: 'approve',
        DRAFT_AT: 'mon 00:00',
        SEND_AT: 'sun 23:59',
        TIMEZONE: whereTheWeekIsNotOver(),
      },
    })
  })

  afterAll(async () => {
    await site?.stop()
  })

  it('sends a test that lands in the outbox, changes the time and puts it back, and is asked before cancelling', async () => {
    const context = await browser.newContext({
      javaScriptEnabled: false,
      viewport: { width: 390, height: 844 },
    })
    const page = await context.newPage()
    const said = () => page.locator('.flash').innerText()
    const press = (name: string) => page.getByRole('button', { name, exact: true }).click()
    const follow = (name: string) => page.getByRole('link', { name, exact: true }).first().click()
    await signInAtDesk(page, site)
    const main = () => page.locator('main').innerText()
    const week = /\d{4}-W\d{2}/.exec(await main())?.[0] ?? ''

    await page.goto(`${site.url}/desk/issues/${week}`)
    await follow('Send a test')
    expect(await page.getByRole('radio', { name: 'editor@example.com, yourself' }).isChecked()).toBe(true)
    await press('Send the test')
    expect(await said()).toContain('the test to editor@example.com lies in the outbox')
    const test = await site.mailTo('editor@example.com', /^\[Test\] /)
    const leave = /http[^"\s]*\/unsubscribe\/[\w.-]+/.exec(test.html)?.[0] ?? ''
    await page.goto(leave)
    expect(await main()).toContain('This link is from a test mail.')
    await press('Leave the list')
    expect(await main()).toContain('This link is from a test mail.')

    await page.goto(`${site.url}/desk/issues/${week}`)
    await press('Approve this edition')
    await follow('Change its time')
    const before = await page.getByLabel('Day', { exact: true }).inputValue()
    const later = Temporal.PlainDate.from(before).add({ days: 2 }).toString()
    await page.getByLabel('Day', { exact: true }).fill(later)
    await page.getByLabel('Time', { exact: true }).fill('07:30')
    await press('Change its time')
    expect(await said()).toContain('the approval is gone')
    await follow('Change its time')
    await press('Put it back to that')
    expect(await said()).toContain('approved again')

    await follow('Cancel this issue')
    expect(await main()).toContain('Nothing of')
    await follow('Leave it as it is')
    expect(await main()).toContain('Approved by editor@example.com')
    await context.close()
  }, 120_000)

  it.each(sizes)('finds every page of deciding sound, in %s at %i px', async (colorScheme, width) => {
    const context = await browser.newContext({
      colorScheme,
      viewport: { width, height: 844 },
      bypassCSP: true,
    })
    const page = await context.newPage()
    await signInAtDesk(page, site)
    const week = /\d{4}-W\d{2}/.exec(await page.locator('main').innerText())?.[0] ?? ''
    await expectSound(page, width)
    for (const path of ['', '/test', '/time', '/decide?action=cancel']) {
      await page.goto(`${site.url}/desk/issues/${week}${path}`)
      await expectSound(page, width)
    }
    await page.goto(`${site.url}/desk/quarantine`)
    await expectSound(page, width)
    await context.close()
  })
})

describe('an editor with a batch in doubt', () => {
  let opened: Awaited<ReturnType<typeof openTestDatabase>>
  let database: TestDatabase
  let server: ReturnType<typeof serve>
  let desk: ReturnType<typeof deskOn>
  let url: string
  let batchId: string

  beforeAll(async () => {
    opened = await openTestDatabase()
    database = { connection: opened.connection, db: opened.connection.db }
    const port = await freePort()
    url = `http://localhost:${port}`
    const ann = await people.ann(database.db)
    await people.bob(database.db)
    await people.crowd(database.db, 6)
    const due = await issueInQuarantine(database, 'after they were taken')
    batchId = due.batchId
    await heard(database.db, batchId, [ann])
    const environment = {
      ...{ PUBLIC_URL: url, MAIL_TRANSPORT: 'resend', RESEND_API_KEY: 're_test' },
      ...{ RESEND_FULL_ACCESS_KEY: 're_full', RESEND_BASE_URL: 'http://127.0.0.1:9' },
    }
    desk = deskOn(database, { clock: due.clock, mail: openPostOffice(), environment })
    server = serve({ fetch: desk.app.fetch, port, hostname: 'localhost' })
  })

  afterAll(async () => {
    await new Promise((closed) => server?.close(closed))
    await opened?.close()
  })

  async function eveWith(options: BrowserContextOptions) {
    const context = await browser.newContext({ ...options, bypassCSP: true })
    const { cookies } = await desk.signedIn()
    await context.addCookies(
      [...cookies].map(([name, value]) => ({ name: name.replace('__Host-', ''), value, url })),
    )
    return context
  }

  it.each(sizes)(
    'finds the list, the batch, the question and the issue sound, in %s at %i px',
    async (colorScheme, width) => {
      const context = await eveWith({ colorScheme, viewport: { width, height: 844 } })
      const page = await context.newPage()
      for (const path of ['/desk/quarantine', `/desk/quarantine/${batchId}`, '/desk/issues/2026-W47']) {
        await page.goto(url + path)
        await expectSound(page, width)
      }
      await page.goto(`${url}/desk/quarantine/${batchId}`)
      await page.getByRole('button', { name: 'Send it again to 7 readers' }).click()
      await expectSound(page, width)
      await context.close()
    },
  )

  it('decides with the keyboard alone, after having been asked', async () => {
    const context = await eveWith({ viewport: { width: 1280, height: 844 } })
    const page = await context.newPage()
    await page.goto(`${url}/desk/quarantine/${batchId}`)

    await page.getByRole('button', { name: 'Record it as sent' }).focus()
    await page.keyboard.press('Enter')
    await page.waitForLoadState()
    const asked = await page.locator('main').innerText()
    await page.getByRole('button', { name: 'Record it as sent' }).focus()
    await page.keyboard.press('Enter')
    await page.waitForURL(`${url}/desk/issues/2026-W47`)

    expect(asked).toContain('All 8 readers are recorded as having 2026-W47')
    expect(await page.locator('.flash').innerText()).toContain('8 readers recorded as having it')
    await context.close()
  })
})

/** A zone in which it is not the last evening of a week. */
function whereTheWeekIsNotOver(): string {
  const { dayOfWeek, hour } = Temporal.Now.zonedDateTimeISO('Etc/UTC')
  return dayOfWeek === 7 && hour >= 12 ? 'Pacific/Kiritimati' : 'Etc/UTC'
}
