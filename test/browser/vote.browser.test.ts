import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { startWeb, type WebServer } from '../../src/web.ts'
import { appOn } from '../setup/app.ts'
import { objections, openChromium } from '../setup/browser.ts'
import { openTestDatabase } from '../setup/database.ts'
import { dueIssue } from '../setup/delivery.ts'
import { everything } from '../setup/everything.ts'
import { freePort } from '../setup/free-port.ts'
import { people } from '../setup/people.ts'

let browser: Browser
let web: WebServer
let database: Awaited<ReturnType<typeof openTestDatabase>>
let html: string
let links: readonly string[]

/** Ann's mail of week 47, as it was sent, and the site that its links lead to. */
beforeAll(async () => {
  browser = await openChromium()
  database = await openTestDatabase()
  const { connection } = database
  const [db, port] = [connection.db, await freePort()]
  const site = `http://localhost:${port}`
  await people.ann(db)
  const wire = { from: 'Weekly <verdicts@example.com>', replyTo: undefined, publicUrl: site }
  const setting = { publicUrl: site, postalAddress: '1 Example Street, Example Town' }
  const due = await dueIssue({ db }, { wire, setting })
  await sendIssue(due.deps, '2026-W47')
  html = due.mail.accepted[0]?.html ?? ''
  links = [...new Set(html.match(/http:\/\/localhost:[^"\s<]+/g) ?? [])]
  const app = appOn({ connection, db }, { clock: due.clock, environment: { PUBLIC_URL: site } })
  web = await startWeb(app, { host: '127.0.0.1', port })
})

afterAll(async () => {
  await browser?.close()
  await web?.stop()
  await database?.close()
})

describe('a reader on a phone without JavaScript', () => {
  it('votes from the mail in two presses, changes it, and goes on to the other tool', async () => {
    const page = await browser.newPage({ javaScriptEnabled: false, viewport: { width: 390, height: 844 } })
    const said = () => page.getByRole('status').innerText()
    await page.setContent(html)

    await page.getByRole('link', { name: 'Ship', exact: true }).first().click()
    expect(await page.locator('input[name=vote]:checked').inputValue()).toBe('ship')
    expect(await votes()).toEqual([])
    await page.getByRole('button', { name: 'Count my vote' }).click()
    expect(await said()).toBe('Counted. You would ship glyphmoor-vs-kernwick left.')

    await page.getByLabel('No, skip it').check()
    await page.getByRole('button', { name: 'Change my vote' }).click()
    expect(await said()).toBe('Counted. You would skip glyphmoor-vs-kernwick left.')

    await page.getByRole('link', { name: 'Vote on glyphmoor-vs-kernwick right' }).click()
    await page.getByLabel('Yes, ship it').check()
    await page.getByRole('button', { name: 'Count my vote' }).click()
    expect(await votes()).toEqual(['skip', 'ship'])
    await page.close()
  })
})

describe('a link scanner with JavaScript', () => {
  it('opens every link of the mail three times: no vote, and nothing else but clicks that it is known for', async () => {
    const page = await browser.newPage()
    const before = await everythingButClicks()

    for (let visit = 0; visit < 3; visit++) for (const url of links) await page.goto(url)

    expect(links.filter((url) => url.includes('/vote/'))).toHaveLength(4)
    expect(await everythingButClicks()).toEqual(before)
    await page.close()
  })
})

describe('the pages of a vote', () => {
  it.each([
    ['light', 390],
    ['dark', 390],
    ['light', 1280],
    ['dark', 1280],
  ] as const)('have nothing that axe objects to and fit, in %s at %i px', async (colorScheme, width) => {
    const page = await browser.newPage({ colorScheme, viewport: { width, height: 844 }, bypassCSP: true })
    const [vote = ''] = links.filter((url) => url.includes('/vote/'))
    const paths = [
      ...[vote, vote.replace(/\.ship$/, ''), `${vote}?done=vote`],
      vote.replace(/vote\/[\w-]+\.[\w-]+\.[\w-]+\./, 'vote/anybody.'),
    ]
    for (const path of paths) {
      await page.goto(path)
      expect(await objections(page), path).toEqual([])
      expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBe(width)
    }
    await page.close()
  })
})

async function votes(): Promise<readonly string[]> {
  const rows = await database.connection.db.selectFrom('vote').select('verdict').orderBy('tool_id').execute()
  return rows.map(({ verdict }) => verdict)
}

/** Every row there is, but for the counting of links that lead to comparisons. */
async function everythingButClicks() {
  const { click: _, click_key: __, click_hour: ___, ...rest } = await everything(database.connection.db)
  return rest
}
