import type { Context } from 'hono'
import { deleteCookie, getCookie, getSignedCookie, setSignedCookie } from 'hono/cookie'
import { z } from 'zod'
import type { DeskEnv } from './desk.ts'

/** One sentence for the next page that this browser opens: what was done, or why nothing was. */
export type Flash = { readonly kind: 'done' | 'problem'; readonly text: string }

const name = 'desk-said'
const flash = z.object({ kind: z.enum(['done', 'problem']), text: z.string().max(1_000) })

/** After a POST: says it on the page that is opened next, and goes there. */
export async function redirectSaying(c: Context<DeskEnv>, path: string, said: Flash): Promise<Response> {
  const value = Buffer.from(JSON.stringify(said)).toString('base64url')
  await setSignedCookie(c, name, value, c.get('session').token, {
    ...{ path: '/desk', httpOnly: true, sameSite: 'Lax', maxAge: 60 },
    // A proxy may have taken the https off; the session's own cookie tells whether it was there.
    secure: getCookie(c, '__Host-desk') !== undefined,
  })
  return c.redirect(path, 303)
}

/** What is to be said now, once. Signed with the session's token, so that nobody else's words are shown. */
export async function takeFlash(c: Context<DeskEnv>): Promise<Flash | undefined> {
  const value = await getSignedCookie(c, c.get('session').token, name)
  if (value === undefined) return undefined
  deleteCookie(c, name, { path: '/desk' })
  return value ? parse(value) : undefined
}

function parse(value: string): Flash | undefined {
  try {
    return flash.safeParse(JSON.parse(Buffer.from(value, 'base64url').toString())).data
  } catch {
    return undefined
  }
}
