import { parseHTML } from 'linkedom'
import { describe, expect, it } from 'vitest'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { appOn } from '../setup/app.ts'
import { useDatabase } from '../setup/database.ts'
import { everything } from '../setup/everything.ts'
import { type Desk, openDesk, proofIn } from '../setup/sign-ups.ts'

const database = useDatabase()

describe('the link in a confirmation mail', () => {
  it('opens a page with one button, and says whose address it is, masked', async () => {
    const desk = await annSignedUp()
    const { page, status } = await ask(desk, 'GET')

    expect(status).toBe(200)
    expect(page.querySelector('form')?.getAttribute('action')).toBe(`/confirm/${desk.token}`)
    expect([...page.querySelectorAll('button')].map((button) => button.textContent)).toEqual([
      'Confirm my address',
    ])
    expect(page.body.textContent).toContain('a…@e….test')
    expect(page.body.textContent).not.toContain('ann@example.test')
  })

  it.each(['GET', 'HEAD', 'OPTIONS'])('changes nothing by %s, three times', async (method) => {
    const desk = await annSignedUp()
    const before = await everything(database.db)

    for (let times = 0; times < 3; times++) await ask(desk, method)

    expect(await everything(database.db)).toEqual(before)
  })

  it.each([
    ['a form', 'application/x-www-form-urlencoded', 'x=1'],
    ['nothing', undefined, undefined],
    ['something else', 'text/plain', 'hello'],
  ])('confirms by POST with %s, again and again', async (_, type, body) => {
    const desk = await annSignedUp()

    for (let times = 0; times < 3; times++) {
      const { page, status } = await ask(desk, 'POST', '', type, body)
      expect(status).toBe(200)
      expect(page.querySelector('h1')?.textContent).toBe('You are on the list')
    }

    expect((await ask(desk, 'GET')).page.querySelector('h1')?.textContent).toBe('You are on the list')
    expect(await status()).toBe('confirmed')
  })

  it('is told as gone when it is too old, with a button for a fresh one', async () => {
    const desk = await annSignedUp()
    desk.clock.pass('PT72H')

    for (const method of ['GET', 'POST']) {
      const { page, status } = await ask(desk, method)
      expect(status).toBe(410)
      expect(page.querySelector('form')?.getAttribute('action')).toBe(`/confirm/${desk.token}/fresh`)
    }
    expect((await ask(desk, 'POST', '/fresh')).page.querySelector('h1')?.textContent).toBe('Check your inbox')
    await desk.signUp()
    expect(desk.mail.accepted).toHaveLength(2)
    expect((await ask({ ...desk, token: proofIn(desk.mail.accepted[1]) }, 'POST')).status).toBe(200)
  })

  it('has no more fresh ones sent than the limits let through', async () => {
    const desk = await annSignedUp()
    desk.clock.pass('PT72H')

    for (let times = 0; times < 20; times++) await ask(desk, 'POST', '/fresh')
    await desk.signUp()

    expect(desk.mail.accepted).toHaveLength(2)
  })

  it('sends no fresh one to a reader on the list, and none for a link that is not ours', async () => {
    const desk = await annSignedUp()
    await ask(desk, 'POST')

    expect((await ask(desk, 'POST', '/fresh')).page.querySelector('h1')?.textContent).toBe(
      'You are on the list',
    )
    expect((await ask({ ...desk, token: 'x'.repeat(43) }, 'POST', '/fresh')).status).toBe(404)
    expect(await database.db.selectFrom('sign_up').selectAll().execute()).toEqual([])
  })

  it('is gone for somebody who left since', async () => {
    const desk = await annSignedUp()
    await ask(desk, 'POST')
    desk.clock.pass('PT1M')
    const { public_id } = await database.db
      .selectFrom('subscriber')
      .select('public_id')
      .executeTakeFirstOrThrow()
    await unsubscribe(desk.deps, public_id, 'page')

    expect((await ask(desk, 'POST')).status).toBe(410)
    expect(await status()).toBe('unsubscribed')
  })

  it.each(['nonsense', '%00', '%ff', 'x'.repeat(43), 'x'.repeat(3_000)])(
    'is unknown when it is %.20s, and says what to do',
    async (token) => {
      const desk = await annSignedUp()

      for (const method of ['GET', 'POST']) {
        const { page, status } = await ask({ ...desk, token }, method)
        expect(status).toBe(404)
        expect(page.querySelector('main a[href="/subscribe"]')).not.toBeNull()
      }
    },
  )

  it.each(['GET', 'POST'])(
    'is kept by no cache and no search engine, tells no other site, and sets no cookie: %s',
    async (method) => {
      const desk = await annSignedUp()

      for (const token of [desk.token, 'nonsense']) {
        const { headers } = await ask({ ...desk, token }, method)
        expect(headers.get('Cache-Control')).toBe('no-store')
        expect(headers.get('X-Robots-Tag')).toBe('noindex')
        expect(headers.get('Referrer-Policy')).toBe('no-referrer')
        expect(headers.get('Set-Cookie')).toBeNull()
      }
    },
  )
})

async function annSignedUp(): Promise<Desk & { token: string }> {
  const desk = openDesk(database)
  await desk.signUp('ann@example.test')
  return { ...desk, token: proofIn(desk.mail.accepted[0]) }
}

async function ask(
  { deps, token }: Desk & { token: string },
  method: string,
  step = '',
  type?: string,
  body?: string,
) {
  const answer = await appOn(database, deps).request(`/confirm/${token}${step}`, {
    ...{ method, headers: type ? { 'Content-Type': type } : {}, body: body ?? null },
  })
  const page = parseHTML(await answer.text()).document
  return { page, status: answer.status, headers: answer.headers }
}

async function status(): Promise<string | undefined> {
  return (await database.db.selectFrom('subscriber').select('status').executeTakeFirst())?.status
}
