import { createHmac, randomUUID } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import type { SigningKey } from '../subscriber/token.ts'

type Auth = ReturnType<typeof import('./auth.ts').openAuth>

type Deps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly keys: readonly SigningKey[]
  readonly editors: readonly string[]
  /** Whether the site is https, so that cookies can insist on it. */
  readonly https: boolean
}

/** An editor who is signed in, in one browser. */
export type Session = {
  /** The editor's address. */
  readonly editor: string
  readonly since: Temporal.Instant
  /** Goes with everything that this session changes, and is worth nothing in another (RELIABILITY S4). */
  readonly token: string
}

/** What a browser is told to keep: values of `Set-Cookie`. */
export type Cookies = readonly string[]

/** The way into the desk. Whoever is no editor gets the same answers. */
export type Door = {
  /** A code for an editor, the only one that counts from now on; undefined for everybody else. */
  makeCode(address: string): Promise<string | undefined>
  /** A new session for the right code, which is used up by it; undefined for a wrong one. */
  signIn(address: string, code: string): Promise<Cookies | undefined>
  /** Whose session the request has, if any, and cookies that lengthen it. */
  whoIs(request: Headers): Promise<{ readonly session: Session | undefined; readonly cookies: Cookies }>
  /** Whether the request's session holds still; asking does not lengthen it. */
  stillIn(request: Headers): Promise<boolean>
  signOut(request: Headers): Promise<Cookies>
  /** Ends every session of an editor; the cookies are for the browser that asks. */
  signOutEverywhere(editor: string, request: Headers): Promise<Cookies>
}

/** However busy, an editor signs in again after this. */
const longest = Temporal.Duration.from({ hours: 12 })

/** Minutes that a code works. */
export const codeMinutes = 10

/** Opens the door on better-auth, which is loaded when somebody first comes to it: no other command waits for it. */
export function openDoor(deps: Deps): Door {
  const [key] = deps.keys
  if (!key) throw new Error('There is no signing key')
  const secret = createHmac('sha256', key.secret).update('desk').digest('hex')
  let opened: Promise<Auth> | undefined
  const api = async () => {
    opened ??= import('./auth.ts').then(({ openAuth }) => openAuth({ ...deps, secret, codeMinutes }))
    return (await opened).api
  }

  async function signOut(headers: Headers): Promise<Cookies> {
    const auth = await api()
    return cookiesOf((await auth.signOut({ headers, returnHeaders: true })).headers)
  }

  return {
    async makeCode(address) {
      if (!deps.editors.includes(address)) return undefined
      await ensureEditor(deps, address)
      await deps.db.deleteFrom('editor_code').where('identifier', '=', `sign-in-otp-${address}`).execute()
      const auth = await api()
      return auth.createVerificationOTP({ body: { email: address, type: 'sign-in' } })
    },

    async signIn(address, code) {
      if (!deps.editors.includes(address)) return undefined
      const auth = await api()
      try {
        const { headers } = await auth.signInEmailOTP({
          body: { email: address, otp: code },
          returnHeaders: true,
        })
        return cookiesOf(headers)
      } catch (error) {
        if (isRefusal(error)) return undefined
        throw error
      }
    },

    async whoIs(headers) {
      const auth = await api()
      const { response, headers: answer } = await auth.getSession({ headers, returnHeaders: true })
      const cookies = cookiesOf(answer)
      if (!response) return { session: undefined, cookies }
      const editor = response.user.email
      const started = await startOf(deps.db, response.session.id)
      if (!started || isOver(deps, started, editor))
        return { session: undefined, cookies: await signOut(headers) }
      const token = createHmac('sha256', secret)
        .update(`token\n${response.session.token}`)
        .digest('base64url')
      return { session: { editor, since: started, token }, cookies }
    },

    async stillIn(headers) {
      const auth = await api()
      const found = await auth.getSession({ headers, query: { disableRefresh: true } })
      const started = found && (await startOf(deps.db, found.session.id))
      return Boolean(started && !isOver(deps, started, found.user.email))
    },

    signOut,

    async signOutEverywhere(editor, headers) {
      const cookies = await signOut(headers)
      await deps.db
        .deleteFrom('editor_session')
        .where('editor_id', 'in', (eb) => eb.selectFrom('editor').select('id').where('address', '=', editor))
        .execute()
      return cookies
    },
  }
}

/** Whatever the library says: it is too old, or its editor is none any more. */
function isOver({ clock, editors }: Deps, started: Temporal.Instant, editor: string): boolean {
  return Temporal.Instant.compare(started.add(longest), clock()) <= 0 || !editors.includes(editor)
}

/** The library's "no", or ours: a wrong code is put back with one try less, and by then there may be a newer one. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const isNo = 'statusCode' in error && Number(error.statusCode) < 500
  return isNo || ('code' in error && error.code === uniqueViolation)
}

const uniqueViolation = '23505'

/** The row that sessions hang on. Only addresses of EDITORS ever get one. */
async function ensureEditor({ db, clock }: Deps, address: string): Promise<void> {
  const now = clock()
  await db
    .insertInto('editor')
    .values({
      id: randomUUID(),
      address,
      email_verified: true,
      created_at: now,
      updated_at: now,
      image: null,
    })
    .onConflict((oc) => oc.column('address').doNothing())
    .execute()
}

async function startOf(db: Kysely<Database>, id: string): Promise<Temporal.Instant | undefined> {
  const row = await db
    .selectFrom('editor_session')
    .select('created_at')
    .where('id', '=', id)
    .executeTakeFirst()
  return row?.created_at
}

/** Ours only: the library also clears cookies of features that are not in use. */
function cookiesOf(headers: Headers): Cookies {
  return headers.getSetCookie().filter((cookie) => /^(?:__Host-)?desk=/.test(cookie))
}
