import type { Context, Hono } from 'hono'
import { z } from 'zod'
import type { Cookies } from '../../editor/door.ts'
import { codeMinutes } from '../../editor/door.ts'
import { mailCode } from '../../editor/mail-code.ts'
import { recordDecision } from '../../issue/decision.ts'
import { parseAddress } from '../../subscriber/address.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { readFields } from './fields.ts'
import { openDoorLimits } from './limits.ts'

/** A refusal takes as long as an acceptance, whoever is asked for: nobody learns by the clock who is an editor. */
const leastMilliseconds = 250

const given = z.object({ address: z.string().max(320).default(''), code: z.string().max(40).default('') })

/** The way in: an address, then the code that was mailed to it. Says the same to everybody. */
export function signInRoutes(deps: DeskDeps): Hono<DeskEnv> {
  const limits = openDoorLimits(deps)

  function form(
    c: Context<DeskEnv>,
    shown: { address?: string; problem?: string; status?: 200 | 422 | 429 },
  ) {
    const { address = '', problem = '', status = 200 } = shown
    const isTrial = deps.hasOutbox && deps.config.editors.length === 0
    return c.html(
      deps.pages('desk-sign-in', { address, problem, trial: isTrial ? deps.editors[0] : '' }),
      status,
    )
  }

  function codeForm(c: Context<DeskEnv>, address: string, problem = '', status: 200 | 422 = 200) {
    const { hasOutbox } = deps
    return c.html(deps.pages('desk-code', { address, problem, hasOutbox, minutes: codeMinutes }), status)
  }

  return desk()
    .get('/desk/sign-in', async (c) => {
      const { session } = await deps.door.whoIs(c.req.raw.headers)
      return session ? c.redirect('/desk', 303) : form(c, {})
    })
    .post('/desk/sign-in', async (c) => {
      const { address: typed } = given.parse(await readFields(c))
      const parsed = parseAddress(typed)
      if (!parsed.ok) return form(c, { address: typed, problem: parsed.problem, status: 422 })
      if (await limits.mayAsk(parsed.address, deps.networkOf(c))) afterTheAnswer(deps, parsed.address)
      return codeForm(c, parsed.address)
    })
    .post('/desk/sign-in/code', async (c) => {
      const inTime = new Promise((resolve) => setTimeout(resolve, leastMilliseconds))
      const { address: typed, code } = given.parse(await readFields(c))
      const parsed = parseAddress(typed)
      const cookies = parsed.ok ? await tryCode(c, parsed.address, code.replace(/\D/g, '')) : undefined
      await inTime
      if (!cookies) return codeForm(c, typed, wrongCode, 422)
      for (const cookie of cookies) c.header('Set-Cookie', cookie, { append: true })
      return c.redirect('/desk', 303)
    })

  async function tryCode(c: Context<DeskEnv>, address: string, code: string): Promise<Cookies | undefined> {
    const network = deps.networkOf(c)
    const mayTry = await limits.mayTry(address, network)
    if (mayTry === 'no') return undefined
    const cookies = await deps.door.signIn(address, code)
    if (!cookies) {
      if (mayTry === 'locked') await recordLockOut(deps, address, network)
      return undefined
    }
    await limits.passed(address, network)
    // Whatever session this browser brought along is over, so that nobody can have planted it (fixation).
    await deps.door.signOut(c.req.raw.headers)
    await record(deps, address, 'sign in', { network })
    return cookies
  }
}

/** One answer to a wrong code, an old one, one of a stranger and one too many. */
const wrongCode =
  'That is not the newest code, or it has run out, or there were too many tries. Ask for another one, or wait a quarter of an hour.'

/** What depends on who asked is done when the answer is on its way (RELIABILITY S1). */
function afterTheAnswer(deps: DeskDeps, address: string): void {
  setImmediate(async () => {
    try {
      const code = await deps.door.makeCode(address)
      if (code) await mailCode(deps, address, code)
    } catch (error) {
      deps.log.error({ err: error }, 'no code was mailed')
    }
  })
}

async function recordLockOut(deps: DeskDeps, address: string, network: string): Promise<void> {
  if (deps.editors.includes(address)) await record(deps, address, 'lock out', { network })
}

/** Appends who came in, or went, to the record of decisions. */
export function record(
  { db, clock }: Pick<DeskDeps, 'db' | 'clock'>,
  by: string,
  what: 'sign in' | 'sign out' | 'sign out everywhere' | 'lock out',
  evidence: object = {},
): Promise<void> {
  return db.transaction().execute((trx) => recordDecision(trx, { at: clock(), by, what, evidence }))
}
