import type { Context, Hono } from 'hono'
import { z } from 'zod'
import { choicesOfEditor, type EditorAction } from '../../delivery/choices-of-editor.ts'
import { sendNow } from '../../delivery/send-now.ts'
import { decide } from '../../issue/decide.ts'
import { recordDecision } from '../../issue/decision.ts'
import { draftIssue } from '../../issue/draft.ts'
import { findIssue, type Issue } from '../../issue/issue.ts'
import { weekNamed } from '../../issue/week.ts'
import { audienceNow } from '../../subscriber/audience.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { readFields } from './fields.ts'
import { type Flash, redirectSaying } from './flash.ts'
import { button } from './issue-panel.ts'
import { consequence, doneWords } from './issue-words.ts'
import { deskNotFound, deskPage } from './page.ts'
import { grouped } from './when.ts'

const actions = ['draft', 'approve', 'hold', 'release', 'send now', 'cancel'] as const
const asked = z.object({ action: z.enum(actions) })
const given = z.object({
  action: z.enum(actions),
  /** The hash of the edition that was on the screen. */
  edition: z
    .string()
    .regex(/^(?:[0-9a-f]{64})?$/)
    .default(''),
  sure: z.literal('yes').optional(),
  /** Which page to go back to. */
  from: z.literal('issue').optional(),
})

/** What an editor decides about an issue; what cannot be taken back is asked twice. */
export function decideRoutes(deps: DeskDeps): Hono<DeskEnv> {
  return desk()
    .get('/desk/issues/:week/decide', async (c) => {
      const issue = await issueOf(deps, c.req.param('week'))
      const query = asked.safeParse(c.req.query())
      const choice = issue && query.success ? choiceFor(deps, issue, query.data.action) : undefined
      if (!issue || !choice) return deskNotFound(c, deps, 'There is nothing to decide here, or no longer.')
      const { readers, isEstimate } = await audienceNow(deps.db)
      const who = `${isEstimate ? 'about ' : ''}${grouped(readers)} ${readers === 1 ? 'reader' : 'readers'}`
      return deskPage(c, deps, 'desk-sure', {
        ...{ section: 'week', title: `${button(issue, choice).label}?` },
        data: { week: issue.week, words: consequence(choice, issue, who), ...button(issue, choice) },
      })
    })
    .post('/desk/issues/:week/decide', async (c) => {
      const { week } = c.req.param()
      const form = given.safeParse(await readFields(c))
      const named = weekNamed(week, deps.calendar)
      if (!named || !form.success)
        return deskNotFound(c, deps, 'The form named no issue, or nothing to do with it.')
      const { action, edition, sure, from } = form.data
      const issue = await findIssue(deps.db, named.name)
      const choice = issue && choiceFor(deps, issue, action)
      if (issue && choice?.isFinal && !sure) return c.redirect(button(issue, choice).ask, 303)
      const said = await carryOut(c, deps, week, action, edition)
      return redirectSaying(c, from === 'issue' ? `/desk/issues/${named.name}` : '/desk', said)
    })
}

async function carryOut(
  c: Context<DeskEnv>,
  deps: DeskDeps,
  week: string,
  action: EditorAction,
  seen: string,
): Promise<Flash> {
  const { editor } = c.get('session')
  switch (action) {
    case 'draft':
      return draftNow(deps, week, editor)
    case 'send now': {
      const sent = await sendNow(deps, week, editor, seen)
      if (sent.kind === 'refused') return { kind: 'problem', text: sent.problem }
      deps.wake('tick')
      return { kind: 'done', text: doneWords(action, week, 'sending') }
    }
    case 'approve':
    case 'hold':
    case 'release':
    case 'cancel': {
      const decided = await decide(deps, week, action, editor, action === 'approve' ? seen : undefined)
      if (!decided.ok) return { kind: 'problem', text: `${decided.problem}. Nothing was changed.` }
      deps.wake('tick')
      return { kind: 'done', text: doneWords(action, week, decided.state) }
    }
  }
}

async function draftNow(deps: DeskDeps, name: string, editor: string): Promise<Flash> {
  const week = weekNamed(name, deps.calendar)
  if (!week) return { kind: 'problem', text: `${name} is no week.` }
  const { outcome, state } = await draftIssue(deps, week)
  if (outcome === 'unchanged')
    return { kind: 'problem', text: `${name} is ${state}: it is not drafted any more. Nothing was changed.` }
  const issue = await findIssue(deps.db, name)
  await deps.db.transaction().execute((trx) =>
    recordDecision(trx, {
      ...{ at: deps.clock(), by: editor, what: 'draft', ...(issue && { issueId: issue.id }) },
      evidence: issue?.edition_hash ? { edition: issue.edition_hash } : {},
    }),
  )
  return { kind: 'done', text: doneWords('draft', name, state) }
}

function choiceFor({ clock, rules }: DeskDeps, issue: Issue, action: EditorAction) {
  const { next, others } = choicesOfEditor(issue, clock(), rules)
  return [...(next ? [next] : []), ...others].find((choice) => choice.action === action)
}

function issueOf({ db, calendar }: DeskDeps, week: string): Promise<Issue | undefined> {
  const named = weekNamed(week, calendar)
  return named ? findIssue(db, named.name) : Promise.resolve(undefined)
}
