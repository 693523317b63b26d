import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { findIssue } from '../../src/issue/issue.ts'
import { clockAt } from '../setup/clock.ts'
import { useDatabase } from '../setup/database.ts'
import { dueIssue, thursday } from '../setup/delivery.ts'
import { deskOn } from '../setup/desk.ts'

const database = useDatabase()
const site = 'https://news.example.com'
const hold = '/desk/issues/2026-W47/decide'

/** Eve at the desk with week 47 approved: a hold would change it. */
async function eveWithAnIssue() {
  const { issue } = await dueIssue(database)
  const desk = deskOn(database, { clock: clockAt(thursday) })
  const eve = await desk.signedIn()
  return { desk, eve, token: await eve.token(), issue }
}

async function state() {
  return (await findIssue(database.db, '2026-W47'))?.state
}

describe('a change at the desk', () => {
  it('is made from our own page with the session’s token', async () => {
    const { eve } = await eveWithAnIssue()

    const answer = await eve.post(hold, { action: 'hold' })

    expect(answer.status).toBe(303)
    expect(await state()).toBe('held')
  })

  it.each([
    ['from another site', { origin: 'https://evil.example' }],
    ['from a name that begins like ours', { origin: 'https://news.example.com.evil.example' }],
    ['from our name without https', { origin: 'http://news.example.com' }],
    ['from our name at another port', { origin: 'https://news.example.com:8443' }],
    ['from a sandbox', { origin: 'null' }],
    ['from nowhere', {}],
    ['from nowhere, with a referrer of ours', { referer: `${site}/desk` }],
  ] as const)('is refused %s, form and JSON, and nothing is changed', async (_, headers) => {
    const { desk, eve, token } = await eveWithAnIssue()
    const cookie = `__Host-desk=${eve.cookies.get('__Host-desk')}`

    const form = await eve.post(hold, { action: 'hold', token }, headers)
    const json = await desk.app.request(`${site}${hold}`, {
      method: 'POST',
      body: JSON.stringify({ action: 'hold', token }),
      headers: { cookie, 'content-type': 'application/json', 'x-desk-token': token, ...headers },
    })
    const plain = await desk.app.request(`${site}${hold}`, {
      method: 'POST',
      body: JSON.stringify({ action: 'hold', token }),
      headers: { cookie, 'content-type': 'text/plain', ...headers },
    })

    expect([form.status, json.status, plain.status]).toEqual([403, 403, 403])
    expect(await state()).toBe('approved')
  })

  it.each([
    ['no token', ''],
    ['a made-up token', 'x'.repeat(43)],
  ])('is refused with %s, form and JSON', async (_, token) => {
    const { desk, eve } = await eveWithAnIssue()

    const form = await eve.post(hold, { action: 'hold', token })
    const json = await desk.app.request(`${site}${hold}`, {
      method: 'POST',
      body: JSON.stringify({ action: 'hold', token }),
      headers: {
        cookie: `__Host-desk=${eve.cookies.get('__Host-desk')}`,
        ...{ origin: site, 'content-type': 'application/json', 'x-desk-token': token },
      },
    })

    expect([form.status, json.status]).toEqual([403, 403])
    expect(await state()).toBe('approved')
  })

  it('is refused with the token of another session, even of the same editor', async () => {
    const { desk, eve } = await eveWithAnIssue()
    const other = await (await desk.signedIn()).token()

    const answer = await eve.post(hold, { action: 'hold', token: other })

    expect(answer.status).toBe(403)
    expect(await state()).toBe('approved')
  })

  it('is made by JSON with the token in its header', async () => {
    const { desk, eve, token } = await eveWithAnIssue()

    const answer = await desk.app.request(`${site}${hold}`, {
      method: 'POST',
      body: JSON.stringify({ action: 'hold' }),
      headers: {
        cookie: `__Host-desk=${eve.cookies.get('__Host-desk')}`,
        ...{ origin: site, 'content-type': 'application/json', 'x-desk-token': token },
      },
    })

    expect(answer.status).toBe(303)
    expect(await state()).toBe('held')
  })

  it('is refused to whoever is not signed in, by every method', async () => {
    const { desk } = await eveWithAnIssue()

    const answers = await Promise.all(
      ['POST', 'PUT', 'PATCH', 'DELETE'].map((method) =>
        desk.app.request(`${site}${hold}`, { method, headers: { origin: site } }),
      ),
    )

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401])
    expect(await state()).toBe('approved')
  })

  it('asks for a code only from our own page', async () => {
    const desk = deskOn(database)

    const answer = await desk.browser().post(
      '/desk/sign-in',
      { address: 'eve@example.test' },
      {
        origin: 'https://evil.example',
      },
    )

    expect(answer.status).toBe(403)
  })

  it('is taken at the name by which a trial machine was called, and in production only at the public one', async () => {
    const at = { origin: 'http://127.0.0.1:3000' }
    const ask = async (environment: Record<string, string>) => {
      const { app } = deskOn(database, {
        environment: { PUBLIC_URL: 'http://localhost:3000', ...environment },
      })
      const body = new URLSearchParams({ address: 'nobody@example.test' })
      return (await app.request('http://127.0.0.1:3000/desk/sign-in', { method: 'POST', body, headers: at }))
        .status
    }

    expect(await ask({})).toBe(200)
    expect(await ask({ NODE_ENV: 'production' })).toBe(403)
  })
})

