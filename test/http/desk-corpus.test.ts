import { beforeEach, describe, expect, it } from 'vitest'
import { isOnPostgres, useDatabase } from '../setup/database.ts'
import type { Browser } from '../setup/desk.ts'
import { type DeskRoute, deskRoutesOf, isDoor, namesIn, pathWith, valuesIn } from '../setup/desk-routes.ts'
import { type DeskWorld, deskWorld } from '../setup/desk-world.ts'
import { everything } from '../setup/everything.ts'
import { people } from '../setup/people.ts'

const database = useDatabase()
let world: DeskWorld
let eve: Browser
let routes: readonly DeskRoute[]

beforeEach(async () => {
  world = await deskWorld(database)
  eve = await world.desk.signedIn()
  routes = deskRoutesOf(world.desk.app).filter((route) => !isDoor(route))
})

/**
 * What may stand where an id belongs, as it would be written into an address. None of it names anything that there is. All of
 * it on PostgreSQL; every third on the embedded database, which is slower, and of which a page sees no more.
 */
const strange = [
  ...['..%2f..%2f..%2fpackage.json', '..%5c..%5cpackage.json', '%2e%2e%2fpackage.json', '%2fetc%2fpasswd'],
  ...['..%252f..%252fpackage.json', 'file:%2f%2f%2fetc%2fpasswd', 'package.json%00.html', '%00', 'a%00b'],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'undefined',
    'null',
    'NaN',
    '[object%20Object]',
  ],
  ...[
    '-1',
    '0',
    '1e99',
    '1.5',
    '2147483648',
    '9223372036854775808',
    '99999999999999999999',
    '0x10',
    'Infinity',
  ],
  ...['2026-W99', '2026-W00', '2026-W54', '9999-W52', '0000-W01', '-2026-W10', '2026-W47%0a', '2026-w47'],
  ...[
    '00000000-0000-0000-0000-000000000000',
    '00000000-0000-0000-0000-00000000000g',
    '%F0%9F%92%A9',
    '%C3%BC',
  ],
  ...[
    '%E2%80%AE',
    '%ED%A0%80',
    '%FF%FE',
    '%',
    '%zz',
    '%27%20or%201=1--',
    '%3Cscript%3Ealert(1)%3C%2Fscript%3E',
  ],
  ...['x'.repeat(10_000), '%25s%25n', '*', '%7B%7Bconstructor%7D%7D', '$%7B7*7%7D', ';ls'],
].filter((_, n) => isOnPostgres || n % 3 === 0)

/** Names that queries of the desk's pages use. */
const queryNames = [
  ...['action', 'after', 'as', 'asked', 'at', 'before', 'by', 'consent', 'from', 'issues', 'letters', 'most'],
  ...[
    'page',
    'retracted',
    'revision',
    'seen',
    'show',
    'sure',
    'to',
    'view',
    'week',
    'with',
    'who',
    'what',
    'sort',
  ],
]

