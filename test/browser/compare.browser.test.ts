import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { objections, openChromium } from '../setup/browser.ts'
import { sampleDocuments } from '../setup/comparisons.ts'
import { type Site, startSite } from '../setup/site.ts'

const documents = sampleDocuments()
const slugs = [
  'claude-4-sonnet-vs-smolvlm2',
  'uq-vs-patient-telephone-receptionist',
  'thornhasp-vs-gatewry-and-daughters',
]

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

describe('a comparison in a browser', () => {
  it.each([
    ['light', 390],
    ['dark', 390],
    ['light', 1280],
    ['dark', 1280],
  ] as const)('has nothing that axe objects to, in %s at %i px', async (colorScheme, width) => {
    const page = await browser.newPage({ colorScheme, viewport: { width, height: 844 }, bypassCSP: true })
    for (const slug of slugs) {
      await page.goto(`${site.url}/compare/${slug}`)
      const found = await objections(page)
      expect(found, slug).toEqual([])
    }
    await page.close()
  })

  it.each([320, 390, 1280])('never scrolls sideways at %i px', async (width) => {
    const page = await browser.newPage({ viewport: { width, height: 844 } })
    for (const slug of slugs) {
      await page.goto(`${site.url}/compare/${slug}`)
      expect(await page.evaluate('document.documentElement.scrollWidth'), slug).toBe(width)
    }
    await page.close()
  })

  it('is one request and one stylesheet, runs no script, and breaks no policy of ours', async () => {
    const page = await browser.newPage()
    const [asked, complaints]: [string[], string[]] = [[], []]
    page.on('request', (request) => asked.push(new URL(request.url()).pathname))
    page.on('console', (message) => complaints.push(message.text()))

    await page.goto(`${site.url}/compare/${slugs[0]}`)

    expect(asked).toEqual([`/compare/${slugs[0]}`, '/style.css'])
    expect(complaints).toEqual([])
    expect(await page.locator('script:not([type="application/ld+json"])').count()).toBe(0)
    await page.close()
  })

  it.each([320, 390, 1280])(
    'keeps the figures of both tools in one line of sight at %i px',
    async (width) => {
      const page = await browser.newPage({ viewport: { width, height: 844 }, javaScriptEnabled: false })
      await page.goto(`${site.url}/compare/${slugs[0]}`)

      const tops = await Promise.all([0, 1].map((side) => topsOf(page, `.one >> nth=${side} >> .figure`)))

      expect(tops[0]).toEqual(tops[1])
      expect(tops[0]).toHaveLength(3)
      await page.close()
    },
  )

  it('says on paper everything that it says, in black, with its addresses written out and nothing to click', async () => {
    const page = await browser.newPage({ colorScheme: 'dark', viewport: { width: 680, height: 960 } })
    await page.goto(`${site.url}/compare/${slugs[0]}`)
    await page.emulateMedia({ media: 'print' })

    const printed = (await page.locator('body').innerText()).replace(/\s+/g, ' ')

    const document = documents.get(slugs[0] ?? '')
    for (const tool of document?.tools ?? []) {
      for (const text of [tool.tagline, tool.description, ...tool.reviews.map(({ quote }) => quote)])
        expect(printed).toContain(text.replace(/\s+/g, ' '))
      const after = await page.evaluate(
        `getComputedStyle(document.querySelector('a[href="${tool.url}"]'), '::after').content`,
      )
      expect(after).toContain(tool.url)
    }
    expect(printed).toContain(`On the web: ${site.url}/compare/${slugs[0]}`)
    for (const selector of ['nav', 'form', '.skip-link', '.vote-invitation'])
      expect(await page.locator(selector).first().isVisible(), selector).toBe(false)
    const colours = await page.evaluate(
      `[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]`,
    )
    expect(colours).toEqual(['rgb(0, 0, 0)', 'rgb(255, 255, 255)'])
    await page.close()
  })

  it('takes an address and sends the confirmation', async () => {
    const page = await browser.newPage({ javaScriptEnabled: false })
    await page.goto(`${site.url}/compare/${slugs[0]}`)

    await page.getByLabel('Your address').fill('dora@example.test')
    await page.getByRole('button', { name: 'Send me the confirmation' }).click()

    expect((await site.mailTo('dora@example.test', /./)).subject).toBeTruthy()
    await page.close()
  })
})

async function topsOf(page: Page, selector: string): Promise<readonly number[]> {
  const boxes = await Promise.all((await page.locator(selector).all()).map((figure) => figure.boundingBox()))
  return boxes.map((box) => Math.round(box?.y ?? -1))
}
