import type { Hono } from 'hono'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { record } from './sign-in.ts'

/** The way out, of this browser or of all of them; sessions end on our side. */
export function signOutRoutes(deps: DeskDeps): Hono<DeskEnv> {
  return desk()
    .post('/desk/sign-out', async (c) => {
      await record(deps, c.get('session').editor, 'sign out')
      for (const cookie of await deps.door.signOut(c.req.raw.headers))
        c.header('Set-Cookie', cookie, { append: true })
      return c.redirect('/desk/sign-in', 303)
    })
    .post('/desk/sign-out/everywhere', async (c) => {
      const { editor } = c.get('session')
      await record(deps, editor, 'sign out everywhere')
      for (const cookie of await deps.door.signOutEverywhere(editor, c.req.raw.headers))
        c.header('Set-Cookie', cookie, { append: true })
      return c.redirect('/desk/sign-in', 303)
    })
}
