import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { runDraft } from '../../jobs/draft-issue.ts'
import { appOn } from '../setup/app.ts'
import { clockAt } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { friday } from '../setup/delivery.ts'
import { everything } from '../setup/everything.ts'
import { newsletterWith } from '../setup/newsletter.ts'
import { openPostOffice } from '../setup/post-office.ts'

const database = useDatabase()
const site = 'https://news.example.com'
const safari =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1'

describe('a link of the mail', () => {
  it('leads to the comparison, the same for every reader, and is counted', async () => {
    const { app, link } = await draftedSite()

    const answers = [await follow(app, `/go/${link}`), await follow(app, `/go/${link}`)]

    for (const answer of answers) {
      expect(answer.status).toBe(302)
      expect(answer.headers.get('location')).toBe(`${site}/compare/loom`)
      expect(answer.headers.get('cache-control')).toBe('no-store')
      expect(answer.headers.get('referrer-policy')).toBe('no-referrer')
      expect(answer.headers.get('x-robots-tag')).toBe('noindex, nofollow')
      expect(answer.headers.get('set-cookie')).toBeNull()
    }
    expect(await clicks(2)).toMatchObject([
      { link_id: link, agent: 'browser', head: false },
      { link_id: link, agent: 'browser', head: false },
    ])
  })

  it('leads to a site that is not at its root', async () => {
    const { app, link } = await draftedSite('https://example.com/weekly')

    const answer = await follow(app, `/go/${link}`)
    await clicks(1)

    expect(answer.headers.get('location')).toBe('https://example.com/weekly/compare/loom')
  })

  it.each([
    [{ 'user-agent': 'curl/8.1' }, 'program'],
    [{ 'user-agent': 'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)' }, 'program'],
    [{ 'user-agent': '' }, 'none'],
    [{ 'user-agent': safari, 'sec-purpose': 'prefetch;prerender' }, 'prefetch'],
    [{ 'user-agent': safari, 'x-moz': 'prefetch' }, 'prefetch'],
    [{ 'user-agent': safari }, 'browser'],
  ])('asked for with %j leads on all the same, and is marked: %s', async (headers, agent) => {
    const { app, link } = await draftedSite()

    const answer = await app.request(`/go/${link}`, { headers })

    expect(answer.status).toBe(302)
    expect(await clicks(1)).toMatchObject([{ agent, head: false }])
  })

  it('asked about with HEAD leads on, and is marked as that', async () => {
    const { app, link } = await draftedSite()

    const answer = await app.request(`/go/${link}`, { method: 'HEAD', headers: { 'user-agent': safari } })

    expect(answer.headers.get('location')).toBe(`${site}/compare/loom`)
    expect(await clicks(1)).toMatchObject([{ head: true }])
  })

  it('that nobody should see leads a person who finds it to the issue', async () => {
    const { app, trap } = await draftedSite()

    const answer = await follow(app, `/go/${trap}`)
    await clicks(1)

    expect(answer.headers.get('location')).toBe(`${site}/issues/2026-W47`)
  })

  it('leads on while its click cannot be stored', async () => {
    const { app, link } = await draftedSite()
    await follow(app, `/go/${link}`)
    await clicks(1)
    await database.db.schema.alterTable('click').renameTo('click_away').execute()

    const answer = await follow(app, `/go/${link}`)

    await database.db.schema.alterTable('click_away').renameTo('click').execute()
    expect(answer.status).toBe(302)
  })

  it('leads straight to the comparison in the web version, where nothing is counted', async () => {
    const { app } = await draftedSite()
    await database.db.updateTable('issue').set({ state: 'sent', planned_at: friday1 }).execute()

    const page = await (await app.request('/issues/2026-W47')).text()

    expect(page).toContain(`href="${site}/compare/loom"`)
    expect(page).not.toContain('/go/')
  })
})

describe('an address under /go that is none of ours', () => {
  const corpus = [
    '/go/',
    '/go/unknown',
    '/go/aaaaaaaaaaaa',
    '/go/https://evil.example',
    '/go/https:%2f%2fevil.example',
    '/go/%2f%2fevil.example',
    '/go//evil.example',
    '//evil.example/go/',
    '/go/?url=https://evil.example',
    '/go/?id=aaaaaaaaaaaa&to=//evil.example',
    '/go/javascript:alert(1)',
    '/go/data:text/html,hello',
    '/go/aaaaaaaaaaaa%0d%0aLocation:%20https://evil.example',
    '/go/%00',
    '/go/../../etc/passwd',
    '/go/%2e%2e%2f%2e%2e%2fissues',
    '/go/ａａａａａａａａａａａａ',
    `/go/${'a'.repeat(4000)}`,
  ]

  it.each(corpus)('is not found: %s', async (path) => {
    const { app } = await draftedSite()

    const answer = await follow(app, path)

    expect(answer.status).toBe(404)
    expect(answer.headers.get('location')).toBeNull()
    expect(await answer.text()).toContain('There is no such page')
  })

  it.each([
    '?url=https://evil.example',
    '?//evil.example',
    '?next=%0d%0aLocation:%20https://evil.example',
    '#@evil.example',
  ])('cannot be made from one that is: %s', async (tail) => {
    const { app, link } = await draftedSite()

    const answer = await follow(app, `/go/${link}${tail}`)
    await clicks(1)

    expect(answer.headers.get('location')).toBe(`${site}/compare/loom`)
  })

  it.each(['/..', '//evil.example', '%2f%2fevil.example', '%0d%0aX-Evil:1', '@evil.example', '.', '%20'])(
    'cannot be made by adding to one that is: %s',
    async (tail) => {
      const { app, link } = await draftedSite()

      const answer = await follow(app, `/go/${link}${tail}`)

      expect(answer.headers.get('location')).toBeNull()
      expect(answer.headers.get('x-evil')).toBeNull()
      expect(answer.status).toBe(404)
    },
  )

  it('writes nothing', async () => {
    const { app } = await draftedSite()
    const before = await everything(database.db)

    for (const path of corpus) await follow(app, path)
    await wait(50)

    expect(await everything(database.db)).toEqual(before)
  })
})

const friday1 = Temporal.Instant.from(friday)

async function draftedSite(publicUrl = site) {
  const setting = { publicUrl, postalAddress: '1 Example Street, Example Town' }
  const deps = newsletterWith(database, {
    ...{ clock: clockAt('2026-11-19T14:00:00Z'), transport: openPostOffice(), setting },
  })
  await publish(database.db, documentFor('loom'))
  await runDraft(deps, '2026-W47')
  const links = await database.db.selectFrom('link').selectAll().execute()
  const of = (kind: string) => links.find((link) => link.kind === kind)?.id ?? ''
  const app = appOn(database, { environment: { PUBLIC_URL: publicUrl } })
  return { app, link: of('comparison'), trap: of('trap') }
}

function follow(app: ReturnType<typeof appOn>, path: string): Promise<Response> {
  return Promise.resolve(app.request(path, { headers: { 'user-agent': safari } }))
}

/** The stored clicks, once there are so many: nobody waits for them but a test. */
async function clicks(many: number) {
  for (let tries = 0; tries < 400; tries += 1) {
    const rows = await database.db.selectFrom('click').selectAll().execute()
    if (rows.length >= many) return rows
    await wait(10)
  }
  throw new Error(`There are no ${many} clicks`)
}