describe('one-click and sign-up', () => {
  it('need no origin, as before', async () => {
    const { desk } = await eveWithAnIssue()

    const answer = await desk.app.request(`${site}/unsubscribe/forged`, { method: 'POST' })

    expect(answer.status).not.toBe(403)
  })
})

describe('every answer of the desk', () => {
  const paths = [
    '/desk',
    '/desk/issues',
    '/desk/issues/2026-W47',
    '/desk/log',
    '/desk/nothing',
    '/desk/sign-in',
  ]

  it('has the policy for its own scripts and styles only, and is kept by no cache', async () => {
    const { desk, eve } = await eveWithAnIssue()
    const signedOut = desk.browser()

    const answers = [
      ...(await Promise.all(paths.map((path) => eve.get(path)))),
      ...(await Promise.all(paths.map((path) => signedOut.get(path)))),
      await eve.post(hold, { action: 'hold' }, { origin: 'null' }),
      await eve.post(hold, { token: 'x'.repeat(1_100_000) }),
    ]

    expect(answers.map(({ status }) => status)).toEqual(expect.arrayContaining([200, 303, 403, 404, 413]))
    for (const { headers } of answers) {
      const policy = headers.get('content-security-policy') ?? ''
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("script-src 'self';")
      expect(policy).toContain("style-src 'self';")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).toContain("base-uri 'none'")
      expect(policy).not.toMatch(/unsafe|\*|https?:/)
      expect(Object.fromEntries(headers)).toMatchObject({
        ...{ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY' },
        ...{ 'cross-origin-opener-policy': 'same-origin', 'referrer-policy': 'same-origin' },
        'strict-transport-security': expect.stringContaining('max-age='),
      })
    }
  })

  it('carries nothing inline that the policy would have to allow', async () => {
    const { eve } = await eveWithAnIssue()

    for (const path of paths) {
      const page = await eve.read(eve.get(path))
      expect(page, path).not.toMatch(/<style|<script(?![^>]*src=)| style=| on\w+=|javascript:/i)
    }
  })
})

describe('the preview of an edition', () => {
  it('runs nothing, asks for nothing and sends nothing, and only the desk may frame it', async () => {
    const { desk, eve } = await eveWithAnIssue()

    const answer = await eve.get('/desk/issues/2026-W47/preview')
    const signedOut = await desk.browser().get('/desk/issues/2026-W47/preview')

    const policy = answer.headers.get('content-security-policy')
    expect(await answer.text()).toContain('glyphmoor-vs-kernwick')
    expect(policy).toContain("default-src 'none'")
    expect(policy).toMatch(/; sandbox allow-popups allow-popups-to-escape-sandbox$/)
    expect(policy).toContain("frame-ancestors 'self'")
    expect(policy).toContain("form-action 'none'")
    expect(policy).not.toContain('script-src')
    expect(answer.headers.get('x-frame-options')).toBe('SAMEORIGIN')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(signedOut.status).toBe(303)
  })
})

describe('a path that climbs', () => {
  it.each([
    '/desk/issues/..%2f..%2f..%2fetc%2fpasswd',
    '/desk/issues/%2e%2e%2f%2e%2e%2fpackage.json',
    '/desk/issues/....//....//etc/passwd',
    '/desk/issues/2026-W47%00',
    '/desk/issues/2026-W47%0a',
    '/desk/issues/2026-W99',
    '/desk/issues/..%2f..%2fpackage.json/preview',
    '/desk/issues/2026-W01/preview',
    '/desk/issues/2026-W47%2f..%2f..%2fpackage.json',
    '/desk/issues/%252e%252e%252fpackage.json',
    '/desk/issues/%5c..%5cpackage.json',
    "/desk/issues/2026-W47'%20or%201=1--",
    '/desk/issues/..%2fpackage.json/decide?action=cancel',
    '/desk/issues/2026-W47/decide?action=__proto__',
    '/desk/constructor',
    '/desk/__proto__',
  ])('leads nowhere: %s', async (path) => {
    const { eve } = await eveWithAnIssue()

    const answer = await eve.get(path)

    const page = await answer.text()
    expect(answer.status).toBe(404)
    expect(page).not.toMatch(/root:|"dependencies"/)
  })

  it.each(['?before=-1', '?before=1e99', '?before=%27', '?before=..%2f', '?before=999999999999999999999'])(
    'a page number that is none shows the newest: %s',
    async (query) => {
      const { eve } = await eveWithAnIssue()

      expect((await eve.get(`/desk/log${query}`)).status).toBe(200)
      expect((await eve.get(`/desk/issues${query}`)).status).toBe(200)
    },
  )
})

describe('the templates of the desk', () => {
  it('have the token in every form that changes something', () => {
    const files = ['partials/desk-page', 'partials/desk-choice', 'pages/desk-ask']
    for (const file of files) {
      const source = readFileSync(new URL(`../../templates/${file}.hbs`, import.meta.url), 'utf8')
      const forms = source.match(/<form method="post"[\s\S]*?<\/form>/g) ?? []
      expect(forms.length, file).toBeGreaterThan(0)
      for (const form of forms) expect(form, file).toContain('{{> desk-token}}')
    }
  })
})
