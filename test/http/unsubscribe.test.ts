import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import type { Hono } from 'hono'
import { parseHTML } from 'linkedom'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { testReader } from '../../src/delivery/personalise.ts'
import { signToken, type TokenPurpose } from '../../src/subscriber/token.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { startWeb } from '../../src/web.ts'
import { appOn } from '../setup/app.ts'
import { clockAt } from '../setup/clock.ts'
import { useDatabase } from '../setup/database.ts'
import { friday } from '../setup/delivery.ts'
import { everything } from '../setup/everything.ts'
import { testKeys } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'

const run = promisify(execFile)
const database = useDatabase()
const [key = { id: '', secret: Buffer.alloc(0) }] = testKeys
let clock = clockAt(friday)
let app: Hono

beforeEach(() => {
  clock = clockAt(friday)
  app = appOn(database, { clock })
})

describe('a reader who has just left', () => {
  it('is offered to take it back, to pause instead, and to say why', async () => {
    const { link } = await ann()

    const page = await read(await post(link))

    expect(page.querySelector('h1')?.textContent).toBe('You are out')
    expect(actions(page)).toEqual([`${link}/undo`, `${link}/pause`, `${link}/why`])
    expect(page.querySelector('[required]')).toBeNull()
  })

  it('takes it back, once in the record however often it is pressed', async () => {
    const { id, link } = await ann()
    await post(link)

    const answers = await Promise.all(Array.from({ length: 5 }, () => post(`${link}/undo`)))

    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200))
    expect(await standing(id)).toEqual({ status: 'confirmed', unsubscribed_at: null, paused_until: null })
    expect(await record()).toEqual(['imported: by hand', 'unsubscribed: one-click', 'resubscribed: page'])
  })

  it('can do so for a day, and not longer', async () => {
    const { id, link } = await ann()
    await post(link)

    clock.pass('PT24H')

    expect((await post(`${link}/undo`)).status).toBe(409)
    expect((await post(`${link}/pause`, 'for=P1M')).status).toBe(409)
    expect(actions(await read(await app.request(link)))).toEqual([`${link}/why`])
    expect(await standing(id)).toMatchObject({ status: 'unsubscribed' })
  })

  it('cannot do so after a complaint', async () => {
    const { id, link, address } = await ann()
    await post(link)
    await database.db
      .insertInto('suppression')
      .values({ address, reason: 'complained', since: clock() })
      .execute()

    expect((await post(`${link}/undo`)).status).toBe(409)
    expect(actions(await read(await app.request(link)))).toEqual([`${link}/why`])
    expect(await standing(id)).toMatchObject({ status: 'unsubscribed' })
  })

  it('who never had confirmed is not confirmed by taking it back', async () => {
    const { id, link } = await ann()
    await database.db.updateTable('subscriber').set({ status: 'pending', confirmed_at: null }).execute()
    await post(link)

    expect((await post(`${link}/undo`)).status).toBe(409)
    expect(await standing(id)).toMatchObject({ status: 'unsubscribed' })
  })

  it('pauses instead, which is both in the record', async () => {
    const { id, link } = await ann()
    await post(link)

    const page = await read(await post(`${link}/pause`, 'for=P1M'))

    expect(page.querySelector('.lede')?.textContent).toContain('20 December 2026')
    expect(await standing(id)).toMatchObject({
      status: 'paused',
      paused_until: Temporal.Instant.from('2026-12-20T05:00:00Z'),
    })
    expect((await record()).slice(-2)).toEqual(['resubscribed: page', 'paused: page, until 2026-12-20'])
  })

  it.each(['', 'for=P9Y', 'for=date', 'nonsense'])('is asked again for a pause of "%s"', async (body) => {
    const { link } = await ann()
    await post(link)
    const before = await everything(database.db)

    expect((await post(`${link}/pause`, body)).status).toBe(422)
    expect(await everything(database.db)).toEqual(before)
  })

  it('says why, and says it better', async () => {
    const { id, link } = await ann()
    await post(link)
    await post(`${link}/why`, new URLSearchParams({ why: 'other', words: 'Too long' }).toString())

    const words = 'Too long.\r\nI read it on Sundays: two would do. — Ann'
    const answer = await post(`${link}/why`, new URLSearchParams({ why: 'too often', words }).toString())

    expect(answer.status).toBe(200)
    expect(await database.db.selectFrom('departure').selectAll().execute()).toEqual([
      { subscriber_id: id, at: clock(), why: 'too often', words: words.replace('\r\n', '\n') },
    ])
    expect((await record()).at(-1)).toBe('unsubscribed: one-click')
  })

  it.each([
    ['nothing', '', 200],
    ['a reason that we do not know', 'why=because', 422],
    ['a word too many', `words=${'x'.repeat(501)}`, 422],
    ['more than a form has', `words=${'x'.repeat(9_000)}`, 413],
  ])('may say %s, which is kept nowhere', async (_, body, status) => {
    const { link } = await ann()
    await post(link)
    const before = await everything(database.db)

    expect((await post(`${link}/why`, body)).status).toBe(status)
    expect(await everything(database.db)).toEqual(before)
  })
})

