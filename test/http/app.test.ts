import { describe, expect, it } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { decide } from '../../src/issue/decide.ts'
import { appOn } from '../setup/app.ts'
import { openTestDatabase, useDatabase } from '../setup/database.ts'
import { dueIssue } from '../setup/delivery.ts'
import { people } from '../setup/people.ts'
import { withoutFrame } from '../setup/web-version.ts'

const database = useDatabase()

describe('every answer', () => {
  it.each([
    ['the front page', '/', 200],
    ['the issues', '/issues', 200],
    ['an issue', '/issues/2026-W47', 200],
    ['a comparison', '/compare/glyphmoor-vs-kernwick', 200],
    ['a comparison that is not there', '/compare/nothing-vs-nothing', 404],
    ['an issue that is not there', '/issues/2026-W01', 404],
    ['a week that there is not', '/issues/2026-W60', 404],
    ['the way out', '/unsubscribe/k1.forged.token', 404],
    ['the preferences', '/preferences/k1.forged.token', 404],
    ['health', '/healthz', 200],
    ['readiness', '/readyz', 200],
    ['the stylesheet', '/style.css', 200],
    ['the outbox', '/outbox', 200],
    ['no page', '/nothing/here', 404],
  ])('has the secure headers and no cookie: %s', async (_, path, status) => {
    await sentIssue()

    const { headers, status: given } = await appOn(database).request(path)

    expect(given).toBe(status)
    expect(Object.fromEntries(headers)).toMatchObject(secured)
    expect(headers.get('Content-Security-Policy')).toContain("default-src 'none'")
    expect(headers.get('Content-Security-Policy')).not.toMatch(/script-src|unsafe-eval|\*/)
    expect(headers.get('Set-Cookie')).toBeNull()
  })

  it('has them when a form is too large', async () => {
    const answer = await appOn(database).request('/', { method: 'POST', body: 'x'.repeat(5_000) })

    expect(answer.status).toBe(413)
    expect(Object.fromEntries(answer.headers)).toMatchObject(secured)
  })

  it('has them when the database is gone, and tells nothing about it', async () => {
    const app = appOn(await closedDatabase())

    const answer = await app.request('/issues')

    const body = await answer.text()
    expect(answer.status).toBe(500)
    expect(Object.fromEntries(answer.headers)).toMatchObject(secured)
    expect(body).toContain('Something broke on our side')
    expect(body).not.toMatch(/ at |destroyed|closed|\.ts/)
  })

  it('asks for https only where there is https', async () => {
    const overHttp = appOn(database, { environment: { PUBLIC_URL: 'http://localhost:3000' } })

    const [plain, safe] = [await overHttp.request('/healthz'), await appOn(database).request('/healthz')]

    expect(plain.headers.get('Strict-Transport-Security')).toBeNull()
    expect(safe.headers.get('Strict-Transport-Security')).toContain('max-age=')
  })
})

describe('an issue on the web', () => {
  it('is the edition without a token of anybody', async () => {
    const { ann, mail } = await sentIssue()

    const html = await (await appOn(database).request('/issues/2026-W47')).text()

    const tokens = mail.accepted.flatMap((one) => one.html.match(/k1\.[\w-]{22}\.[\w-]{22}/g) ?? [])
    expect(tokens.length).toBeGreaterThan(0)
    expect(tokens.filter((token) => html.includes(token))).toEqual([])
    expect(html).not.toMatch(/\.[\w-]{22}\.[\w-]{22}|[\u0001\u0002]/)
    expect(html).not.toContain(ann.publicId)
    expect(html).toContain('href="https://news.example.com/unsubscribe"')
    const withoutLinks = (page: string) => page.replace(/href="[^"]*"/g, 'href')
    expect(withoutLinks(withoutFrame(html))).toBe(withoutLinks(mail.accepted[0]?.html ?? ''))
  })

  it('is there once it leaves, not before', async () => {
    await people.ann(database.db)
    const { deps } = await dueIssue(database)
    const app = appOn(database)

    const before = await app.request('/issues/2026-W47')
    await sendIssue(deps, '2026-W47')
    const after = await app.request('/issues/2026-W47')

    expect([before.status, after.status]).toEqual([404, 200])
  })

  it('is not there where it was dropped', async () => {
    const { deps } = await dueIssue(database)
    await decide(deps, '2026-W47', 'cancel', 'eve@example.test')

    expect((await appOn(database).request('/issues/2026-W47')).status).toBe(404)
    expect(await (await appOn(database).request('/issues')).text()).not.toContain('2026-W47')
  })
})

describe('health', () => {
  it('is alive and ready', async () => {
    const app = appOn(database)

    expect(await (await app.request('/healthz')).json()).toEqual({ status: 'alive' })
    expect(await (await app.request('/readyz')).json()).toEqual({ status: 'ready' })
  })

  it('is alive, but not ready, while the database does not answer', async () => {
    const app = appOn(await closedDatabase())

    expect((await app.request('/healthz')).status).toBe(200)
    expect((await app.request('/readyz')).status).toBe(503)
  })
})

describe('the outbox', () => {
  it.each([
    ['in production', { NODE_ENV: 'production' }],
    [
      'where mail goes elsewhere',
      { MAIL_TRANSPORT: 'smtp', SMTP_URL: 'smtp://127.0.0.1:9', PUBLIC_URL: 'http://localhost:3000' },
    ],
  ])('is not there %s', async (_, environment) => {
    const answer = await appOn(database, { environment }).request('/outbox')

    expect(answer.status).toBe(404)
  })
})

const secured = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': expect.stringMatching(/^(DENY|SAMEORIGIN)$/),
  'permissions-policy': expect.stringContaining('camera=()'),
}

async function sentIssue() {
  const ann = await people.ann(database.db)
  const due = await dueIssue(database)
  await sendIssue(due.deps, '2026-W47')
  return { ann, mail: due.mail }
}

async function closedDatabase() {
  const { connection, close } = await openTestDatabase()
  await close()
  return { connection, db: connection.db }
}
