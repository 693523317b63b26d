import type { Hono } from 'hono'
import { beforeEach, describe, expect, it } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { testReader } from '../../src/delivery/personalise.ts'
import { choicesOf } from '../../src/subscriber/preferences.ts'
import { signToken } from '../../src/subscriber/token.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { appOn } from '../setup/app.ts'
import { clockAt } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { dueIssue, friday } from '../setup/delivery.ts'
import { everything } from '../setup/everything.ts'
import { testKeys } from '../setup/newsletter.ts'
import { pageOf, sent, words } from '../setup/pages.ts'
import { people } from '../setup/people.ts'

const database = useDatabase()
const slug = 'glyphmoor-vs-kernwick'
const [key = { id: '', secret: Buffer.alloc(0) }] = testKeys
let clock = clockAt(friday)
let app: Hono

beforeEach(() => {
  clock = clockAt(friday)
  app = appOn(database, { clock })
})

describe('the link under a comparison in a mail', () => {
  it('is in both parts, and leads to the reader’s own page of that comparison', async () => {
    await people.ann(database.db)
    const { deps, mail } = await dueIssue(database)
    await sendIssue(deps, '2026-W47')
    const [{ html = '', text = '' } = {}] = mail.accepted

    const links = [html, text].map((part) => /https:\/\/\S+\/follow\/[a-z0-9-]+/.exec(part)?.[0] ?? '')
    const { document, status } = await pageOf(app, new URL(links[0] ?? '').pathname)

    expect(links[0]).toBe(links[1])
    expect(status).toBe(200)
    const comparison = document.querySelector('.lede a')
    expect(comparison?.getAttribute('href')).toBe(`/compare/${slug}`)
    expect(comparison?.textContent).toBe(`${slug} left vs ${slug} right`)
  })

  it('on the web and in the feeds leads to where anybody can follow', async () => {
    await people.ann(database.db)
    const { deps } = await dueIssue(database)
    await sendIssue(deps, '2026-W47')

    const pages = [await pageOf(app, '/issues/2026-W47'), await pageOf(app, '/feed.xml')]

    for (const { html } of pages) {
      expect(html).toContain(`https://news.example.com/compare/${slug}#follow`)
      expect(html).not.toContain('/preferences/follow')
    }
    expect((await pageOf(app, `/compare/${slug}`)).document.getElementById('follow')).not.toBeNull()
  })

  it('shows what is followed now and how often mail comes; looking three times changes nothing', async () => {
    const { id, path } = await annWithMail()
    await database.db
      .insertInto('followed_category')
      .values({ subscriber_id: id, category: 'Audio' })
      .execute()
    await database.db
      .insertInto('followed_category')
      .values({ subscriber_id: id, category: 'Developer Tools' })
      .execute()
    const before = await everything(database.db)

    const [page] = [await pageOf(app, path), await pageOf(app, path), await pageOf(app, path)]

    expect(await everything(database.db)).toEqual(before)
    const boxes = [...page.document.querySelectorAll('input')].map((input) => [
      input.getAttribute('value'),
      input.hasAttribute('checked'),
    ])
    expect(boxes).toEqual([
      [`${slug}-left`, false],
      [`${slug}-right`, false],
      ['Developer Tools', true],
      ['weekly', true],
      ['monthly', false],
      ['followed', false],
    ])
    expect(page.answer.headers.get('Cache-Control')).toBe('no-store')
  })

  it('saves just these, and answers with the page that shows what is true', async () => {
    const { id, path } = await annWithMail()
    await database.db
      .insertInto('followed_category')
      .values(['Audio', 'Developer Tools'].map((category) => ({ subscriber_id: id, category })))
      .execute()

    const { answer } = await pageOf(app, path, ticked('followed', ['tool', `${slug}-right`]))
    const { document } = await pageOf(app, answer.headers.get('Location') ?? '')

    expect([answer.status, answer.headers.get('Location')]).toEqual([303, `${path}?done=choices`])
    expect(await choices(id)).toEqual({
      ...{ cadence: 'followed', categories: ['Audio'], tools: [`${slug}-right`] },
    })
    expect(document.querySelector('[role=status]')?.textContent).toContain('Saved')
    expect(
      [...document.querySelectorAll('input[checked]')].map((input) => input.getAttribute('value')),
    ).toEqual([`${slug}-right`, 'followed'])
    const record = await database.db.selectFrom('consent_event').selectAll().orderBy('id').execute()
    expect(record.at(-1)).toMatchObject({
      ...{ kind: 'preferences changed', method: 'page' },
      detail: `followed; categories: Audio; tools: ${slug}-right`,
    })
  })

  it('follows nothing that is not in the comparison, whatever is sent', async () => {
    const { id, path } = await annWithMail()
    await publish(database.db, documentFor('larkhusk-vs-tinmumble'))

    await pageOf(app, path, ticked('weekly', ['tool', 'larkhusk-vs-tinmumble-left'], ['category', 'Audio']))

    expect(await choices(id)).toEqual({ cadence: 'weekly', categories: [], tools: [] })
  })

  it.each([
    ['only what they follow, which is nothing', 'cadence=followed', 'You follow nothing yet'],
    ['no rhythm', '', 'Choose how often'],
  ])('refuses %s, and keeps the page', async (_, body, why) => {
    const { path } = await annWithMail()
    const before = await everything(database.db)

    const { document, status } = await pageOf(app, path, { method: 'POST', body: new URLSearchParams(body) })

    expect(status).toBe(422)
    expect(document.querySelector('[role=alert]')?.textContent).toContain(why)
    expect(await everything(database.db)).toEqual(before)
  })

  it('tells a paused reader that they are paused, and saves all the same', async () => {
    const { id, publicId, path } = await annWithMail()
    await app.request(`/preferences/${tokenOf(publicId)}/pause`, sent({ for: 'P2W' }))

    const { document } = await pageOf(app, path)
    const saved = await app.request(path, ticked('weekly', ['tool', `${slug}-left`]))

    expect(words(document.querySelector('.lede')?.textContent)).toContain('is paused until')
    expect(saved.status).toBe(303)
    expect((await choices(id)).tools).toEqual([`${slug}-left`])
  })

  it('opens and presses like a reader’s in a test mail, and stores nothing', async () => {
    await annWithMail()
    const path = `/preferences/${tokenOf(testReader)}/follow/${slug}`
    const before = await everything(database.db)

    const opened = await pageOf(app, path)
    const pressed = await app.request(path, ticked('weekly', ['tool', `${slug}-left`]))

    expect([opened.status, pressed.status]).toEqual([200, 303])
    expect(opened.document.querySelector('.note')?.textContent).toContain('test mail')
    expect(await everything(database.db)).toEqual(before)
  })

  it.each([
    ['a forged token', 404],
    ['a token to leave the list', 404],
    ['a reader who left', 409],
    ['a comparison that was retracted', 404],
    ['a comparison that there never was', 404],
  ] as const)('says clearly what is wanting with %s, and changes nothing', async (what, status) => {
    const { publicId, path } = await annWithMail()
    if (what === 'a reader who left') await unsubscribe({ db: database.db, clock }, publicId, 'page')
    if (what === 'a comparison that was retracted')
      await publish(database.db, { ...documentFor(slug), retracted: true })
    const asked = {
      'a forged token': path.replace(/.(?=\/follow)/, (last) => (last === 'A' ? 'Q' : 'A')),
      'a token to leave the list': `/preferences/${signToken(key, 'unsubscribe', publicId)}/follow/${slug}`,
      'a comparison that there never was': path.replace(slug, 'no-vs-where'),
    }
    const at = what in asked ? asked[what as keyof typeof asked] : path
    const before = await everything(database.db)

    const opened = await pageOf(app, at)
    const pressed = await app.request(at, ticked('weekly', ['tool', `${slug}-left`]))

    expect([opened.status, pressed.status]).toEqual([status, status])
    expect(opened.document.querySelector('h1')?.textContent).not.toBe('')
    expect(opened.document.querySelector('form')).toBeNull()
    expect(await everything(database.db)).toEqual(before)
  })
})

async function annWithMail() {
  await publish(database.db, documentFor(slug))
  const ann = await people.ann(database.db)
  return { ...ann, path: `/preferences/${tokenOf(ann.publicId)}/follow/${slug}` }
}

function tokenOf(publicId: string): string {
  return signToken(key, 'preferences', publicId)
}

function ticked(cadence: string, ...boxes: readonly (readonly [string, string])[]): RequestInit {
  return sent([['cadence', cadence], ...boxes])
}

function choices(id: number) {
  return database.db
    .selectFrom('subscriber')
    .select(['id', 'cadence'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
    .then((reader) => choicesOf(database.db, reader))
}
