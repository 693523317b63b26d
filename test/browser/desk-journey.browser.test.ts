import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migrate } from '../../db/migrate.ts'
import { openChromium } from '../setup/browser.ts'
import { useCommandLine } from '../setup/cli.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { signInAtDesk, thisWeekIsOpen } from '../setup/desk-browser.ts'
import { type FakeProvider, startFakeProvider } from '../setup/fake-provider.ts'
import { people } from '../setup/people.ts'
import { type Site, startSite } from '../setup/site.ts'

const isOnPostgres = Boolean(process.env.TEST_DATABASE_URL)
/** Ten to twenty seconds of calls with a hundred mails each. */
const [readers, callsPerSecond] = isOnPostgres ? [20_000, 15] : [2_000, 2]
const eve = 'eve@example.com'
const subject = 'A subject of our own, written by hand for this week'
const verdict = useCommandLine()

let browser: Browser
let provider: FakeProvider
let site: Site
const letters: { to: string; subject: string; text: string }[] = []

beforeAll(async () => {
  provider = await startFakeProvider({
    rate: { perSecond: callsPerSecond, window: 'sliding' },
    reads: ({ to, subject, text }) => {
      if (to === eve) letters.push({ to, subject, text })
    },
  })
  const env = {
    ...thisWeekIsOpen,
    ...{ EDITORS: eve, MAIL_TRANSPORT: 'resend', RESEND_API_KEY: 're_test', RESEND_BASE_URL: provider.url },
    ...{ MAIL_FROM: 'Weekly <verdicts@weekly.example>', POSTAL_ADDRESS: '1 Long Road, 10115 Berlin' },
    SIGNING_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
  }
  await verdict.withDatabase(async ({ db }) => {
    await migrate(db)
    const published = Temporal.Now.instant().subtract({ hours: 12 })
    for (const [hours, slug] of ['ferrulane', 'helpenny', 'drapewright', 'footnotary'].entries())
      await publish(db, documentFor(slug, { publishedAt: published.add({ hours }).toString() }))
    await people.crowd(db, readers)
  })
  const draft = await verdict.run(['draft'], { env })
  if (draft.code !== 0) throw new Error(draft.stderr)
  site = await startSite({ ...verdict.environment, ...env })
  browser = await openChromium()
}, 120_000)

afterAll(async () => {
  await browser?.close()
  await site?.stop()
  await provider?.close()
})

describe('an editor from signing in to reading the report', () => {
  it(`corrects the issue, tests it, sends it to ${readers.toLocaleString('en')} readers with a pause, and each gets what was seen, once`, async () => {
    const page = await open()
    const main = page.locator('main')
    const says = (words: string) => page.getByText(words).first().waitFor()
    const press = (name: string) => page.getByRole('button', { name, exact: true }).click()
    const mailsTo = async () => letters.map((letter) => ({ ...letter, text: letter.text }) as never)
    await signInAtDesk(page, { url: site.url, mailsTo }, eve)

    await page.locator('main .kicker a').click()
    await page.waitForURL(/\/desk\/issues\/\d{4}-W\d{2}$/)
    const issue = new URL(page.url())
    const [first = '', second = '', third = '', fourth = ''] = await order(page)
    await drag(page, third, first)
    await saved(page, 1)
    await page.locator(`[data-slug="${second}"] .handle`).focus()
    await page.keyboard.press('Alt+ArrowDown')
    await saved(page, 2)
    expect(await order(page)).toEqual([third, first, fourth, second])

    await page.locator('#subject').fill(subject)
    await saved(page, 3)
    await page.locator('#intro').fill('Good morning, this one is *late*.')
    await saved(page, 4)
    await page.locator('h1', { hasText: subject }).waitFor()

    const modes = await page.locator('.looks a').allInnerTexts()
    for (const mode of modes) {
      await page.locator('.looks').getByRole('link', { name: mode, exact: true }).click()
      await page.locator('.looks a[aria-current]', { hasText: mode }).waitFor()
      if (mode === 'Plain text') expect(await inText(page)).toEqual([third, first, fourth, second])
      if (mode === 'Headers') expect(await page.locator('.headers').innerText()).toContain(subject)
      if (mode === 'Dark')
        await page.frameLocator('iframe.mail').getByText('Good morning, this one is late.').waitFor()
    }
    expect(modes).toHaveLength(8)

    await page.locator('.looks').getByRole('link', { name: 'Desktop', exact: true }).click()
    await page.getByText('As somebody else').click()
    await page.getByLabel('A reader’s address, or how it begins').fill('reader-000007@example.test')
    await press('See theirs')
    await says('as reader-000007@example.test')
    const seen = await page.locator('.sum').innerText()

    await page.getByRole('link', { name: 'Send a test', exact: true }).click()
    await press('Send the test')
    await says(`Accepted: the test is on its way to ${eve}.`)
    expect(letters.at(-1)?.subject).toBe(`[Test] ${subject}`)

    await page.goto(issue.href)
    await press('Approve this edition')
    await says(`Approved by ${eve}.`)
    await page.getByRole('link', { name: 'Send it now', exact: true }).click()
    expect(await main.innerText()).toContain(`to ${readers.toLocaleString('en-GB')} readers`)
    await press('Send it now')

    if (page.url() !== issue.href) await page.goto(issue.href)
    await says('These numbers are live.')
    await dealtWith(page, readers / 5)
    await press('Pause sending')
    await says(`Paused by ${eve}`)
    await quiet()
    const paused = issueMails().length
    expect(paused).toBeGreaterThan(0)
    expect(paused).toBeLessThan(readers)
    await page.reload()
    await says(`${paused.toLocaleString('en-GB')} of ${readers.toLocaleString('en-GB')}`)

    await page.getByRole('link', { name: 'Go on sending', exact: true }).click()
    await press('Go on sending')
    if (page.url() !== issue.href) await page.goto(issue.href)
    await dealtWith(page, readers / 2)
    await page.reload()
    await page.getByText('What came of it').first().waitFor({ timeout: 60_000 })

    await page.getByRole('link', { name: 'Read the report' }).click()
    await page.waitForURL(/\/report$/)
    expect(await main.innerText()).toMatch(new RegExp(`Accepted\\s+${readers.toLocaleString('en-GB')}`))
    const rows = await csv(page, 'Everybody it went to, CSV')
    const figures = await csv(page, 'The figures, CSV')

    const sent = issueMails()
    const everybody = Array.from({ length: readers }, (_, n) => address(n + 1))
    expect(sent.map(({ to }) => to).sort()).toEqual(everybody)
    expect(new Set(sent.map((mail) => mail.subject))).toEqual(new Set([subject]))
    expect(new Set(sent.map((mail) => mail.bareSha256)).size).toBe(1)
    expect(sent.find(({ to }) => to === address(7))?.htmlSha256).toBe(seen)
    expect(
      rows
        .slice(1)
        .map((row) => row.split(',').slice(0, 2).join())
        .sort(),
    ).toEqual(everybody.map((one) => `${one},accepted`))
    expect(figures).toContain(`accepted,,${readers}`)
    expect(faults).toEqual([])
    await page.context().close()
  }, 240_000)
})