const escapes = /devDependencies|root:.*:0:0|at \w+ \(|node_modules|invalid input syntax|out of range/

/** Every answer that is not one of these, or says what no reader of a page should see. */
async function wrongOf(
  name: string,
  answer: Response,
  expected: readonly number[],
): Promise<readonly string[]> {
  const isStream = /event-stream/.test(answer.headers.get('content-type') ?? '')
  const words = isStream ? '' : await answer.text()
  if (isStream) await answer.body?.cancel()
  const isHtml = /text\/html/.test(answer.headers.get('content-type') ?? '')
  const isSaid = answer.status < 400 || !isHtml || /<h1/.test(words)
  const isFine = expected.includes(answer.status) && !escapes.test(words) && isSaid
  return isFine ? [] : [`${name.slice(0, 160)}: ${answer.status}`]
}

async function rows() {
  const { editor_session: _, ...others } = await everything(database.db)
  return others
}

/** Thousands of pages, each of which is set in full. */
const patience = 300_000

describe('an address of the desk', { timeout: patience }, () => {
  it('with anything strange where an id belongs leads to a page that says so', async () => {
    const before = await rows()

    const wrong: string[] = []
    for (const route of routes)
      for (const name of namesIn(route))
        for (const value of strange) {
          const url = pathWith(route, { ...valuesIn(world), [name]: value })
          const answer = await (route.method === 'GET'
            ? eve.get(url)
            : eve.post(url, { token: await token() }))
          wrong.push(...(await wrongOf(`${route.method} ${url}`, answer, [404, 303])))
        }

    expect(wrong).toEqual([])
    expect(await rows()).toEqual(before)
  })

  it('with an id of another kind, or of something else’s, finds nothing', async () => {
    const bob = await people.bob(database.db)
    const others: Readonly<Record<string, readonly string[]>> = {
      week: [world.slug, world.batchId, '2025-W47', '2026-W50'],
      batch: [world.ann.publicId, bob.publicId, world.slug],
      publicId: [world.batchId, String(bob.id), 'ann@example.test', bob.publicId.toUpperCase()],
      slug: [world.sent, world.ann.publicId, 'loom-left', 'LOOM'],
      revision: ['3', '01', '+1', '1 '],
      to: ['7'],
      name: ['vote', 'unsubscribe.html'],
      file: ['issue.json', 'issue.html.txt', 'letter.txt'],
      line: ['sender', 'size'],
    }

    const found: string[] = []
    for (const route of routes)
      for (const name of namesIn(route))
        for (const value of others[name] ?? [`give :${name} ids of another kind`]) {
          const url = pathWith(route, { ...valuesIn(world), [name]: encodeURIComponent(value) })
          const answer = await (route.method === 'GET'
            ? eve.get(url)
            : eve.post(url, { token: await token() }))
          const isSame = name === 'revision' && value !== '3' && answer.status === 200
          if (!isSame) found.push(...(await wrongOf(`${route.method} ${url}`, answer, [404, 303])))
        }

    expect(found).toEqual([])
  })

  it('with anything strange in its query is a page all the same, and changes nothing', async () => {
    const before = await rows()

    const wrong: string[] = []
    for (const route of routes.filter(({ method }) => method === 'GET'))
      for (const [at, value] of strange.entries()) {
        // Each of the two issues is asked with every other value, and most pages have none.
        const week = at % 2 === 0 ? world.drafted : world.sent
        if (namesIn(route).includes('week') || at % 2 === 0 || value.includes('%00')) {
          const url = `${pathWith(route, valuesIn(world, week))}?${queryNames.map((name) => `${name}=${value.slice(0, 300)}`).join('&')}`
          wrong.push(...(await wrongOf(`GET ${url}`, await eve.get(url), [200, 303, 404, 422])))
        }
      }

    expect(wrong).toEqual([])
    expect(await rows()).toEqual(before)
  })
})

describe('a form of the desk', { timeout: patience }, () => {
  const names = [
    ...[
      'action',
      'address',
      'after',
      'asked',
      'at',
      'base',
      'consent',
      'date',
      'document',
      'edition',
      'from',
    ],
    ...['intro', 'onto', 'order', 'preheader', 'published', 'reason', 'revision', 'seen', 'slug', 'state'],
    ...['subject', 'sure', 'time', 'title', 'to', 'typed', 'verb', 'view', 'week', 'why', 'words', 'as'],
  ]

  it('with anything strange in its fields gets an answer, and breaks nothing', async () => {
    const wrong: string[] = []
    for (const route of routes.filter(({ method, path }) => method === 'POST' && !path.includes('sign-out')))
      for (const value of strange) {
        const decoded = /%(?:zz|$|F[EF]|ED)/.test(value) ? value : decodeURIComponent(value)
        const fields = Object.fromEntries(names.map((name) => [name, decoded.slice(0, 6_000)]))
        const url = pathWith(route, valuesIn(world))
        const answer = await eve.post(url, { ...fields, token: await token() })
        wrong.push(...(await wrongOf(`POST ${url} ${value}`, answer, [200, 303, 404, 409, 422])))
      }

    expect(wrong).toEqual([])
  })

  it.each([
    'title',
    'subject',
    'intro',
    '__proto__',
    'constructor',
    'quote.loom.0',
    '[]',
    '',
    'a'.repeat(5_000),
  ])('with a field called “%s”, many times over and as a file, gets an answer', async (name) => {
    const wrong: string[] = []
    const cookie = `__Host-desk=${eve.cookies.get('__Host-desk')}`
    for (const route of routes.filter(
      ({ method, path }) => method === 'POST' && !path.includes('sign-out'),
    )) {
      const body = new FormData()
      for (let times = 0; times < 30; times += 1) body.append(name, String(times))
      body.append(name, new File(['\u0000\u0001'], '../../package.json'))
      body.append('action', new File(['hold'], 'action'))
      const url = pathWith(route, valuesIn(world))
      const headers = { cookie, origin: 'https://news.example.com', 'x-desk-token': await token() }
      const answer = await world.desk.app.request(`https://news.example.com${url}`, {
        ...{ method: 'POST', body, headers },
      })
      wrong.push(...(await wrongOf(`POST ${url} ${name}`, answer, [200, 303, 404, 409, 422])))
    }

    expect(wrong).toEqual([])
  })
})

let known: { readonly browser: Browser; readonly token: string } | undefined

/** Eve's token, asked for once to a session. */
async function token(): Promise<string> {
  if (known?.browser !== eve) known = { browser: eve, token: await eve.token() }
  return known.token
}
