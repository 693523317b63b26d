import { type Challenge, solveChallenge } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2'
import { parseHTML } from 'linkedom'
import { beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { appOn } from '../setup/app.ts'
import { useDatabase } from '../setup/database.ts'
import { testKeys } from '../setup/newsletter.ts'

const database = useDatabase()
const address = 'ann@example.test'
const newer = { id: 'k2', secret: Buffer.alloc(32, 9) }
let solved: { challenge: Challenge; answer: string }

beforeAll(async () => {
  solved = await solve()
})

describe('with a challenge in front', () => {
  it.each(['/', '/subscribe', '/embed'])(
    '%s brings the widget from our own origin, and says what to do without script',
    async (path) => {
      const answer = await site().request(path)
      const page = parseHTML(await answer.text()).document

      expect(page.querySelector('altcha-widget')?.getAttribute('challenge')).toBe('/challenge')
      expect(page.querySelector('noscript')?.textContent).toContain('verdicts@example.com')
      expect(answer.headers.get('Content-Security-Policy')).toContain("script-src 'self'")
      for (const source of ['/altcha.js', '/altcha-worker.js', '/altcha.css'])
        expect((await site().request(source)).status).toBe(200)
    },
  )

  it('a sign-up at either door needs the answer', async () => {
    expect((await sendForm({ address })).status).toBe(400)
    expect((await sendJson({ address })).status).toBe(400)
    expect(await signUps()).toBe(0)

    expect((await sendForm({ address, altcha: solved.answer })).status).toBe(200)
    expect(await signUps()).toBe(1)
  })

  it('an answer counts once, for both doors together', async () => {
    expect((await sendJson({ address, altcha: solved.answer })).status).toBe(202)
    expect((await sendJson({ address, altcha: solved.answer })).status).toBe(400)
    expect((await sendForm({ address, altcha: solved.answer })).status).toBe(400)
    expect(await signUps()).toBe(1)
  })

  it('an answer that goes wrong on a mistyped address is not used up', async () => {
    await sendForm({ address: 'ann@gmial.com', altcha: solved.answer })

    expect((await sendForm({ address: 'ann@gmail.com', altcha: solved.answer })).status).toBe(200)
  })

  it('still counts after the keys were rotated', async () => {
    const answer = await post(site({ keys: [newer, ...testKeys] }), { address, altcha: solved.answer })

    expect(answer.status).toBe(202)
  })

  it.each<[string, (given: Given) => unknown]>([
    ['of another key', (given) => given],
    ['with an easier sum', (given) => ({ ...given, challenge: changed(given, { keyPrefix: '' }) })],
    ['that never ends', (given) => ({ ...given, challenge: changed(given, { expiresAt: 9_999_999_999 }) })],
    ['with another counter', (given) => ({ ...given, solution: { ...given.solution, counter: 1 } })],
    ['with a costly sum', (given) => ({ ...given, challenge: changed(given, { cost: 2_000_000_000 }) })],
    ['without a signature', (given) => ({ ...given, challenge: { parameters: given.challenge.parameters } })],
    ['that is no answer', () => 7],
  ])('an answer %s is none', async (what, change) => {
    const forged = Buffer.from(JSON.stringify(change(given()))).toString('base64')
    const app = site(what === 'of another key' ? { keys: [newer] } : {})

    expect((await post(app, { address, altcha: forged })).status).toBe(400)
    expect(await signUps()).toBe(0)
  })

  it('there is none when none is chosen', async () => {
    const app = appOn(database)

    expect((await app.request('/challenge')).status).toBe(404)
    expect(await (await app.request('/subscribe')).text()).not.toContain('altcha')
  })
})

type Given = { challenge: Challenge; solution: { counter: number; derivedKey: string } }

function given(): Given {
  return JSON.parse(Buffer.from(solved.answer, 'base64').toString())
}

function changed({ challenge }: Given, parameters: Partial<Challenge['parameters']>): Challenge {
  return { ...challenge, parameters: { ...challenge.parameters, ...parameters } }
}

/** Does in a moment what the widget does in a browser. */
async function solve() {
  const challenge = JSON.parse(await (await site().request('/challenge')).text())
  const solution = await solveChallenge({ challenge, deriveKey })
  return { challenge, answer: Buffer.from(JSON.stringify({ challenge, solution })).toString('base64') }
}

function site(parts: Parameters<typeof appOn>[1] = {}) {
  return appOn(database, { clock: systemClock, environment: { CHALLENGE: 'altcha' }, ...parts })
}

function sendForm(fields: Record<string, string>) {
  return site().request('/subscribe', { method: 'POST', body: new URLSearchParams(fields) })
}

function sendJson(document: object) {
  return post(site(), document)
}

async function post(app: ReturnType<typeof site>, document: object): Promise<Response> {
  const headers = { 'Content-Type': 'application/json' }
  return app.request('/subscribe', { method: 'POST', headers, body: JSON.stringify(document) })
}

async function signUps(): Promise<number> {
  return (await database.db.selectFrom('sign_up').select('id').execute()).length
}
