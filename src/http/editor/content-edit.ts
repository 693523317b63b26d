import type { Context, Hono } from 'hono'
import { z } from 'zod'
import { contentOf } from '../../issue/content.ts'
import { currentEdits, latestEdits } from '../../issue/edit-history.ts'
import { type IssueEdits, isSame, noEdits } from '../../issue/edits.ts'
import type { Issue } from '../../issue/issue.ts'
import { backToRevision, type SavedEdits, saveEdits, stepEdits } from '../../issue/save-edits.ts'
import { readContent, type TypedContent, withoutIdleOrder } from './content-form.ts'
import { staleView } from './content-stale.ts'
import { clockTime, savedWords, sinceWords } from './content-words.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { readFields } from './fields.ts'
import { redirectSaying } from './flash.ts'
import { issueNamed } from './issue-named.ts'
import { showIssue } from './one-issue.ts'
import { deskNotFound } from './page.ts'

const revision = z.coerce.number().int().min(0).max(2_147_483_647)
const query = z.object({ after: revision.optional().catch(undefined) })

/**
 * What an editor corrects in an issue: the whole form saved at once, undo and redo, and back to any revision. A script
 * that asks for JSON gets the same in figures; without one each answer is a page.
 */
export function contentEditRoutes(deps: DeskDeps): Hono<DeskEnv> {
  return desk()
    .get('/desk/issues/:week/revision', async (c) => {
      const issue = await issueNamed(deps, c.req.param('week'))
      if (!issue) return c.json({ kind: 'refused', problem: 'There is no such issue.' }, 404)
      const { after = 0 } = query.parse(c.req.query())
      const since = await latestEdits(deps.db, issue.id, { most: 5, since: after })
      const newest = since[0]
      return c.json({
        ...{ revision: newest?.revision ?? after, hash: issue.edition_hash, state: issue.state },
        ...{ by: newest?.by ?? '', words: newest ? sinceWords(since, issue.timezone) : '' },
      })
    })
    .post('/desk/issues/:week/content', (c) =>
      withTyped(deps, c, (issue, typed) => save(deps, c, issue, typed)),
    )
    .post('/desk/issues/:week/content/undo', (c) => step(deps, c, 'undo'))
    .post('/desk/issues/:week/content/redo', (c) => step(deps, c, 'redo'))
    .post('/desk/issues/:week/content/reset', (c) =>
      withTyped(deps, c, (issue, typed) => save(deps, c, issue, { ...typed, edits: noEdits, problem: '' })),
    )
    .post('/desk/issues/:week/content/back/:to', (c) =>
      withTyped(deps, c, async (issue, typed) => {
        const to = revision.safeParse(c.req.param('to'))
        if (!to.success) return { kind: 'refused', problem: 'There is no such revision.' }
        return afterTyped(deps, c, issue, typed, (base) =>
          backToRevision(deps, issue.week, to.data, { base, by: c.get('session').editor }),
        )
      }),
    )
}

function step(deps: DeskDeps, c: Context<DeskEnv>, which: 'undo' | 'redo'): Promise<Response> {
  return withTyped(deps, c, (issue, typed) =>
    afterTyped(deps, c, issue, typed, (base) =>
      stepEdits(deps, issue.week, which, { base, by: c.get('session').editor }),
    ),
  )
}

/** Reads the form, does what it asks for, and answers; whatever could not be saved is on the page again as it was typed. */
async function withTyped(
  deps: DeskDeps,
  c: Context<DeskEnv>,
  act: (issue: Issue, typed: TypedContent) => Promise<SavedEdits>,
): Promise<Response> {
  const issue = await issueNamed(deps, c.req.param('week') ?? '')
  if (!issue) return deskNotFound(c, deps, 'There is no issue for that week, or it is no week.')
  const typed = readContent(await readFields(c))
  if (!typed) return deskNotFound(c, deps, 'The form was not complete, so nothing was changed.')
  const saved = await act(issue, typed)
  if (saved.kind === 'saved') deps.wake('tick')
  return /json/.test(c.req.header('accept') ?? '')
    ? asJson(deps, c, issue, saved)
    : asPage(deps, c, issue, typed, saved)
}

async function save(
  deps: DeskDeps,
  c: Context<DeskEnv>,
  issue: Issue,
  { edits, base, onto, problem }: TypedContent,
): Promise<SavedEdits> {
  if (problem) return { kind: 'refused', problem: `${problem} Nothing was saved.` }
  const by = c.get('session').editor
  return saveEdits(deps, issue.week, { base, onto, by, edits: await lean(deps, issue, edits) })
}

/** Saves what was typed first, where that is anything, so that going back loses nothing that cannot be had again. */
async function afterTyped(
  deps: DeskDeps,
  c: Context<DeskEnv>,
  issue: Issue,
  typed: TypedContent,
  goBack: (base: number) => Promise<SavedEdits>,
): Promise<SavedEdits> {
  const now = await currentEdits(deps.db, issue.id)
  const isTyped = typed.base === now.revision && !isSame(await lean(deps, issue, typed.edits), now.edits)
  const saved = isTyped ? await save(deps, c, issue, typed) : undefined
  if (saved && saved.kind !== 'saved' && saved.kind !== 'unchanged') return saved
  return goBack(saved?.revision ?? typed.base)
}

/** Without an order that is the generated one, those that are left out included: they come back to their place. */
async function lean(deps: DeskDeps, issue: Issue, edits: IssueEdits): Promise<IssueEdits> {
  const { comparisons } = await contentOf(deps, issue, { ...edits, leftOut: [] })
  return withoutIdleOrder(edits, comparisons)
}

async function asPage(
  deps: DeskDeps,
  c: Context<DeskEnv>,
  issue: Issue,
  { edits, base }: TypedContent,
  saved: SavedEdits,
): Promise<Response> {
  const page = `/desk/issues/${issue.week}`
  switch (saved.kind) {
    case 'saved':
      return redirectSaying(c, page, { kind: 'done', text: savedWords(saved, issue.timezone) })
    case 'unchanged':
      return redirectSaying(c, page, { kind: 'done', text: 'Nothing was different, so nothing was changed.' })
    case 'stale':
      return showIssue(c, deps, issue, { status: 409, notSaved: { edits, base, problem: '', stale: saved } })
    case 'refused':
      return showIssue(c, deps, issue, { status: 422, notSaved: { edits, base, problem: saved.problem } })
  }
}

function asJson(deps: DeskDeps, c: Context<DeskEnv>, issue: Issue, saved: SavedEdits) {
  const { timezone } = issue
  switch (saved.kind) {
    case 'saved':
      return c.json({
        ...{ kind: 'saved', revision: saved.revision, hash: saved.hash, state: saved.state },
        ...{ at: clockTime(saved.at, timezone), words: savedWords(saved, timezone) },
      })
    case 'unchanged':
      return c.json({ ...saved, words: `Everything is saved · revision ${saved.revision}` })
    case 'stale':
      return c.json(
        {
          ...{ kind: 'stale', revision: saved.revision, words: sinceWords(saved.since, timezone) },
          html: deps.pages('desk-content-stale', { stale: staleView(saved, issue) }),
        },
        409,
      )
    case 'refused':
      return c.json(saved, 422)
  }
}