describe('one click over the wire', () => {
  it.each([
    ['HTTP/1.1', 'curl', ['--http1.1', '--data', 'List-Unsubscribe=One-Click']],
    ['HTTP/1.0', 'curl', ['--http1.0', '--data', 'List-Unsubscribe=One-Click']],
    ['multipart', 'curl', ['--form', 'List-Unsubscribe=One-Click']],
    ['100 kB', 'curl', ['--data', 'x'.repeat(100_000)]],
    ['100 kB in chunks', 'curl', ['--header', 'Transfer-Encoding: chunked', '--data', 'x'.repeat(100_000)]],
    ['nothing', 'curl', ['--request', 'POST']],
  ])('is heard in %s', async (_, program, args) => {
    const { id, link } = await ann()
    const web = await startWeb(app, { host: '127.0.0.1', port: 0 })
    onTestFinished(web.stop)

    const { stdout } = await run(program, [
      ...['--silent', '--show-error', '--include', '--max-time', '20', ...args],
      `http://127.0.0.1:${web.port}${link}`,
    ])

    const [head = ''] = stdout.replace(/^HTTP\/1\.1 100 .*?\r\n\r\n/s, '').split('\r\n\r\n')
    expect(head).toMatch(/^HTTP\/1\.[01] 200 /)
    expect(head).not.toMatch(/^(set-cookie|location):/im)
    expect(await standing(id)).toMatchObject({ status: 'unsubscribed' })
  })
})

describe('a reader who has not left', () => {
  it('is not asked why, and stays as they are', async () => {
    const { link } = await ann()
    const before = await everything(database.db)

    await post(`${link}/why`, 'why=other')
    await post(`${link}/undo`)

    expect((await post(`${link}/pause`, 'for=P1M')).status).toBe(409)
    expect(await everything(database.db)).toEqual(before)
  })
})

describe('an erased reader', () => {
  it('is told that they are out, whatever they press', async () => {
    const { link } = await ann()
    await database.db.updateTable('subscriber').set({ status: 'erased', address: null }).execute()
    const before = await everything(database.db)

    const answers = [await app.request(link), await post(link), await post(`${link}/why`, 'why=other')]

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect((await post(`${link}/undo`)).status).toBe(409)
    expect(await everything(database.db)).toEqual(before)
  })
})

describe('the links of a mail', () => {
  it('change no row of any table when they are fetched, three times and by any method that asks', async () => {
    const { publicId, link } = await ann()
    const links = [link, `/preferences/${signToken(key, 'preferences', publicId)}`]
    const paths = links.flatMap((path) => [
      path,
      ...['undo', 'pause', 'why', 'resume', 'export', 'erase', 'address'].map((step) => `${path}/${step}`),
    ])
    const before = await everything(database.db)

    for (const path of [...paths, ...paths, ...paths])
      for (const method of ['GET', 'HEAD', 'OPTIONS']) await app.request(path, { method })

    expect(await everything(database.db)).toEqual(before)
  })

  it('work on after the key was changed, and not after it was taken away', async () => {
    const { id, link } = await ann()
    const fresh = { id: 'k2', secret: randomBytes(32) }

    const gone = await appOn(database, { keys: [fresh] }).request(link, { method: 'POST' })
    const changed = await appOn(database, { keys: [fresh, key] }).request(link, { method: 'POST' })

    expect([gone.status, changed.status]).toEqual([404, 200])
    expect(await standing(id)).toMatchObject({ status: 'unsubscribed' })
  })

  it('of a test mail open and press, and change nothing', async () => {
    await ann()
    const before = await everything(database.db)
    const link = `/unsubscribe/${signToken(key, 'unsubscribe', testReader)}`

    const answers = [
      await post(link),
      await post(`${link}/undo`),
      await post(`${link}/pause`, 'for=P2W'),
      await post(`${link}/why`, 'why=other'),
    ]

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(await everything(database.db)).toEqual(before)
  })
})

