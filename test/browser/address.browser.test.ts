import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseAddress } from '../../src/subscriber/address.ts'
import { openChromium } from '../setup/browser.ts'

let browser: Browser
let page: Page

beforeAll(async () => {
  browser = await openChromium()
  page = await browser.newPage()
  await page.setContent('<input type="email" required>')
})

afterAll(() => browser?.close())

/** What the browser's own check of `type=email` lets a form send. */
async function chromiumTakes(address: string): Promise<boolean> {
  await page.locator('input').fill(address)
  return page.evaluate('document.querySelector("input:valid") !== null')
}

describe('an address in a form', () => {
  it.each([
    'ann@example.test',
    'Ann.Lee+news@sub.example.com',
    "o'neil@example.com",
    'ann@bücher.example',
    `${'a'.repeat(64)}@example.com`,
  ])('%s is good for the browser and for us', async (address) => {
    expect([await chromiumTakes(address), parseAddress(address).ok]).toEqual([true, true])
  })

  it.each([
    '',
    'ann',
    'ann@',
    '@example.com',
    'ann@@example.com',
    'ann lee@example.com',
    'ann@example..com',
    'ann@-example.com',
  ])('%j is refused by both', async (address) => {
    expect([await chromiumTakes(address), parseAddress(address).ok]).toEqual([false, false])
  })

  it.each([
    ['ann@localhost', 'no mail of ours reaches a name without a dot'],
    ['ann@192.168.0.1', 'an address without a domain cannot be written to for long'],
    ['.ann@example.com', 'a dot cannot begin or end the part before the @ (RFC 5321)'],
    ['ann.@example.com', 'nor end it'],
    ['ann..lee@example.com', 'nor be doubled'],
    [`${'a'.repeat(65)}@example.com`, 'that part has at most 64 octets'],
  ])('%s passes the browser but not us: %s', async (address) => {
    expect([await chromiumTakes(address), parseAddress(address).ok]).toEqual([true, false])
  })

  it.each([['ann@example.com\u200b', 'nor do we take what cannot be seen']])('%j: %s', async (address) => {
    expect(parseAddress(address).ok).toBe(false)
  })
})
