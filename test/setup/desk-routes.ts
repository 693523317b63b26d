import type { Hono } from 'hono'
import type { DeskWorld } from './desk-world.ts'

/** A route of the desk as the application has it: its method, and its path with the names of what varies. */
export type DeskRoute = { readonly method: string; readonly path: string }

/** What is answered to whoever has not signed in yet: the way in, and nothing else. */
export const doors: readonly string[] = ['GET /desk/sign-in', 'POST /desk/sign-in', 'POST /desk/sign-in/code']

/** Every route under /desk, read from the application itself, so that none can be forgotten. */
export function deskRoutesOf(app: Hono): readonly DeskRoute[] {
  const found = app.routes
    .filter(({ method, path }) => method !== 'ALL' && /^\/desk(?:\/|$)/.test(path))
    .map(({ method, path }) => `${method} ${path}`)
  return [...new Set(found)].sort().map((route) => {
    const [method = '', path = ''] = route.split(' ')
    return { method, path }
  })
}

export function isDoor({ method, path }: DeskRoute): boolean {
  return doors.includes(`${method} ${path}`)
}

/** A path with everything that varies in it filled in. Throws for a name that nobody gave a value: a new one wants one. */
export function pathWith({ path }: DeskRoute, values: Readonly<Record<string, string>>): string {
  return path.replace(/:(\w+)(?:\{[^/]*\})?/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`${path}: give :${name} a value in test/setup/desk-routes.ts`)
    return value
  })
}

/** The names that vary in a path. */
export function namesIn({ path }: DeskRoute): readonly string[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name)
}

/** What each name may stand for, so that there is something behind it; the week of an issue on its way, or of a draft. */
export function valuesIn(world: DeskWorld, week = world.drafted): Readonly<Record<string, string>> {
  return {
    ...{ week, batch: world.batchId, publicId: world.ann.publicId, slug: world.slug },
    ...{ revision: '1', to: '0', name: 'unsubscribe', file: 'issue.html', line: 'audience' },
    flag: String(world.flagId),
  }
}
