import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deliverIssue } from '../../src/delivery/deliver.ts'
import { decide } from '../../src/issue/decide.ts'
import { startWeb, type WebServer } from '../../src/web.ts'
import { objections, openChromium } from '../setup/browser.ts'
import { openTestDatabase } from '../setup/database.ts'
import { type DueIssue, plannedIssue } from '../setup/delivery.ts'
import { deskOn } from '../setup/desk.ts'
import { freePort } from '../setup/free-port.ts'
import { people } from '../setup/people.ts'
import { openPostOffice, type PostOffice } from '../setup/post-office.ts'

const week = '2026-W47'
const issuePath = `/desk/issues/${week}`

let browser: Browser
let web: WebServer
let database: Awaited<ReturnType<typeof openTestDatabase>>
let due: DueIssue
let post: ReturnType<typeof gatedPostOffice>
let site: string
let cookies: Cookies

beforeAll(async () => {
  browser = await openChromium()
  database = await openTestDatabase()
  const { connection } = database
  await people.crowd(connection.db, 300)
  post = gatedPostOffice()
  due = await plannedIssue({ db: connection.db }, { mail: post.office })
  const port = await freePort()
  site = `http://localhost:${port}`
  const desk = deskOn(
    { connection, db: connection.db },
    { clock: due.clock, environment: { PUBLIC_URL: site } },
  )
  web = await startWeb(desk.app, { host: '127.0.0.1', port })
  cookies = await signedIn(desk.mail)
})

afterAll(async () => {
  await browser?.close()
  await web?.stop()
  await database?.close()
})

describe('an editor who watches an issue go', () => {
  it('sees it through a pause, a reload and a resume to its end, and reads the report', async () => {
    const page = await deskPage()
    await page.goto(site + issuePath)
    const says = (words: string) => page.getByText(words).first().waitFor()
    await says('0 of 300 readers dealt with')
    await says('These numbers are live.')
    const top = await page.locator('#sending table').boundingBox()

    const delivering = deliverIssue(due.deps, due.issue.id)
    await post.let(6)
    await says('60 of 300 readers dealt with')
    expect(await page.evaluate('document.querySelector("progress").value')).toBe(60)
    expect((await page.locator('#sending table').boundingBox())?.y).toBe(top?.y)

    await page.getByRole('button', { name: 'Pause sending' }).click()
    await says('Paused by eve@example.test')
    await post.let(1)
    await delivering
    await says('70 of 300 readers dealt with')
    await page.reload()
    await says('70 of 300 readers dealt with')
    await says('Go on sending')

    // Somebody else lets it go on: the page notices, and its buttons with it.
    await decide(due.deps, week, 'release', 'sam@example.test')
    await page.getByRole('button', { name: 'Pause sending' }).waitFor()
    const goingOn = deliverIssue(due.deps, due.issue.id)
    await post.let(23)
    await goingOn
    await says('What came of it')
    expect(await page.locator('[role=status].heard-only').innerText()).toBe(
      'sent: 300 of 300 readers dealt with',
    )
    expect(await page.locator('.kicker').first().innerText()).toContain('sent')

    await page.getByRole('link', { name: 'Read the report' }).click()
    expect(await page.locator('main').innerText()).toMatch(/Accepted\s+300/)
    expect(page.errors).toEqual([])
    await page.context().close()
  })
})

describe('the report and the growth of the list', () => {
  it.each([
    ['light', 390],
    ['dark', 1280],
  ] as const)(
    'have nothing that axe objects to, in %s at %i px, and never scroll sideways',
    async (colorScheme, width) => {
      const page = await deskPage({ colorScheme, viewport: { width, height: 844 }, bypassCSP: true })
      for (const path of [`${issuePath}/report`, '/desk/growth', '/desk/growth?by=day', issuePath]) {
        await page.goto(site + path)
        expect(await objections(page), path).toEqual([])
        expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBe(width)
      }
      await page.context().close()
    },
  )
})

type Cookies = Awaited<ReturnType<BrowserContext['cookies']>>

async function signedIn(mail: PostOffice): Promise<Cookies> {
  const page = await browser.newPage()
  await page.goto(`${site}/desk`)
  await page.getByLabel('Your address').fill('eve@example.test')
  await page.getByRole('button', { name: 'Send me a code' }).click()
  await page.getByLabel('The six digits').waitFor()
  for (let tries = 0; tries < 1_000 && mail.accepted.length === 0; tries += 1)
    await new Promise((wake) => setTimeout(wake, 20))
  const [code = ''] = /\b\d{6}\b/.exec(mail.accepted[0]?.text ?? '') ?? []
  await page.getByLabel('The six digits').fill(code)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.waitForURL(`${site}/desk`)
  const found = await page.context().cookies()
  await page.close()
  return found
}

type Watched = Page & { readonly errors: string[] }

async function deskPage(options: Parameters<Browser['newContext']>[0] = {}): Promise<Watched> {
  const context = await browser.newContext(options)
  await context.addCookies(cookies)
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', ({ message }) => errors.push(message))
  page.on('console', (said) => said.text().includes('Content Security Policy') && errors.push(said.text()))
  return Object.assign(page, { errors })
}

/** Takes ten mails at a time, each ten only when the test lets it. */
function gatedPostOffice(): { office: PostOffice; let(calls: number): Promise<void> } {
  const office = openPostOffice({ most: { mails: 10, bytes: 4_000_000 } })
  const waiting: (() => void)[] = []
  const send = office.send.bind(office)
  let allowed = 0
  let taken = 0
  const gated: PostOffice = {
    ...office,
    async send(...call) {
      if (allowed === 0) await new Promise<void>((go) => waiting.push(go))
      else allowed -= 1
      const outcome = await send(...call)
      taken += 1
      return outcome
    },
  }
  return {
    office: gated,
    async let(calls) {
      const until = taken + calls
      for (let n = 0; n < calls; n += 1) {
        const go = waiting.shift()
        if (go) go()
        else allowed += 1
      }
      for (let tries = 0; taken < until && tries < 1_000; tries += 1)
        await new Promise((wake) => setTimeout(wake, 20))
    },
  }
}
