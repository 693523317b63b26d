import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { clockAt } from '../setup/clock.ts'
import { useDatabase } from '../setup/database.ts'
import { friday } from '../setup/delivery.ts'
import { askCode, deskOn, signIn } from '../setup/desk.ts'

const database = useDatabase()

describe('an editor at the door', () => {
  it('gets a code by mail, and is in with it', async () => {
    const desk = deskOn(database)
    const eve = desk.browser()

    const asked = await eve.get('/desk')
    const code = await askCode(eve, desk.mail, 'Eve@Example.test')
    const answer = await eve.post('/desk/sign-in/code', { address: 'eve@example.test', code })

    expect([asked.status, asked.headers.get('location')]).toEqual([303, '/desk/sign-in'])
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/desk'])
    expect(desk.mail.sentTo()).toEqual(['eve@example.test'])
    expect(await eve.read(eve.get('/desk'))).toContain('eve@example.test')
  })

  it('types the code with a space in it, as it may be read out', async () => {
    const desk = deskOn(database)
    const eve = desk.browser()
    const code = await askCode(eve, desk.mail, 'eve@example.test')

    const spaced = `${code.slice(0, 3)} ${code.slice(3)}`
    const answer = await eve.post('/desk/sign-in/code', { address: 'eve@example.test', code: spaced })

    expect(answer.status).toBe(303)
  })

  it('has the code in both parts of the mail, and in no header', async () => {
    const desk = deskOn(database)

    const code = await askCode(desk.browser(), desk.mail, 'eve@example.test')

    const [mail] = desk.mail.accepted
    expect(mail?.html).toContain(code)
    expect(mail?.text).toContain(code)
    expect(`${mail?.subject} ${JSON.stringify(mail?.headers)} ${mail?.id}`).not.toContain(code)
    expect(mail?.text).toContain('1 Example Street')
    expect(mail?.html).not.toContain('href')
  })

  it('uses a code once, and only the newest', async () => {
    const desk = deskOn(database)
    const eve = desk.browser()
    const older = await askCode(eve, desk.mail, 'eve@example.test')
    const newer = await askCode(eve, desk.mail, 'eve@example.test')
    const attempt = (code: string) =>
      desk.browser().post('/desk/sign-in/code', { address: 'eve@example.test', code })

    const tries = [
      ...(older === newer ? [] : [(await attempt(older)).status]),
      (await attempt(newer)).status,
      (await attempt(newer)).status,
    ]

    expect(tries.slice(-2)).toEqual([303, 422])
    expect(tries.slice(0, -2)).toEqual(older === newer ? [] : [422])
  })

  it('is let in once when five processes are sent the right code together', async () => {
    const desk = deskOn(database)
    const code = await askCode(desk.browser(), desk.mail, 'eve@example.test')

    const answers = await Promise.all(
      Array.from({ length: 5 }, () =>
        deskOn(database).browser().post('/desk/sign-in/code', { address: 'eve@example.test', code }),
      ),
    )

    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1)
  })

  it('finds the code worth nothing after ten minutes', async () => {
    const clock = clockAt(friday)
    const desk = deskOn(database, { clock })
    const eve = desk.browser()
    const code = await askCode(eve, desk.mail, 'eve@example.test')

    clock.pass('PT10M1S')
    const answer = await eve.post('/desk/sign-in/code', { address: 'eve@example.test', code })

    expect(answer.status).toBe(422)
  })

  it('is told what is wrong with an address, and keeps what was typed', async () => {
    const page = await deskOn(database).browser().post('/desk/sign-in', { address: 'eve@' })

    expect(page.status).toBe(422)
    expect(await page.text()).toMatch(/value="eve@".*aria-invalid="true"/s)
  })

  it('stores codes and sessions so that the tables alone let nobody in', async () => {
    const desk = deskOn(database)
    const code = await askCode(desk.browser(), desk.mail, 'eve@example.test')
    const stored = await database.db.selectFrom('editor_code').selectAll().execute()
    await desk.signedIn('sam@example.test')
    const session = await database.db.selectFrom('editor_session').select('token').executeTakeFirstOrThrow()

    const thief = desk.browser()
    thief.cookies.set('__Host-desk', session.token)

    expect(JSON.stringify(stored)).not.toContain(code)
    expect((await thief.get('/desk')).status).toBe(303)
  })
})

