import type { Context, Hono } from 'hono'
import { openDoor } from '../../editor/door.ts'
import { editorsOf } from '../../editor/editors.ts'
import { bodyOfAtMost } from '../body-limit.ts'
import { addReaderRoutes } from './add-reader.ts'
import { batchRoutes } from './batch.ts'
import { changeTimeRoutes } from './change-time.ts'
import { contentRoutes } from './content.ts'
import { contentEditRoutes } from './content-edit.ts'
import { decideRoutes } from './decide.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { diffRoutes } from './diff.ts'
import { growthRoutes } from './growth.ts'
import { issuesRoutes } from './issues.ts'
import { letPassRoutes } from './let-pass.ts'
import { logRoutes } from './log.ts'
import { oneIssueRoutes } from './one-issue.ts'
import { oneReaderRoutes } from './one-reader.ts'
import { deskNotFound } from './page.ts'
import { deskHeaders } from './policy.ts'
import { previewRoutes } from './preview.ts'
import { progressRoutes } from './progress.ts'
import { quarantineRoutes } from './quarantine.ts'
import { readerActionRoutes } from './reader-actions.ts'
import { readersRoutes } from './readers.ts'
import { reportRoutes } from './report.ts'
import { type Refuse, sameOrigin, sessionToken } from './same-origin.ts'
import { signInRoutes } from './sign-in.ts'
import { signOutRoutes } from './sign-out.ts'
import { testSendRoutes } from './test-send.ts'
import { weekRoutes } from './this-week.ts'
import { timeTravelRoutes } from './time-travel.ts'
import { voteFlagRoutes } from './vote-flag.ts'
import { votesRoutes } from './votes.ts'

type Given = Omit<DeskDeps, 'editors' | 'door'>

const largest = 1_048_576

/**
 * The desk, all of it under /desk: nothing of it is reached without a session, and nothing is changed but from a page of
 * its own (RELIABILITY S4, S18). Closed where nobody may edit.
 */
export function deskRoutes(given: Given): Hono<DeskEnv> {
  const editors = editorsOf(given.config)
  if (editors.length === 0) return closed(given)
  const https = given.config.publicUrl.startsWith('https://')
  const deps = { ...given, editors, door: openDoor({ ...given, editors, https }) }
  const refuse = refusing(deps)
  return everywhere(deps)
    .use('/desk/*', sameOrigin(ownOrigins(deps), refuse))
    .route('/', signInRoutes(deps))
    .use('/desk/*', signedIn(deps))
    .use('/desk/*', sessionToken(refuse))
    .use('/desk/*', printableOnly(deps))
    .route('/', signOutRoutes(deps))
    .route('/', weekRoutes(deps))
    .route('/', decideRoutes(deps))
    .route('/', testSendRoutes(deps))
    .route('/', changeTimeRoutes(deps))
    .route('/', quarantineRoutes(deps))
    .route('/', batchRoutes(deps))
    .route('/', letPassRoutes(deps))
    .route('/', issuesRoutes(deps))
    .route('/', oneIssueRoutes(deps))
    .route('/', progressRoutes(deps))
    .route('/', reportRoutes(deps))
    .route('/', growthRoutes(deps))
    .route('/', contentEditRoutes(deps))
    .route('/', previewRoutes(deps))
    .route('/', timeTravelRoutes(deps))
    .route('/', diffRoutes(deps))
    .route('/', readersRoutes(deps))
    .route('/', addReaderRoutes(deps))
    .route('/', oneReaderRoutes(deps))
    .route('/', readerActionRoutes(deps))
    .route('/', contentRoutes(deps))
    .route('/', votesRoutes(deps))
    .route('/', voteFlagRoutes(deps))
    .route('/', logRoutes(deps))
    .all('/desk/*', (c) => deskNotFound(c, deps, 'The address may be mistyped, or the page has moved.'))
}

function everywhere({ pages }: Pick<DeskDeps, 'pages'>): Hono<DeskEnv> {
  return desk()
    .use('/desk/*', deskHeaders())
    .use(
      '/desk/*',
      bodyOfAtMost(largest, (c) => c.html(pages('desk-shut', tooLarge), 413)),
    )
}

function closed(given: Given): Hono<DeskEnv> {
  return everywhere(given).all('/desk/*', (c) => c.html(given.pages('desk-shut', noEditors), 404))
}

/** Puts the session where routes find it, or asks whoever has none to sign in. */
function signedIn({ door, pages }: DeskDeps) {
  return async (c: Context<DeskEnv>, next: () => Promise<void>) => {
    const { session, cookies } = await door.whoIs(c.req.raw.headers)
    for (const cookie of cookies) c.header('Set-Cookie', cookie, { append: true })
    if (!session) {
      const isPage = c.req.method === 'GET' && !/json/.test(c.req.header('accept') ?? '')
      return isPage ? c.redirect('/desk/sign-in', 303) : c.html(pages('desk-shut', signedOut), 401)
    }
    c.set('session', session)
    return next()
  }
}

/** No address of ours has a control character: no table holds one, and no header may (RELIABILITY S16). */
function printableOnly(deps: DeskDeps) {
  return async (c: Context<DeskEnv>, next: () => Promise<void>) =>
    /[\u0000-\u001f\u007f]|%(?:[01][0-9a-f]|7f)/i.test(c.req.path)
      ? deskNotFound(c, deps, 'The address may be mistyped: it has a character that no page has.')
      : next()
}

/** Our own origin; on a trial machine also the name that it was called by, which may be 127.0.0.1. */
function ownOrigins({ config }: DeskDeps) {
  const own = new URL(config.publicUrl).origin
  return (c: Context) =>
    config.production || own.startsWith('https:') ? [own] : [own, new URL(c.req.url).origin]
}

function refusing({ pages, config, log }: DeskDeps): Refuse {
  return (c, why) => {
    log.warn({ why, route: c.req.path.replace(/[^\w/-]/g, '').slice(0, 80) }, 'the desk refused a change')
    const words = why === 'origin' ? foreign(config.publicUrl) : stale
    return c.html(pages('desk-shut', words), 403)
  }
}

const noEditors = {
  title: 'The desk is closed',
  lede: 'Nobody is named who may sign in. Set EDITORS to their addresses, separated by commas, and start again.',
  link: { url: '/', label: 'Go to the front page' },
}
const tooLarge = {
  title: 'That was too much',
  lede: 'The desk takes up to one megabyte at a time. Nothing was changed.',
  link: { url: '/desk', label: 'Back to the desk' },
}
const signedOut = {
  title: 'You are signed out',
  lede: 'Your session is over, so nothing was changed. Sign in again, and repeat what you did last.',
  link: { url: '/desk/sign-in', label: 'Sign in' },
}
const stale = {
  title: 'This page was too old',
  lede: 'It belongs to an earlier session, so nothing was changed. Open the desk again, and repeat what you did last.',
  link: { url: '/desk', label: 'Open the desk' },
}
function foreign(publicUrl: string) {
  return {
    title: 'That did not come from the desk',
    lede: `Changes are taken only from pages of ${publicUrl}, so nothing was changed. Open the desk there, and repeat it.`,
    link: { url: '/desk', label: 'Open the desk' },
  }
}
