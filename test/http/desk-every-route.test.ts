import { parseHTML } from 'linkedom'
import { beforeEach, describe, expect, it } from 'vitest'
import { useDatabase } from '../setup/database.ts'
import type { Browser } from '../setup/desk.ts'
import { type DeskRoute, deskRoutesOf, doors, isDoor, pathWith, valuesIn } from '../setup/desk-routes.ts'
import { type DeskWorld, deskWorld } from '../setup/desk-world.ts'
import { everything } from '../setup/everything.ts'

const site = 'https://news.example.com'
const database = useDatabase()
let world: DeskWorld
let routes: readonly DeskRoute[]

beforeEach(async () => {
  world = await deskWorld(database)
  routes = deskRoutesOf(world.desk.app)
})

/** Every row but when a session was last used: looking at a page is using it. */
async function rows() {
  const { editor_session, ...others } = await everything(database.db)
  const sessions = editor_session?.map((row) => row.replace(/"(?:updated|expires)_at": "[^"]*"/g, ''))
  return { ...others, editor_session: sessions }
}

const named = ({ method, path }: DeskRoute) => `${method} ${path}`
const changing = () => routes.filter(({ method }) => method !== 'GET')
const looking = () => routes.filter(({ method }) => method === 'GET')

/** What every form of the desk together would take, so that whatever is let through does something. */
const fields = {
  ...{ action: 'hold', sure: 'yes', verb: 'drop', base: '1', revision: '2', to: '1', line: 'audience' },
  ...{
    why: 'by mistake',
    typed: 'ann@example.test',
    address: 'ann@example.test',
    consent: 'she asked me to',
  },
  ...{ subject: 'Taken', intro: 'Taken', code: '123456', title: 'Taken', at: '2026-11-28T09:00' },
}

type Attack = { readonly headers: Record<string, string>; readonly body: string | URLSearchParams }

/** Asks for every route that changes something, filled in for both weeks, and says what was answered other than expected. */
async function attack(
  among: readonly DeskRoute[],
  method: string | undefined,
  { headers, body }: Attack,
  expected: readonly number[],
): Promise<readonly string[]> {
  const wrong: string[] = []
  for (const route of among)
    for (const week of [world.drafted, world.sent]) {
      const path = pathWith(route, valuesIn(world, week))
      const answer = await world.desk.app.request(`${site}${path}`, {
        ...{ method: method ?? route.method, headers, body },
      })
      await answer.text()
      if (!expected.includes(answer.status)) wrong.push(`${named(route)}: ${answer.status}`)
    }
  return wrong
}

async function eveWithCookie(): Promise<{ eve: Browser; cookie: string; token: string }> {
  const eve = await world.desk.signedIn()
  return { eve, cookie: `__Host-desk=${eve.cookies.get('__Host-desk')}`, token: await eve.token() }
}

const form = (token?: string) => new URLSearchParams({ ...fields, ...(token !== undefined && { token }) })
const json = (token: string) => JSON.stringify({ ...fields, token })

/** Hundreds of pages, each of which is set in full. */
const patience = 300_000

describe('the routes of the desk', () => {
  it('are the application’s own, and are known to these tests with a value for whatever varies', () => {
    expect(changing().length).toBeGreaterThan(20)
    expect(looking().length).toBeGreaterThan(25)
    expect(routes.map(({ method }) => method).filter((method) => !['GET', 'POST'].includes(method))).toEqual(
      [],
    )
    expect(routes.filter(isDoor).map(named)).toEqual(doors)
    expect(() => routes.map((route) => pathWith(route, valuesIn(world)))).not.toThrow()
  })
})

describe('whatever changes something', { timeout: patience }, () => {
  it('is refused to whoever is not signed in, and changes nothing', async () => {
    const before = await rows()

    const wrong = await attack(
      changing().filter((route) => !isDoor(route)),
      undefined,
      { headers: { origin: site }, body: form('x') },
      [401],
    )

    expect(wrong).toEqual([])
    expect(await rows()).toEqual(before)
  })

  it.each([
    ['another site', { origin: 'https://evil.example' }],
    ['a name that begins like ours', { origin: `${site}.evil.example` }],
    ['our name in a user’s place', { origin: `${site}@evil.example` }],
    ['our name without https', { origin: 'http://news.example.com' }],
    ['a sandbox', { origin: 'null' }],
    ['nowhere', {}],
    ['nowhere, with a referrer of ours', { referer: `${site}/desk`, 'sec-fetch-site': 'same-origin' }],
  ] as const)(
    'is refused from %s, with the right cookie and token, and changes nothing',
    async (_, origin) => {
      const { cookie, token } = await eveWithCookie()
      const before = await rows()
      const headers = { cookie, 'x-desk-token': token, ...origin }

      const wrong = [
        ...(await attack(changing(), undefined, { headers, body: form(token) }, [403])),
        ...(await attack(
          changing(),
          undefined,
          { headers: { ...headers, 'content-type': 'application/json' }, body: json(token) },
          [403],
        )),
      ]

      expect(wrong).toEqual([])
      expect(await rows()).toEqual(before)
    },
  )

  it('is refused from our own site without the session’s token, whatever the body is called', async () => {
    const { cookie, token } = await eveWithCookie()
    const others = await (await world.desk.signedIn('sam@example.test')).token()
    const before = await rows()
    const own = { cookie, origin: site }
    const inside = changing().filter((route) => !isDoor(route))
    const tries: readonly Attack[] = [
      { headers: own, body: form() },
      { headers: own, body: form('') },
      { headers: own, body: form('x'.repeat(token.length)) },
      { headers: own, body: form(token.toLowerCase() === token ? token.toUpperCase() : token.toLowerCase()) },
      { headers: own, body: form(others) },
      { headers: { ...own, 'x-desk-token': others }, body: form(token) },
      { headers: { ...own, 'content-type': 'application/json' }, body: json(token) },
      { headers: { ...own, 'content-type': 'text/plain' }, body: json(token) },
      { headers: { ...own, 'content-type': 'text/plain' }, body: `${form(token)}` },
      { headers: { ...own, 'content-type': 'application/x-www-form-urlencodedx' }, body: `${form(token)}` },
      { headers: { ...own, 'content-type': '' }, body: `${form(token)}` },
    ]

    const wrong: string[] = []
    for (const one of tries) wrong.push(...(await attack(inside, undefined, one, [403])))

    expect(wrong).toEqual([])
    expect(await rows()).toEqual(before)
  })

  it('is not done by another method, whatever the request says that it is', async () => {
    const { eve, cookie, token } = await eveWithCookie()
    const before = await rows()
    const said = { 'x-http-method-override': 'POST', 'x-http-method': 'POST', 'x-method-override': 'POST' }
    const query = new URLSearchParams({ ...fields, token, _method: 'POST' })

    const broken: string[] = []
    for (const route of routes)
      for (const method of ['GET', 'HEAD']) {
        const path = `${pathWith(route, valuesIn(world))}?${query}`
        const headers = { cookie, origin: site, 'x-desk-token': token, ...said }
        const answer = await world.desk.app.request(`${site}${path}`, { method, headers })
        await answer.body?.cancel()
        if (answer.status >= 500) broken.push(`${method} ${route.path}: ${answer.status}`)
      }
    const foreign = { cookie, 'x-desk-token': token, origin: 'https://evil.example', ...said }
    for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])
      broken.push(...(await attack(routes, method, { headers: foreign, body: form(token) }, [403])))
    const own = { cookie, 'x-desk-token': token, origin: site }
    for (const method of ['PUT', 'PATCH', 'DELETE'])
      broken.push(
        ...(await attack(
          routes.filter((route) => !isDoor(route)),
          method,
          { headers: own, body: form(token) },
          [404],
        )),
      )

    expect(broken).toEqual([])
    expect(await rows()).toEqual(before)
    expect((await eve.get('/desk')).status).toBe(200)
  })
})