describe('a stranger at the door', () => {
  it('gets the answers that an editor gets, and no mail', async () => {
    const desk = deskOn(database)
    const address = { editor: 'eve@example.test', stranger: 'eve@example.tset' }
    const [editor, stranger] = [desk.browser(), desk.browser()]
    const same = async (answer: Response) =>
      [
        answer.status,
        [...answer.headers],
        (await answer.text()).replaceAll(/eve@example\.\w+/g, 'who'),
      ] as const

    const toStranger = await same(await stranger.post('/desk/sign-in', { address: address.stranger }))
    const toEditor = await same(await editor.post('/desk/sign-in', { address: address.editor }))
    const wrong = { code: '12345x' }
    const strangerTried = await same(
      await stranger.post('/desk/sign-in/code', { address: address.stranger, ...wrong }),
    )
    const editorTried = await same(
      await editor.post('/desk/sign-in/code', { address: address.editor, ...wrong }),
    )
    await askCode(editor, desk.mail, address.editor)

    expect(toStranger).toEqual(toEditor)
    expect(strangerTried).toEqual(editorTried)
    expect(new Set(desk.mail.sentTo())).toEqual(new Set(['eve@example.test']))
    const known = await database.db.selectFrom('editor').select('address').execute()
    expect(known).toEqual([{ address: 'eve@example.test' }])
  })

  it('who guesses is locked out after five tries, the right code included, and for longer each time', async () => {
    const clock = clockAt(friday)
    const desk = deskOn(database, { clock })
    const guesser = desk.browser()
    const code = await askCode(guesser, desk.mail, 'eve@example.test')
    const attempt = async (guess: string) =>
      (await guesser.post('/desk/sign-in/code', { address: 'eve@example.test', code: guess })).status
    const wrong = code === '000000' ? '111111' : '000000'
    const fiveTimes = async () => {
      for (let tries = 0; tries < 5; tries += 1) await attempt(wrong)
    }

    await fiveTimes()
    const sixth = await attempt(code)
    clock.pass('PT15M1S')
    const next = await askCode(guesser, desk.mail, 'eve@example.test')
    await fiveTimes()
    clock.pass('PT15M1S')
    const later = await askCode(guesser, desk.mail, 'eve@example.test')
    const stillLocked = await attempt(later)
    clock.pass('PT15M')
    const last = await askCode(guesser, desk.mail, 'eve@example.test')
    const open = await attempt(last)

    expect(next).toMatch(/^\d{6}$/)
    expect([sixth, stillLocked, open]).toEqual([422, 422, 303])
    const logged = await database.db.selectFrom('decision').select(['by', 'what']).orderBy('id').execute()
    expect(logged).toEqual([
      { by: 'eve@example.test', what: 'lock out' },
      { by: 'eve@example.test', what: 'lock out' },
      { by: 'eve@example.test', what: 'sign in' },
    ])
  })

  it('who guesses elsewhere does not lock the editor out', async () => {
    const desk = deskOn(database, { environment: { TRUSTED_PROXIES: '127.0.0.1' } })
    const from = (network: string) => ({ origin: 'https://news.example.com', 'x-forwarded-for': network })
    const behindProxy = (network: string) =>
      [from(network), { incoming: { socket: { remoteAddress: '127.0.0.1' } } }] as const
    const code = await askCode(desk.browser(), desk.mail, 'eve@example.test')
    const attempt = async (guess: string, network: string) => {
      const [headers, env] = behindProxy(network)
      const body = new URLSearchParams({ address: 'eve@example.test', code: guess })
      const answer = await desk.app.request('/desk/sign-in/code', { method: 'POST', body, headers }, env)
      return answer.status
    }

    for (let tries = 0; tries < 25; tries += 1) await attempt('00000x', '203.0.113.7')
    const again = await askCode(desk.browser(), desk.mail, 'eve@example.test')
    const thief = await attempt(again, '203.0.113.7')
    const editor = await attempt(again, '198.51.100.9')

    expect(code).toMatch(/^\d{6}$/)
    expect([thief, editor]).toEqual([422, 303])
  })

  it('who asks on and on causes five mails in a quarter of an hour, and sees no difference', async () => {
    const desk = deskOn(database)
    const browser = desk.browser()
    for (let mails = 0; mails < 5; mails += 1) await askCode(browser, desk.mail, 'eve@example.test')

    const sixth = await browser.post('/desk/sign-in', { address: 'eve@example.test' })
    await askCode(browser, desk.mail, 'sam@example.test')

    expect(sixth.status).toBe(200)
    expect(desk.mail.sentTo().filter((to) => to === 'eve@example.test')).toHaveLength(5)
  })
})

