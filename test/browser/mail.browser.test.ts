import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cutEdition, fillEdition, freezeEdition } from '../../src/issue/edition.ts'
import { loadIssueTemplates, renderIssue } from '../../src/issue/render.ts'
import { openChromium } from '../setup/browser.ts'
import { annsLinks, sampleComparisons, sampleIssue, setting } from '../setup/sample-issue.ts'

const rendered = renderIssue(loadIssueTemplates(), sampleIssue(sampleComparisons()), setting)
const { html } = fillEdition(cutEdition(freezeEdition(rendered)), annsLinks)
const withoutStyle = html.replace(/<style[\s\S]*?<\/style>/g, '')
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

describe('the mail in a browser', () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await openChromium()
  })

  afterAll(() => browser?.close())

  it.each(['light', 'dark'] as const)('has nothing that axe objects to, in %s', async (colorScheme) => {
    const page = await browser.newPage({ colorScheme, viewport: { width: 390, height: 844 } })
    await page.setContent(html)
    await page.addScriptTag({ content: axe })

    const { passes, violations } = await page.evaluate(audit)

    expect(violations).toEqual([])
    expect(passes).toContain('color-contrast')
    await page.close()
  })

  it('turns dark with the reader’s screen', async () => {
    const page = await browser.newPage({ colorScheme: 'dark' })
    await page.setContent(html)

    expect(await styleOf(page, 'body > div[role=article]', 'background-color')).toBe('rgb(22, 21, 19)')
    expect(await styleOf(page, 'h1', 'color')).toBe('rgb(236, 232, 225)')
    await page.close()
  })

  it.each([
    [320, 'whole', html],
    [390, 'whole', html],
    [1280, 'whole', html],
    [390, 'without its style', withoutStyle],
  ])('never scrolls sideways, at %i px and %s', async (width, _, source) => {
    const page = await browser.newPage({ viewport: { width, height: 844 } })
    await page.setContent(source)

    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
    await page.close()
  })

  it('puts the tools side by side everywhere, the quotes only where there is room', async () => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 844 } })
    await page.setContent(html)
    expect(await areSideBySide(page, 'table.pair th')).toBe(true)
    expect(await areSideBySide(page, 'table.stack td')).toBe(true)

    await page.setViewportSize({ width: 390, height: 844 })
    expect(await areSideBySide(page, 'table.pair th')).toBe(true)
    expect(await areSideBySide(page, 'table.stack td')).toBe(false)
    await page.close()
  })

  it('has links that a thumb can hit', async () => {
    const page = await browser.newPage({ viewport: { width: 390, height: 844 } })
    await page.setContent(html)

    const links = await page
      .locator('a:not([aria-hidden])')
      .evaluateAll((all) =>
        all.map((link) => ({ text: link.textContent, height: link.getBoundingClientRect().height })),
      )

    expect(links.filter(({ height }) => height < 44)).toEqual([])
    expect(links.map(({ text }) => text)).toEqual(
      expect.arrayContaining(['Read the full comparison', 'More', 'Unsubscribe']),
    )
    await page.close()
  })

  it('asks the network for nothing', async () => {
    const page = await browser.newPage()
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))

    await page.setContent(html, { waitUntil: 'networkidle' })

    expect(asked).toEqual([])
    await page.close()
  })
})

/** Runs in the page. A mail has no landmarks of its own: the mail program around it has them. */
async function audit() {
  const { axe } = globalThis as unknown as { axe: typeof import('axe-core') }
  const report = await axe.run({
    rules: { 'landmark-one-main': { enabled: false }, region: { enabled: false } },
  })
  return {
    passes: report.passes.map(({ id }) => id),
    violations: report.violations.map(({ id, nodes }) => [id, ...nodes.map((node) => node.failureSummary)]),
  }
}

function styleOf(page: Page, selector: string, property: string): Promise<string> {
  return page.evaluate(
    `getComputedStyle(document.querySelector('${selector}')).getPropertyValue('${property}')`,
  )
}

/** Whether the first two that match begin at the same height. */
async function areSideBySide(page: Page, selector: string): Promise<boolean> {
  const [a, b] = await page
    .locator(selector)
    .evaluateAll((all) => all.slice(0, 2).map((element) => element.getBoundingClientRect().top))
  return a === b
}
