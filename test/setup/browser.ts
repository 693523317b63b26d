import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, chromium, type Page } from 'playwright-core'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Debian's Chromium, or the one that `CHROMIUM_PATH` names; the caller closes it. */
export function openChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
}

/** What axe objects to on the page as it stands, but for what is inside frames. Its context has to bypass the CSP. */
export async function objections(page: Page): Promise<unknown> {
  const isThere = await page.evaluate('typeof axe')
  if (isThere === 'undefined') await page.addScriptTag({ content: axe })
  return page.evaluate(
    `axe.run(document, { iframes: false }).then(({ violations }) => violations.map(({ id, nodes }) => id + ' ' + nodes.map((node) => node.html).join(' ')))`,
  )
}
