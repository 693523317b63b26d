import { setTimeout as sleep } from 'node:timers/promises'
import type { Hono } from 'hono'
import { appOn } from './app.ts'
import type { TestDatabase } from './database.ts'
import { openPostOffice, type PostOffice } from './post-office.ts'

const site = 'https://news.example.com'

/** A browser at the desk: it keeps cookies, says where its forms are from, and fills in what its pages hide. */
export type Browser = {
  get(path: string, headers?: Record<string, string>): Promise<Response>
  /** Sends a form. The session's token goes with it unless the fields have another; `headers` can take the origin's place. */
  post(path: string, fields?: Record<string, string>, headers?: Record<string, string>): Promise<Response>
  /** The text of a page, after any redirects. */
  read(answer: Response | Promise<Response>): Promise<string>
  /** The session's token as the pages have it. */
  token(): Promise<string>
  readonly cookies: Map<string, string>
}

/** The desk on a test database, with two editors: eve and sam. */
export function deskOn(
  database: TestDatabase,
  {
    environment = {},
    mail = openPostOffice(),
    ...parts
  }: Parameters<typeof appOn>[1] & { mail?: PostOffice } = {},
) {
  const app = appOn(database, {
    ...parts,
    transport: mail,
    environment: { EDITORS: 'eve@example.test,sam@example.test', ...environment },
  })
  return {
    app,
    mail,
    browser: () => openBrowser(app),
    /** A browser in which an editor has signed in with the code from their mail. */
    async signedIn(address = 'eve@example.test'): Promise<Browser> {
      const browser = openBrowser(app)
      const answer = await signIn(browser, mail, address)
      if (answer.status !== 303) throw new Error(`${address} was not let in: ${answer.status}`)
      return browser
    },
  }
}

/** Asks for a code and types it in. */
export async function signIn(browser: Browser, mail: PostOffice, address: string): Promise<Response> {
  return browser.post('/desk/sign-in/code', { address, code: await askCode(browser, mail, address) })
}

/** Asks for a code and waits for the mail with it. */
export async function askCode(browser: Browser, mail: PostOffice, address: string): Promise<string> {
  const before = mail.accepted.length
  await browser.post('/desk/sign-in', { address })
  for (let tries = 0; tries < 400 && mail.accepted.length === before; tries += 1) await sleep(10)
  const [code] = /\b\d{6}\b/.exec(mail.accepted.at(-1)?.text ?? '') ?? []
  if (mail.accepted.length === before || !code) throw new Error(`No code came for ${address}`)
  return code
}

function openBrowser(app: Hono): Browser {
  const cookies = new Map<string, string>()

  async function ask(path: string, init: RequestInit, headers: Record<string, string>): Promise<Response> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await app.request(`${site}${path}`, {
      ...init,
      headers: { ...(cookie && { cookie }), ...headers },
    })
    for (const set of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? []
      if (/max-age=0/i.test(set)) cookies.delete(name)
      else cookies.set(name, value)
    }
    return answer
  }

  const browser: Browser = {
    cookies,
    get: (path, headers = {}) => ask(path, {}, headers),
    async post(path, fields = {}, headers = { origin: site }) {
      const isSignedIn = cookies.has('__Host-desk') && !('token' in fields)
      const body = new URLSearchParams({ ...fields, ...(isSignedIn && { token: await browser.token() }) })
      return ask(path, { method: 'POST', body }, headers)
    },
    async read(given) {
      let answer = await given
      for (let hops = 0; hops < 5 && answer.status === 303; hops += 1)
        answer = await browser.get(answer.headers.get('location') ?? '/')
      return answer.text()
    },
    async token() {
      const page = await (await browser.get('/desk/log')).text()
      return /name="token" value="([^"]+)"/.exec(page)?.[1] ?? ''
    },
  }
  return browser
}