describe('ten thousand links that are not ours', () => {
  it('open nothing and change nothing: guessed, cut, with a bit turned over, and made for something else', async () => {
    const readers = [await people.ann(database.db), await people.bob(database.db)]
    await unsubscribe({ db: database.db, clock }, readers[1]?.publicId ?? '', 'page')
    const before = await everything(database.db)

    const open: string[] = []
    for (let n = 0; n < 10_000; n += 1) {
      const { publicId } = readers[n % 2] ?? { publicId: '' }
      const door = n % 4 < 2 ? 'unsubscribe' : 'preferences'
      const path = `/${door}/${spoilt(publicId, door, n)}`
      const { status } = await app.request(path + steps(door, n), { method: n % 3 === 0 ? 'GET' : 'POST' })
      if (status !== 404) open.push(path)
    }

    expect(open).toEqual([])
    expect(await everything(database.db)).toEqual(before)
  })
})

/** A token that was guessed, cut, changed in one bit, or made for the other door. */
function spoilt(publicId: string, door: TokenPurpose, n: number): string {
  const token = signToken(key, door, publicId)
  switch (n % 5) {
    case 0:
      return `${key.id}.${randomBytes(16).toString('base64url')}.${randomBytes(16).toString('base64url')}`
    case 1:
      return token.slice(0, 3 + (n % (token.length - 3)))
    case 2:
      return signToken(key, door === 'unsubscribe' ? 'preferences' : 'unsubscribe', publicId)
    default:
      return withBitTurned(token, n)
  }
}

/** One of the 256 bits of reader and signature. */
function withBitTurned(token: string, n: number): string {
  const [id, reader = '', mac = ''] = token.split('.')
  const bytes = Buffer.concat([Buffer.from(reader, 'base64url'), Buffer.from(mac, 'base64url')])
  bytes[(n >> 3) % bytes.length] = (bytes[(n >> 3) % bytes.length] ?? 0) ^ (1 << (n % 8))
  return [id, bytes.subarray(0, 16).toString('base64url'), bytes.subarray(16).toString('base64url')].join('.')
}

function steps(door: 'unsubscribe' | 'preferences', n: number): string {
  const all = { unsubscribe: ['', '/undo', '/why'], preferences: ['', '/resume', '/erase', '/export'] }[door]
  return all[(n >> 2) % all.length] ?? ''
}

async function ann() {
  const reader = await people.ann(database.db)
  return { ...reader, link: `/unsubscribe/${signToken(key, 'unsubscribe', reader.publicId)}` }
}

function post(path: string, body = ''): Promise<Response> {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
  return Promise.resolve(app.request(path, { method: 'POST', body, headers }))
}

async function read(answer: Response) {
  return parseHTML(await answer.text()).document
}

function actions(page: Awaited<ReturnType<typeof read>>): readonly string[] {
  return [...page.querySelectorAll('form')].map((form) => form.getAttribute('action') ?? '')
}

function standing(id: number) {
  return database.db
    .selectFrom('subscriber')
    .select(['status', 'unsubscribed_at', 'paused_until'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
}

async function record(): Promise<readonly string[]> {
  const rows = await database.db.selectFrom('consent_event').selectAll().orderBy('id').execute()
  return rows.map(({ kind, method, detail }) =>
    detail && kind !== 'imported' ? `${kind}: ${method}, ${detail}` : `${kind}: ${method}`,
  )
}