describe('every answer of every route', { timeout: patience }, () => {
  it('has a policy, is in nobody’s frame and in no cache, whoever asks and whatever comes of it', async () => {
    const { eve, cookie, token } = await eveWithCookie()
    const wrong: string[] = []
    const statuses = new Set<number>()
    const look = async (name: string, answer: Response) => {
      await answer.body?.cancel()
      statuses.add(answer.status)
      const isFramed = /\/preview(?:\/:file\{.*|)$|\/frame$/.test(name) && answer.status === 200
      const fault = faultOf(answer.headers, isFramed)
      if (fault) wrong.push(`${name} (${answer.status}): ${fault}`)
    }

    for (const route of routes)
      for (const week of [world.drafted, world.sent]) {
        const path = pathWith(route, valuesIn(world, week))
        const headers = { cookie, origin: site, 'x-desk-token': token }
        const { method } = route
        const nobody = { method, headers: { origin: site } }
        await look(named(route), await world.desk.app.request(`${site}${path}`, nobody))
        if (method === 'GET') await look(named(route), await eve.get(path))
        else {
          const huge = new URLSearchParams({ token, words: 'x'.repeat(1_100_000) })
          const tooLarge = { method, headers, body: huge }
          await look(
            named(route),
            await world.desk.app.request(`${site}${path}`, { method, headers: { cookie } }),
          )
          await look(named(route), await world.desk.app.request(`${site}${path}`, tooLarge))
          if (!path.includes('sign-out'))
            await look(named(route), await world.desk.app.request(`${site}${path}`, { method, headers }))
        }
      }
    world.breakDown()
    for (const route of routes.filter((one) => !isDoor(one))) {
      const path = pathWith(route, valuesIn(world))
      const headers = { cookie, origin: site, 'x-desk-token': token }
      const answer = await world.desk.app.request(`${site}${path}`, { method: route.method, headers })
      if (answer.status !== 500) wrong.push(`${named(route)} did not break: ${answer.status}`)
      await look(named(route), answer)
    }

    expect(wrong).toEqual([])
    expect([...statuses].sort()).toEqual(expect.arrayContaining([200, 303, 401, 403, 404, 413, 422, 500]))
  })
})

/** What is amiss with the headers of an answer; undefined when nothing is. */
function faultOf(headers: Headers, isFramed: boolean): string | undefined {
  const policy = headers.get('content-security-policy') ?? ''
  const wanted = [
    ...["default-src 'none'", "base-uri 'none'", `form-action ${isFramed ? "'none'" : "'self'"}`],
    ...[`frame-ancestors ${isFramed ? "'self'" : "'none'"}`, ...(isFramed ? ['sandbox '] : [])],
  ].find((part) => !policy.includes(part))
  if (wanted) return `no ${wanted}`
  if (/unsafe|\*|https?:/.test(isFramed ? policy.replace("style-src 'unsafe-inline'", '') : policy))
    return policy
  const exact = {
    ...{ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
    ...{ 'x-frame-options': isFramed ? 'SAMEORIGIN' : 'DENY', 'cross-origin-opener-policy': 'same-origin' },
  }
  const amiss = Object.entries(exact).find(([name, value]) => headers.get(name) !== value)
  if (amiss) return `${amiss[0]} is ${headers.get(amiss[0])}`
  if (!/^(?:same-origin|no-referrer)$/.test(headers.get('referrer-policy') ?? '')) return 'referrer-policy'
  if (headers.get('access-control-allow-origin')) return 'open to other origins'
  return headers.get('strict-transport-security')?.includes('max-age=') ? undefined : 'no HSTS'
}

describe('looking at the desk', { timeout: patience }, () => {
  it('changes nothing, on every page, for every week, with every view', async () => {
    const { eve } = await eveWithCookie()
    const before = await rows()

    const broken: string[] = []
    for (const url of everyView()) {
      const answer = await eve.get(url)
      await firstOf(answer)
      if (![200, 303, 404].includes(answer.status)) broken.push(`${url}: ${answer.status}`)
    }

    expect(broken).toEqual([])
    expect(await rows()).toEqual(before)
  })

  it('shows nothing of it to whoever is not signed in', async () => {
    const shown: string[] = []
    for (const route of looking().filter((one) => !isDoor(one)))
      for (const week of [world.drafted, world.sent])
        for (const accept of ['text/html', 'application/json', 'text/event-stream']) {
          const answer = await world.desk
            .browser()
            .get(pathWith(route, valuesIn(world, week)), { accept, cookie: '__Host-desk=forged.forged' })
          const words = await answer.text()
          const isShut =
            accept === 'application/json'
              ? answer.status === 401 && words.includes('You are signed out')
              : answer.status === 303 && answer.headers.get('location') === '/desk/sign-in' && words === ''
          if (!isShut || /example\.test|loom|glyphmoor/.test(words))
            shown.push(`${route.path} as ${accept}: ${answer.status}`)
        }

    expect(shown).toEqual([])
  })

  it('leads from every page to pages that there are, and has nobody’s address in a web address', async () => {
    const { eve } = await eveWithCookie()
    const [seen, dead, telling] = [new Map<string, string>(), [] as string[], [] as string[]]
    const toSee = ['/desk']

    for (let url = toSee.shift(); url !== undefined && seen.size < 300; url = toSee.shift()) {
      if (seen.has(kindOf(url))) continue
      seen.set(kindOf(url), url)
      const answer = await eve.get(url)
      const words = await firstOf(answer)
      if (answer.status >= 400) dead.push(`${url}: ${answer.status}`)
      const next = [...(answer.headers.get('location') ? [answer.headers.get('location') ?? ''] : [])]
      if (/text\/html/.test(answer.headers.get('content-type') ?? '') && !/\/preview\?|\/frame/.test(url))
        next.push(...addressesOf(words))
      for (const one of next) {
        if (/%40|@/.test(decodeURIComponent(one).replace(/^mailto:/, '@'))) telling.push(`${url}: ${one}`)
        if (/^\/desk(?:[/?#]|$)/.test(one)) toSee.push(one.replace(/#.*/s, ''))
      }
    }

    expect(telling).toEqual([])
    expect(dead).toEqual([])
    expect(seen.size).toBeGreaterThan(60)
    const unseen = looking().filter(
      (route) => ![...seen.values()].some((url) => patternOf(route).test(url.replace(/\?.*/s, ''))),
    )
    expect(unseen.map(named)).toEqual(reachedOtherwise)
  })
})

/** What no link of a page leads to: a script asks for it, a mail in its frame, a block that this issue has not, or the door. */
const reachedOtherwise = [
  'GET /desk/issues/:week/let-pass/:line',
  'GET /desk/issues/:week/preview/pane',
  'GET /desk/issues/:week/progress',
  'GET /desk/issues/:week/revision',
  'GET /desk/preview-link/:name{(unsubscribe|preferences|web)}',
  'GET /desk/preview-link/preferences/follow/:slug',
  'GET /desk/sign-in',
]

function patternOf({ path }: DeskRoute): RegExp {
  const pattern = path.replace(/\/:\w+(?:\{([^/]*)\})?/g, (_, own?: string) => `/${own ?? '[^/]+'}`)
  return new RegExp(`^${pattern}$`)
}

/** One page to a path, and to the names of what it is asked for; of actions each. */
function kindOf(url: string): string {
  const { pathname, searchParams } = new URL(url, site)
  return `${pathname}?${[...searchParams.keys()].sort()}${searchParams.get('action') ?? ''}`
}

/** Where links, forms, frames and images of a page lead. */
function addressesOf(html: string): readonly string[] {
  const { document } = parseHTML(html)
  const linked = [...document.querySelectorAll('a[href], iframe[src], img[src], [data-url]')]
  const acted = [...document.querySelectorAll('form[method=get][action], form:not([method])[action]')]
  return [
    ...linked.map((one) => one.getAttribute('href') ?? one.getAttribute('src') ?? ''),
    ...acted.map((one) => one.getAttribute('action') ?? ''),
  ].map((one) => one.replaceAll('&amp;', '&').replaceAll('&#x3D;', '='))
}

/** Every page, and what its parameters can ask for. */
function everyView(): readonly string[] {
  return looking().flatMap((route) =>
    [world.drafted, world.sent].flatMap((week) =>
      queriesOf(route).map((query) => `${pathWith(route, valuesIn(world, week))}${query}`),
    ),
  )
}

function queriesOf({ path }: DeskRoute): readonly string[] {
  const actions = [
    ...['draft', 'approve', 'hold', 'release', 'cancel', 'send now', 'retry failed'],
    ...['unsubscribe', 'suppress', 'lift suppression', 'erase', 'resend confirmation'],
  ]
  const views = ['phone', 'desktop', 'dark', 'images', 'web', 'text', 'source', 'headers']
  const one = `?as=${world.ann.publicId}&with=approved&by=day&week=2026-W49&at=2026-11-26T14:00&show=confirmed&sure=yes`
  return [
    ...['', one],
    ...(path.endsWith('/decide') ? actions.map((action) => `?action=${encodeURIComponent(action)}`) : []),
    ...(/\/preview$|:week$/.test(path) ? views.map((view) => `?view=${view}`) : []),
  ]
}

/** All of an answer, or what a stream says first. */
async function firstOf(answer: Response): Promise<string> {
  if (!/event-stream/.test(answer.headers.get('content-type') ?? '')) return answer.text()
  const reader = answer.body?.getReader()
  const { value } = (await reader?.read()) ?? {}
  await reader?.cancel()
  return new TextDecoder().decode(value)
}
