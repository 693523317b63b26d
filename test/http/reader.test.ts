import { createHmac } from 'node:crypto'
import { parseHTML } from 'linkedom'
import { describe, expect, it } from 'vitest'
import { testReader } from '../../src/delivery/personalise.ts'
import { signToken } from '../../src/subscriber/token.ts'
import { appOn } from '../setup/app.ts'
import { useDatabase } from '../setup/database.ts'
import { testKeys } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'

const database = useDatabase()
const [key = { id: '', secret: Buffer.alloc(0) }] = testKeys
const oneClick = { 'Content-Type': 'application/x-www-form-urlencoded' }

describe('the link in a mail, opened,', () => {
  it('shows a button, and changes nothing however often a scanner comes by', async () => {
    const { link } = await ann()
    const before = await everything()

    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(link)))
    for (const method of ['HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PATCH']) await ask(link, { method })

    const page = parseHTML(await (answers[0] ?? new Response()).text()).document
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200))
    expect(page.querySelector('form')?.getAttribute('method')).toBe('post')
    expect(page.querySelector('form button')?.textContent).toBeTruthy()
    expect(await everything()).toEqual(before)
  })

  it('shows no address in full', async () => {
    const { link } = await ann()

    expect(await (await ask(link)).text()).not.toContain('ann@example.test')
  })

  it('is kept by no cache and no search engine', async () => {
    const { link } = await ann()

    for (const path of [link, `${link}x`]) {
      const { headers } = await ask(path)
      expect(headers.get('Cache-Control')).toBe('no-store')
      expect(headers.get('X-Robots-Tag')).toContain('noindex')
      expect(headers.get('Referrer-Policy')).toBe('no-referrer')
    }
  })

  it('says that it has been done, once it has', async () => {
    const { link } = await ann()
    await ask(link, { method: 'POST' })

    const page = parseHTML(await (await ask(link)).text()).document

    expect(page.querySelector('h1')?.textContent).toBe('You are out')
    expect([...page.querySelectorAll('button')].map(({ textContent }) => textContent)).not.toContain(
      'Leave the list',
    )
  })
})

describe('one click', () => {
  it.each([
    ['the pair of RFC 8058', { body: 'List-Unsubscribe=One-Click', headers: oneClick }],
    ['the pair as multipart', { body: multipart() }],
    ['nothing at all', {}],
    ['an empty body of that type', { body: '', headers: oneClick }],
    [
      'a body that nobody knows',
      { body: '\u0000\u0001<xml/>', headers: { 'Content-Type': 'application/x-unknown' } },
    ],
    ['JSON that is none', { body: '{"a":', headers: { 'Content-Type': 'application/json' } }],
    ['a body of 100 kB', { body: 'x'.repeat(100_000), headers: oneClick }],
    ['multipart without its boundary', { body: 'x', headers: { 'Content-Type': 'multipart/form-data' } }],
    ['an Origin of somebody else', { headers: { Origin: 'https://evil.example', Cookie: 'a=b' } }],
  ] satisfies [string, RequestInit][])('takes the reader off the list with %s', async (_, request) => {
    const { link, id } = await ann()

    const answer = await ask(link, { method: 'POST', ...request })

    expect(answer.status).toBe(200)
    expect(answer.headers.get('Location')).toBeNull()
    expect(answer.headers.get('Set-Cookie')).toBeNull()
    expect(await statusOf(id)).toBe('unsubscribed')
    expect(await departures()).toEqual([{ subscriber_id: id, method: 'one-click' }])
  })

  it('twenty times at once is one departure and twenty times yes', async () => {
    const { link } = await ann()

    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(link, { method: 'POST' })))

    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
    expect(await departures()).toHaveLength(1)
  })

  it('is told from the button on our page', async () => {
    const { link, id } = await ann()

    await ask(link, { method: 'POST', headers: { 'Sec-Fetch-Mode': 'navigate' } })

    expect(await departures()).toEqual([{ subscriber_id: id, method: 'page' }])
  })

  it('on a test mail says yes and does nothing', async () => {
    await ann()
    const before = await everything()

    const answer = await ask(`/unsubscribe/${signToken(key, 'unsubscribe', testReader)}`, { method: 'POST' })

    expect(answer.status).toBe(200)
    expect(await everything()).toEqual(before)
  })
})

describe('a link that is not one of ours', () => {
  it.each([
    ['made for the preferences', (id: string) => signToken(key, 'preferences', id)],
    [
      'signed with another key of that name',
      (id: string) => signToken({ ...key, secret: Buffer.alloc(32, 8) }, 'unsubscribe', id),
    ],
    [
      'signed with a key that is not listed',
      (id: string) => signToken({ ...key, id: 'k9' }, 'unsubscribe', id),
    ],
    [
      'of a reader who is not there',
      () => signToken(key, 'unsubscribe', '3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f'),
    ],
    ['with its end cut off', (id: string) => signToken(key, 'unsubscribe', id).slice(0, -1)],
    ['with something behind it', (id: string) => `${signToken(key, 'unsubscribe', id)}%20`],
    ['in capitals', (id: string) => signToken(key, 'unsubscribe', id).toUpperCase()],
    ['forged from the id alone', (id: string) => forged(id)],
    ['the bare id', (id: string) => id],
    ['a way out of the folder', () => '..%2f..%2fetc%2fpasswd'],
    ['half a percent sign', () => '%E0%A4%A'],
    ['very long', () => 'x'.repeat(5_000)],
  ])('is 404 and changes nothing: %s', async (_, tokenFor) => {
    const { publicId } = await ann()
    const before = await everything()
    const path = `/unsubscribe/${tokenFor(publicId)}`

    const [opened, pressed] = [await ask(path), await ask(path, { method: 'POST' })]

    expect([opened.status, pressed.status]).toEqual([404, 404])
    expect(await pressed.text()).not.toContain('ann@example.test')
    expect(await everything()).toEqual(before)
  })

  it.each(['/unsubscribe', '/preferences'])('%s without one says where the link is', async (path) => {
    const answer = await ask(path)

    expect(answer.status).toBe(200)
    expect(await answer.text()).toContain('in your mail')
  })
})

async function ann() {
  const { id, publicId } = await people.ann(database.db)
  return { id, publicId, link: `/unsubscribe/${signToken(key, 'unsubscribe', publicId)}` }
}

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return appOn(database).request(path, init)
}

function multipart(): FormData {
  const form = new FormData()
  form.set('List-Unsubscribe', 'One-Click')
  return form
}

function forged(publicId: string): string {
  const reader = Buffer.from(publicId.replaceAll('-', ''), 'hex')
  const mac = createHmac('sha256', publicId).update(`unsubscribe\n${key.id}\n${publicId}`).digest()
  return `${key.id}.${reader.toString('base64url')}.${mac.subarray(0, 16).toString('base64url')}`
}

async function statusOf(id: number): Promise<string | undefined> {
  const row = await database.db
    .selectFrom('subscriber')
    .select('status')
    .where('id', '=', id)
    .executeTakeFirst()
  return row?.status
}

function departures() {
  return database.db
    .selectFrom('consent_event')
    .select(['subscriber_id', 'method'])
    .where('kind', '=', 'unsubscribed')
    .execute()
}

async function everything() {
  return {
    readers: await database.db.selectFrom('subscriber').selectAll().execute(),
    consents: await database.db.selectFrom('consent_event').selectAll().execute(),
  }
}
