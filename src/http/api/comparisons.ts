import { type Context, Hono } from 'hono'
import type { Log } from '../../log.ts'
import type { ComparisonDocument } from '../../verdict/document.ts'
import { type Decided, publishIf } from '../../verdict/publish-if.ts'
import { readDocument } from '../../verdict/read-document.ts'
import { findRevision, type Revision } from '../../verdict/revisions.ts'
import { bodyOfAtMost } from '../body-limit.ts'
import type { Connected } from '../client-address.ts'
import { readBody } from './body.ts'
import { etagOf, isMatched, isNamedByNoneMatch } from './etag.ts'
import { type Answer, problemsUnder } from './problem.ts'
import { changed, faulty, retracted } from './refusals.ts'
import { requireToken, type TokenDeps } from './token.ts'

export type ApiDeps = TokenDeps & {
  readonly log: Log
  readonly config: { readonly publicUrl: string }
}

/** The largest document there can be has 210,000 characters; six bytes each when all of them are escaped. */
const mostBytes = 2 * 2 ** 20
const methods = 'GET, HEAD, PUT, DELETE'

type Done = Exclude<Decided<Response>, { readonly outcome: 'refused' }>

/** Who brought a revision that came through here. */
const by = 'api'

/** `/api/comparisons/:slug`, for the bearer of `API_TOKEN`: the site that makes the comparisons. Errors are problems (RFC 9457). */
export function comparisonApi(deps: ApiDeps): Hono<Connected> {
  const answer = problemsUnder(deps.config.publicUrl)
  const nothing = (c: Context) =>
    answer(c, 'Unknown', 'There is no comparison with this name. PUT its document here to make it.')
  const atMost = bodyOfAtMost(mostBytes, (c) =>
    answer(c, 'TooLarge', 'A document has at most 2 MiB. Nothing was changed.'),
  )
  return new Hono<Connected>()
    .onError((error, c) => {
      deps.log.error({ err: error, route: '/api/comparisons/:slug' }, 'request failed')
      return answer(
        c,
        'Broken',
        'It has been written down, and nothing was half done. Try again in a minute.',
      )
    })
    .use('/api/*', requireToken(deps, answer))
    .get('/api/comparisons/:slug', async (c) => {
      const now = await findRevision(deps.db, slugOf(c))
      if (!now) return nothing(c)
      const etag = etagOf(now)
      if (!isMatched(c, etag)) return changed(c, answer, now, now.document)
      if (!isNamedByNoneMatch(c, etag)) return show(c, now)
      c.header('ETag', etag)
      return c.body(null, 304)
    })
    .put('/api/comparisons/:slug', atMost, async (c) => {
      const body = await readBody(c)
      if (body.kind !== 'text') return answer(c, body.kind, body.problem)
      const read = readDocument(body.text, c.req.param('slug'))
      if (read.kind !== 'read') return faulty(c, answer, read)
      return put(c, deps, answer, read.document)
    })
    .delete('/api/comparisons/:slug', async (c) => {
      const done = await publishIf<Response>(deps, { slug: slugOf(c), by }, (now) => {
        if (!now) return { refusal: nothing(c) }
        const document = { ...now.document, retracted: true }
        return isMatched(c, etagOf(now)) ? { document } : { refusal: changed(c, answer, now, document) }
      })
      if (done.outcome === 'refused') return done.refusal
      tell(deps, 'DELETE', done)
      c.header('ETag', etagOf(done.now))
      return c.body(null, 204)
    })
    .all('/api/comparisons/:slug', (c) => {
      c.header('Allow', methods)
      return answer(c, 'WrongMethod', `A comparison takes ${methods}.`)
    })
    .all('/api/*', (c) => answer(c, 'Unknown', 'Comparisons are under /api/comparisons/, each by its slug.'))
}

async function put(c: Context, deps: ApiDeps, answer: Answer, document: ComparisonDocument) {
  const { slug } = document
  const done = await publishIf<Response>(deps, { slug, by }, (now) => {
    const etag = now && etagOf(now)
    if (!isMatched(c, etag) || isNamedByNoneMatch(c, etag))
      return { refusal: changed(c, answer, now, document) }
    if (now && wouldUndo(c, now, document)) return { refusal: retracted(c, answer, now, document) }
    return { document }
  })
  if (done.outcome === 'refused') return done.refusal
  tell(deps, 'PUT', done)
  c.header('Comparison-Outcome', done.outcome)
  const address = `${deps.config.publicUrl}/api/comparisons/${slug}`
  c.header('Content-Location', address)
  if (done.outcome === 'created') c.header('Location', address)
  return show(c, done.now, done.outcome === 'created' ? 201 : 200)
}

/** What somebody else took back, a program that only says again what it always says must not bring back by chance. */
function wouldUndo(c: Context, now: Revision, document: ComparisonDocument): boolean {
  const isTakenBack = now.document.retracted === true && now.by !== by
  return isTakenBack && !document.retracted && c.req.header('if-match') === undefined
}

/** The document as it is stored: what came is trimmed and normalised, so this is what the tag stands for. */
function show(c: Context, now: Revision, status: 200 | 201 = 200): Response {
  c.header('ETag', etagOf(now))
  c.header('Comparison-Revision', String(now.revision))
  c.header('Cache-Control', 'private, no-cache')
  return c.body(JSON.stringify(now.document), status, { 'Content-Type': 'application/json' })
}

function tell({ log }: ApiDeps, method: string, { outcome, now }: Done): void {
  log.info(
    { method, comparison: now.document.slug, revision: now.revision, outcome },
    'comparison by the api',
  )
}

function slugOf(c: Context): string {
  const slug = c.req.param('slug') ?? ''
  return /^[a-z0-9-]{1,120}$/.test(slug) ? slug : ''
}
