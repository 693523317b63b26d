import { existsSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import { z } from 'zod'
import { type Finding, found } from './finding.ts'

/** What a browser found in an edition, or why none looked. */
export type Audited =
  | { readonly kind: 'ran'; readonly violations: readonly Violation[] }
  | { readonly kind: 'not run'; readonly reason: string }

export type Violation = { readonly rule: string; readonly help: string; readonly nodes: number }

/** Looks at a mail's html with axe. Never throws. */
export type Audit = (html: string) => Promise<Audited>

const usualPlaces = [
  ...[
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome-stable',
    '/usr/bin/google-chrome',
  ],
  ...['/snap/bin/chromium', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'],
  ...['/Applications/Chromium.app/Contents/MacOS/Chromium'],
]
const longest = 30_000

/** An audit by the Chromium at `path`, else by the one in a usual place; `none` for never. Both libraries are loaded when it runs. */
export function chromiumAudit(path: string | undefined): Audit {
  return async (html) => {
    const executablePath = path ?? usualPlaces.find((place) => existsSync(place))
    if (!executablePath || executablePath === 'none' || !existsSync(executablePath))
      return { kind: 'not run', reason: 'no Chromium here; static rules only' }
    try {
      return { kind: 'ran', violations: await inTime(executablePath, html) }
    } catch (error) {
      const [reason] = (error instanceof Error ? error.message : String(error)).split('\n')
      return { kind: 'not run', reason: `Chromium did not get through (${reason}); static rules only` }
    }
  }
}

/** The audit as a line. That none ran is no fault of the mail: the static rules have looked at it. */
export function axeFinding(audited: Audited | undefined): Finding {
  const place = '#edition'
  if (!audited)
    return found('axe', 'pass', 'not run yet: a worker does it within a minute of a change', { place })
  if (audited.kind === 'not run') return found('axe', 'pass', `not run: ${audited.reason}`, { place })
  const [first] = audited.violations
  if (!first) return found('axe', 'pass', 'nothing to object to, in light and in dark', { place })
  return found('axe', 'warn', `${audited.violations.length} rules are broken: ${first.help}`, {
    evidence: audited.violations.map(({ rule, help, nodes }) => `${rule}: ${help} (${nodes} places)`),
    place,
  })
}

async function inTime(executablePath: string, html: string): Promise<readonly Violation[]> {
  const { chromium } = await import('playwright-core')
  const isRoot = process.getuid?.() === 0
  const browser = await chromium.launch({
    ...{ executablePath, timeout: longest },
    args: ['--disable-gpu', '--disable-background-networking', ...(isRoot ? ['--no-sandbox'] : [])],
  })
  const timer = setTimeout(() => void browser.close(), longest)
  try {
    const light = await look(browser, html, 'light')
    const dark = await look(browser, html, 'dark')
    return [...new Map([...dark, ...light].map((one) => [one.rule, one])).values()]
  } finally {
    clearTimeout(timer)
    await browser.close()
  }
}

/** The edition as a page of its own, which may run no script and ask for nothing. A mail has no landmarks: the mail program has them. */
async function look(
  browser: Browser,
  html: string,
  colorScheme: 'light' | 'dark',
): Promise<readonly Violation[]> {
  const page = await browser.newPage({ colorScheme, viewport: { width: 390, height: 844 } })
  page.setDefaultTimeout(longest)
  await page.route('**', (route) =>
    route.request().url() === address
      ? route.fulfill({
          body: html,
          contentType: 'text/html; charset=utf-8',
          headers: { 'Content-Security-Policy': policy },
        })
      : route.abort(),
  )
  await page.goto(address, { waitUntil: 'domcontentloaded' })
  const { default: axe } = await import('axe-core')
  await page.evaluate(`${axe.source}; undefined`)
  const report = await page.evaluate(
    `axe.run({ rules: { 'landmark-one-main': { enabled: false }, region: { enabled: false } } })`,
  )
  await page.close()
  return result
    .parse(report)
    .violations.map(({ id, help, nodes }) => ({ rule: id, help, nodes: nodes.length }))
}

const address = 'http://edition.invalid/'
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
const result = z.object({
  violations: z.array(z.object({ id: z.string(), help: z.string(), nodes: z.array(z.unknown()) })),
})
