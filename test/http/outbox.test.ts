import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseHTML } from 'linkedom'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { standingClock } from '../../src/clock.ts'
import { outboxRoutes } from '../../src/http/outbox.ts'
import { styleRoute } from '../../src/http/style.ts'
import { outboxTransport } from '../../src/mail/outbox.ts'
import { sampleMail, sampleMails } from '../setup/sample-mail.ts'

const friday = Temporal.Instant.from('2026-11-20T14:00:00Z')
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'outbox-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('the outbox page', () => {
  it('teaches the first step while it is empty', async () => {
    expect((await read('/outbox')).querySelector('main')?.textContent).toContain('npx verdict draft')
  })

  it('lists who got what, and when', async () => {
    await put(sampleMail())

    const row = (await read('/outbox')).querySelector('tbody tr')

    expect(row?.querySelector('th a')?.getAttribute('href')).toBe('/outbox/w47-ann')
    expect(row?.textContent).toMatch(
      /Claude 4 Sonnet vs SmolVLM2.*ann@example\.test.*20 Nov 2026, 14:00 UTC.*kB/s,
    )
    expect(row?.querySelector('time')?.getAttribute('datetime')).toBe('2026-11-20T14:00:00Z')
  })

  it('turns the page after fifty mails', async () => {
    await put(...sampleMails(51))

    const first = await read('/outbox')
    const older = first.querySelector('a[rel=next]')?.getAttribute('href') ?? ''
    const second = await read(older)

    expect(first.querySelectorAll('tbody tr')).toHaveLength(50)
    expect(second.querySelectorAll('tbody tr')).toHaveLength(1)
    expect(second.querySelector('a[rel=next]')).toBeNull()
    expect(second.querySelector('a[rel=prev]')?.getAttribute('href')).toBe('/outbox?from=0')
  })

  it('says which file it cannot read, and shows the others', async () => {
    await put(sampleMail())
    await writeFile(join(folder, 'broken.eml'), 'not a mail')

    const main = (await read('/outbox')).querySelector('main')?.textContent

    expect(main).toContain('broken.eml')
    expect(main).toContain('ann@example.test')
  })

  it('shows markup in a subject as text', async () => {
    await put(sampleMail({ subject: '<img src=x onerror=alert(1)>' }))

    for (const path of [
      '/outbox',
      '/outbox/w47-ann',
      '/outbox/w47-ann?view=source',
      '/outbox/w47-ann?view=headers',
    ]) {
      const page = await read(path)
      expect(page.querySelector('img, script')).toBeNull()
    }
    expect((await read('/outbox/w47-ann')).querySelector('h1')?.textContent).toBe(
      '<img src=x onerror=alert(1)>',
    )
  })
})

describe('a mail in the outbox', () => {
  it('has every view behind a plain link', async () => {
    await put(sampleMail())

    const links = (await read('/outbox/w47-ann')).querySelectorAll('nav.tabs a')
    const views = await Promise.all([...links].map((link) => read(link.getAttribute('href') ?? '')))

    expect(views.map((view) => view.querySelector('[aria-current]')?.textContent)).toEqual([
      'Mail',
      'On a phone',
      'Plain text',
      'Headers',
      'Source',
    ])
    expect(views[2]?.querySelector('pre')?.textContent).toBe('The panel ships both.\n\n')
    expect(views[3]?.querySelector('dl.headers')?.textContent).toContain('List-Unsubscribe=One-Click')
    expect(views[4]?.querySelector('pre')?.textContent).toContain('MIME-Version: 1.0')
  })

  it('stands in a frame that may open links and nothing else', async () => {
    await put(sampleMail())

    const frame = (await read('/outbox/w47-ann')).querySelector('iframe')

    expect(frame?.getAttribute('src')).toBe('/outbox/w47-ann/html')
    expect(frame?.getAttribute('sandbox')).toBe('allow-popups allow-popups-to-escape-sandbox')
  })

  it('is served with no right to run, ask or post anything', async () => {
    await put(
      sampleMail({
        html: '<!doctype html><html><head></head><p><a href="https://example.test">Read</a></p></html>',
      }),
    )

    const response = await app().request('/outbox/w47-ann/html')

    const policy = response.headers.get('content-security-policy') ?? ''
    expect(policy.split('; ')).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "form-action 'none'",
        'sandbox allow-popups allow-popups-to-escape-sandbox',
      ]),
    )
    expect(policy).not.toMatch(/allow-scripts|allow-same-origin|script-src/)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('referrer-policy')).toBe('no-referrer')
    expect(await response.text()).toContain('<head><base target="_blank">')
  })

  it('downloads as the message it is', async () => {
    await put(sampleMail())

    const response = await app().request('/outbox/w47-ann/source')

    expect(response.headers.get('content-type')).toBe('message/rfc822')
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="w47-ann.eml"')
    expect(await response.text()).toMatch(/^List-Unsubscribe: <https:/)
  })

  it.each([
    'nobody',
    '..',
    '%2e%2e%2fetc%2fpasswd',
    '..%2f..%2fetc%2fpasswd',
    '.hidden',
    'w47-ann%00',
    'w47-ann.eml',
    '%ff',
  ])('is not found under %s', async (id) => {
    await put(sampleMail())
    await writeFile(join(folder, '.hidden.eml'), 'Subject: hidden\r\nFrom: a@b\r\nTo: a@b\r\n\r\n')

    for (const path of [`/outbox/${id}`, `/outbox/${id}/html`, `/outbox/${id}/source`]) {
      expect((await app().request(path)).status).toBe(404)
    }
  })
})

describe('the stylesheet', () => {
  it('is kept for a year under the address that pages use, and checked again under any other', async () => {
    const href = (await read('/outbox')).querySelector('link[rel=stylesheet]')?.getAttribute('href') ?? ''

    const asLinked = await styleRoute().request(href)
    const bare = await styleRoute().request('/style.css')
    const again = await styleRoute().request('/style.css', {
      headers: { 'If-None-Match': bare.headers.get('etag') ?? '' },
    })

    expect(asLinked.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(asLinked.headers.get('content-type')).toBe('text/css; charset=utf-8')
    expect(bare.headers.get('cache-control')).toBe('no-cache')
    expect(again.status).toBe(304)
  })

  it('asks nobody else for anything', async () => {
    expect(await (await styleRoute().request('/style.css')).text()).not.toMatch(/url\(|@import|https?:/)
  })
})

function app() {
  return outboxRoutes({ folder })
}

/** As much of the DOM as these questions need. */
type Element = {
  readonly textContent: string | null
  getAttribute(name: string): string | null
  querySelector(selector: string): Element | null
  querySelectorAll(selector: string): ArrayLike<Element> & Iterable<Element>
}

async function read(path: string): Promise<Element> {
  const response = await app().request(path)
  expect(response.status).toBe(200)
  return parseHTML(await response.text()).document
}

async function put(...mails: ReturnType<typeof sampleMails>) {
  await outboxTransport({ folder, clock: standingClock(friday) }).send(mails, 'k')
}
