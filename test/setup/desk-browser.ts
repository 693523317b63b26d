import type { Page } from 'playwright-core'
import type { Site } from './site.ts'

/** Signs the development editor in, with the code from the outbox, as a person would. */
export async function signInAtDesk(page: Page, site: Site, address = 'editor@example.com'): Promise<void> {
  const earlier = (await site.mailsTo(address)).length
  await page.goto(`${site.url}/desk`)
  await page.getByLabel('Your address').fill(address)
  await page.getByRole('button', { name: 'Send me a code' }).click()
  await page.getByLabel('The six digits').fill(await codeFor(site, address, earlier))
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.waitForURL(`${site.url}/desk`)
}

async function codeFor(site: Site, address: string, earlier: number): Promise<string> {
  for (let tries = 0; tries < 300; tries += 1) {
    const mails = await site.mailsTo(address)
    const [code] = mails.length > earlier ? (/\b\d{6}\b/.exec(mails.at(-1)?.text ?? '') ?? []) : []
    if (code) return code
    await new Promise((wake) => setTimeout(wake, 100))
  }
  throw new Error(`No code came for ${address}`)
}
