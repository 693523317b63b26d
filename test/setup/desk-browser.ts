import type { Page } from 'playwright-core'
import type { Site } from './site.ts'

/** Signs the development editor in, with the code from the outbox, as a person would. */
export async function signInAtDesk(
  page: Page,
  site: Pick<Site, 'url' | 'mailsTo'>,
  address = 'editor@example.com',
): Promise<void> {
  const earlier = (await site.mailsTo(address)).length
  await page.goto(`${site.url}/desk`)
  await page.getByLabel('Your address').fill(address)
  await page.getByRole('button', { name: 'Send me a code' }).click()
  await page.getByLabel('The six digits').fill(await codeFor(site, address, earlier))
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.waitForURL(`${site.url}/desk`)
}

/** The week that it is now has its draft at once and is due when it ends, so there is always an issue to decide on. */
export const thisWeekIsOpen = {
  ...{ SEND_POLICY: 'approve', DRAFT_AT: 'mon 00:00', SEND_AT: 'sun 23:59' },
  TIMEZONE: whereTheWeekIsNotOver(),
}

/** A zone in which it is not the last evening of a week. */
function whereTheWeekIsNotOver(): string {
  const { dayOfWeek, hour } = Temporal.Now.zonedDateTimeISO('Etc/UTC')
  return dayOfWeek === 7 && hour >= 12 ? 'Pacific/Kiritimati' : 'Etc/UTC'
}

async function codeFor(site: Pick<Site, 'mailsTo'>, address: string, earlier: number): Promise<string> {
  for (let tries = 0; tries < 300; tries += 1) {
    const mails = await site.mailsTo(address)
    const [code] = mails.length > earlier ? (/\b\d{6}\b/.exec(mails.at(-1)?.text ?? '') ?? []) : []
    if (code) return code
    await new Promise((wake) => setTimeout(wake, 100))
  }
  throw new Error(`No code came for ${address}`)
}