describe('the log lines of the door', () => {
  it('have neither the code nor an address, for editors and strangers', async () => {
    const lines: string[] = []
    const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) })
    const desk = deskOn(database, { log })
    const eve = await desk.signedIn()
    await eve.post('/desk/sign-out', {}, { origin: 'null' })
    await desk.browser().post('/desk/sign-in/code', { address: 'mallory@example.test', code: '123456' })

    const [mail] = desk.mail.accepted
    const code = /\b\d{6}\b/.exec(mail?.text ?? '')?.[0] ?? 'no code'
    expect(lines.join('')).toContain('code for an editor')
    expect(lines.join('')).not.toMatch(new RegExp(`${code}|@example|mallory|\\beve\\b`))
  })
})

describe('a session', () => {
  it('has a cookie that no script reads, no other site sends, and no plain connection carries', async () => {
    const desk = deskOn(database)

    const answer = await signIn(desk.browser(), desk.mail, 'eve@example.test')

    const [cookie, ...others] = answer.headers.getSetCookie()
    expect(others).toEqual([])
    expect(cookie).toMatch(/^__Host-desk=/)
    const attributes = cookie
      ?.split('; ')
      .slice(1)
      .map((part) => part.toLowerCase())
      .sort()
    expect(attributes).toEqual(['httponly', 'max-age=3600', 'path=/', 'samesite=lax', 'secure'])
  })

  it('has a plain name where the site is not https', async () => {
    const desk = deskOn(database, { environment: { PUBLIC_URL: 'http://localhost:3000' } })
    const headers = { origin: 'http://localhost:3000' }
    const browser = desk.browser()
    const code = await askCode(
      { ...browser, post: (path, fields) => browser.post(path, fields, headers) },
      desk.mail,
      'eve@example.test',
    )

    const answer = await browser.post('/desk/sign-in/code', { address: 'eve@example.test', code }, headers)

    expect(answer.headers.getSetCookie()[0]).toMatch(/^desk=(?!.*secure)/i)
  })

  it('is a new one at each sign-in, and what the browser brought along is worth nothing afterwards', async () => {
    const desk = deskOn(database)
    const planted = (await desk.signedIn('sam@example.test')).cookies.get('__Host-desk') ?? ''
    const victim = desk.browser()
    victim.cookies.set('__Host-desk', planted)
    victim.cookies.set('desk', 'chosen-by-somebody.else')
    const code = await askCode(desk.browser(), desk.mail, 'eve@example.test')

    await victim.post('/desk/sign-in/code', { address: 'eve@example.test', code, token: '' })

    const attacker = desk.browser()
    attacker.cookies.set('__Host-desk', planted)
    expect(victim.cookies.get('__Host-desk')).not.toBe(planted)
    expect(await victim.read(victim.get('/desk'))).toContain('eve@example.test')
    expect((await attacker.get('/desk')).headers.get('location')).toBe('/desk/sign-in')
  })

  it('lasts while it is used, and is over after an hour without', async () => {
    const clock = clockAt(friday)
    const eve = await deskOn(database, { clock }).signedIn()

    clock.pass('PT50M')
    const used = await eve.get('/desk')
    clock.pass('PT50M')
    const usedAgain = await eve.get('/desk')
    clock.pass('PT1H1S')
    const idle = await eve.get('/desk')

    expect([used.status, usedAgain.status, idle.status]).toEqual([200, 200, 303])
  })

  it('is over after twelve hours however much it is used', async () => {
    const clock = clockAt(friday)
    const eve = await deskOn(database, { clock }).signedIn()
    const statuses: number[] = []

    for (let halves = 1; halves <= 24; halves += 1) {
      clock.pass('PT30M')
      statuses.push((await eve.get('/desk')).status)
    }

    expect(statuses).toEqual([...Array.from({ length: 23 }, () => 200), 303])
  })

  it('is over on our side when its editor signs out', async () => {
    const desk = deskOn(database)
    const eve = await desk.signedIn()
    const kept = eve.cookies.get('__Host-desk') ?? ''

    const out = await eve.post('/desk/sign-out')

    const copy = desk.browser()
    copy.cookies.set('__Host-desk', kept)
    expect(out.headers.get('location')).toBe('/desk/sign-in')
    expect(eve.cookies.has('__Host-desk')).toBe(false)
    expect((await copy.get('/desk')).status).toBe(303)
  })

  it('is over in every browser when its editor signs out everywhere, and in nobody else’s', async () => {
    const desk = deskOn(database)
    const [eve, eveOnHerPhone, sam] = [
      await desk.signedIn(),
      await desk.signedIn(),
      await desk.signedIn('sam@example.test'),
    ]

    await eve.post('/desk/sign-out/everywhere')

    const open = async (browser: typeof eve) => (await browser.get('/desk')).status
    expect([await open(eve), await open(eveOnHerPhone), await open(sam)]).toEqual([303, 303, 200])
    const logged = await database.db.selectFrom('decision').select('what').orderBy('id').execute()
    expect(logged.map(({ what }) => what)).toEqual(['sign in', 'sign in', 'sign in', 'sign out everywhere'])
  })

  it('is over as soon as its editor is no longer in EDITORS', async () => {
    const eve = await deskOn(database).signedIn()
    const without = deskOn(database, { environment: { EDITORS: 'sam@example.test' } }).browser()
    for (const [name, value] of eve.cookies) without.cookies.set(name, value)

    expect((await without.get('/desk')).status).toBe(303)
    expect((await eve.get('/desk')).status).toBe(303)
  })
})

describe('the desk without EDITORS', () => {
  it('has the development editor on a trial machine, and says so', async () => {
    const desk = deskOn(database, { environment: { EDITORS: '' } })

    const page = await (await desk.browser().get('/desk/sign-in')).text()

    expect(page).toContain('editor@example.com')
    expect(page).toContain('/outbox')
    expect((await (await desk.signedIn('editor@example.com')).get('/desk')).status).toBe(200)
  })

  it('is closed in production, and says how it is opened', async () => {
    const desk = deskOn(database, { environment: { EDITORS: '', NODE_ENV: 'production' } })

    const answers = await Promise.all(
      ['/desk', '/desk/sign-in', '/desk/issues'].map((path) => desk.browser().get(path)),
    )
    const asked = await desk.browser().post('/desk/sign-in', { address: 'editor@example.com' })

    expect([...answers, asked].map(({ status }) => status)).toEqual([404, 404, 404, 404])
    expect(await answers[0]?.text()).toContain('Set EDITORS')
    expect(desk.mail.accepted).toEqual([])
  })
})