const faults: string[] = []

async function open(): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } })
  page.on('pageerror', ({ message }) => faults.push(message))
  page.on('console', (said) => said.text().includes('Content Security Policy') && faults.push(said.text()))
  return page
}

const order = (page: Page) =>
  page.locator('#rows .row').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-slug') ?? ''))
const saved = (page: Page, revision: number) =>
  page.locator('#saved', { hasText: `revision ${revision}` }).waitFor({ timeout: 20_000 })
const address = (n: number) => `reader-${String(n).padStart(6, '0')}@example.test`
const issueMails = () => provider.accepted.filter(({ to }) => to.startsWith('reader-'))

async function drag(page: Page, slug: string, onto: string): Promise<void> {
  const handle = page.locator(`[data-slug="${slug}"] .handle`)
  await handle.scrollIntoViewIfNeeded()
  const from = await handle.boundingBox()
  const to = await page.locator(`[data-slug="${onto}"]`).boundingBox()
  if (!from || !to) throw new Error('Nothing to drag')
  await page.mouse.move(from.x + 10, from.y + 20)
  await page.mouse.down()
  await page.mouse.move(from.x + 10, from.y, { steps: 5 })
  await page.mouse.move(to.x + 20, to.y + 3, { steps: 15 })
  await page.mouse.up()
}

/** The comparisons in the order in which the plain text has them. */
async function inText(page: Page): Promise<readonly string[]> {
  const text = (await page.locator('pre.letter').innerText()).toLowerCase()
  const slugs = await order(page)
  return slugs.toSorted((a, b) => text.lastIndexOf(`${a} left`) - text.lastIndexOf(`${b} left`))
}

/** Waits until the live numbers say that so many were dealt with, without loading the page again. */
async function dealtWith(page: Page, count: number): Promise<void> {
  const shown = () => page.evaluate(`document.querySelector('progress')?.value ?? 0`).then(Number)
  await expect.poll(shown, { timeout: 60_000 }).toBeGreaterThanOrEqual(count)
}

/** Calls in flight end: waits until nothing more comes for a second. */
async function quiet(): Promise<void> {
  for (let before = -1; before !== issueMails().length; ) {
    before = issueMails().length
    await new Promise((wake) => setTimeout(wake, 1_000))
  }
}

async function csv(page: Page, name: string): Promise<readonly string[]> {
  const href = await page.getByRole('link', { name }).getAttribute('href')
  const answer = await page.request.get(site.url + href)
  return (await answer.text())
    .replaceAll(/[\ufeff"]/g, '')
    .trim()
    .split(/\r?\n/)
}
