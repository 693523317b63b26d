import type { Context, Hono } from 'hono'
import { z } from 'zod'
import { aftermathOf, reachOf } from '../../delivery/aftermath.ts'
import { choicesOfEditor, type EditorChoice } from '../../delivery/choices-of-editor.ts'
import { whatIsWrong } from '../../delivery/epoch.ts'
import { retryFailed } from '../../delivery/retry-failed.ts'
import { sendNow } from '../../delivery/send-now.ts'
import { decide } from '../../issue/decide.ts'
import { recordDecision } from '../../issue/decision.ts'
import { draftIssue } from '../../issue/draft.ts'
import { findIssue, type Issue } from '../../issue/issue.ts'
import { weekNamed } from '../../issue/week.ts'
import { audienceNow } from '../../subscriber/audience.ts'
import { type Asked, askTwice } from './ask-twice.ts'
import { consequence, doneWords } from './choice-words.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { readFields } from './fields.ts'
import { type Flash, redirectSaying } from './flash.ts'
import { issueNamed } from './issue-named.ts'
import { button } from './issue-panel.ts'
import { deskNotFound } from './page.ts'
import { grouped } from './when.ts'

const actions = ['draft', 'approve', 'hold', 'release', 'send now', 'cancel', 'retry failed'] as const
const states = [
  ...(['scheduled', 'draft', 'approved', 'held', 'quiet', 'missed'] as const),
  ...(['sending', 'paused', 'sent', 'partly sent', 'cancelled'] as const),
]
const asked = z.object({ action: z.enum(actions), from: z.literal('issue').optional().catch(undefined) })
const given = z.object({
  action: z.enum(actions),
  /** The hash of the edition that was on the screen. */
  edition: z
    .string()
    .regex(/^(?:[0-9a-f]{64})?$/)
    .default(''),
  /** Where the issue stood on the screen. */
  state: z.enum(states).optional(),
  sure: z.literal('yes').optional(),
  /** Which page to go back to. */
  from: z.literal('issue').optional(),
})
type Given = z.infer<typeof given>

/** Never done without having been asked, whatever the issue's state was a moment ago. */
const alwaysAsked: ReadonlySet<Given['action']> = new Set(['cancel', 'send now', 'retry failed'])

/** What an editor decides about an issue; what cannot be taken back is asked twice. */
export function decideRoutes(deps: DeskDeps): Hono<DeskEnv> {
  return desk()
    .get('/desk/issues/:week/decide', async (c) => {
      const issue = await issueNamed(deps, c.req.param('week'))
      const query = asked.safeParse(c.req.query())
      const choice = issue && query.success ? await choiceFor(deps, issue, query.data.action) : undefined
      if (!issue || !choice) return deskNotFound(c, deps, 'There is nothing to decide here, or no longer.')
      return askTwice(c, deps, await question(deps, issue, choice, query.data?.from))
    })
    .post('/desk/issues/:week/decide', async (c) => {
      const named = weekNamed(c.req.param('week'), deps.calendar)
      const form = given.safeParse(await readFields(c))
      if (!named || !form.success)
        return deskNotFound(c, deps, 'The form named no issue, or nothing to do with it.')
      const { action, sure, from, state } = form.data
      const issue = await findIssue(deps.db, named.name)
      const choice = issue && (await choiceFor(deps, issue, action))
      if (!sure && (choice?.isFinal || alwaysAsked.has(action))) {
        const isTrue = state === undefined || state === issue?.state
        if (issue && choice && isTrue)
          return c.redirect(`${button(issue, choice).ask}${from ? '&from=issue' : ''}`, 303)
        return redirectSaying(
          c,
          from === 'issue' ? `/desk/issues/${named.name}` : '/desk',
          tooLate(issue, named.name),
        )
      }
      const said = await carryOut(c, deps, named.name, form.data)
      return redirectSaying(c, from === 'issue' ? `/desk/issues/${named.name}` : '/desk', said)
    })
}

async function question(
  deps: DeskDeps,
  issue: Issue,
  choice: EditorChoice,
  from: 'issue' | undefined,
): Promise<Asked> {
  const { readers: count, isEstimate } = await audienceNow(deps.db)
  const readers = `${isEstimate ? 'about ' : ''}${grouped(count)} ${count === 1 ? 'reader' : 'readers'}`
  const { refused } = await aftermathOf(deps.db, issue)
  const { label, path, action, edition, state } = button(issue, choice)
  return {
    ...{ section: 'week', title: `${label}?`, label, path, week: issue.week },
    words: [
      consequence(choice, issue, { readers, refused, reach: await reachOf(deps.db, issue, deps.clock()) }),
    ],
    fields: { action, edition, state, ...(from && { from }), sure: 'yes' },
    back: from ? `/desk/issues/${issue.week}` : '/desk',
  }
}

async function carryOut(
  c: Context<DeskEnv>,
  deps: DeskDeps,
  week: string,
  { action, edition, state }: Given,
): Promise<Flash> {
  const { editor } = c.get('session')
  switch (action) {
    case 'draft':
      return (await whenSeen(deps, week, state)) ?? draftNow(deps, week, editor)
    case 'send now':
      return (await whenSeen(deps, week, state)) ?? sendAtOnce(deps, week, editor, edition)
    case 'retry failed':
      return (await whenSeen(deps, week, state)) ?? retry(deps, week, editor)
    case 'approve':
    case 'hold':
    case 'release':
    case 'cancel': {
      const seen = { state, edition: action === 'approve' ? edition : undefined }
      const decided = await decide(deps, week, action, editor, seen)
      if (!decided.ok) return { kind: 'problem', text: `${decided.problem}. Nothing was changed.` }
      if (decided.already)
        return { kind: 'done', text: `${week} was ${decided.state} already. Nothing was changed.` }
      deps.wake('tick')
      return { kind: 'done', text: doneWords(action, week, decided.state) }
    }
  }
}

/** The answer to a press on a page that is no longer true; undefined when it is. */
async function whenSeen(
  { db }: DeskDeps,
  week: string,
  seen: Issue['state'] | undefined,
): Promise<Flash | undefined> {
  const issue = await findIssue(db, week)
  return seen === undefined || !issue || issue.state === seen ? undefined : tooLate(issue, week)
}

function tooLate(issue: Issue | undefined, week: string): Flash {
  if (!issue) return { kind: 'problem', text: `There is no issue for ${week} yet. Nothing was changed.` }
  const text = `${week} is ${issue.state}: that is not what you saw, or it cannot be done now. Nothing was changed: look at it again.`
  return { kind: 'problem', text }
}

async function sendAtOnce(deps: DeskDeps, week: string, editor: string, seen: string): Promise<Flash> {
  const sent = await sendNow(deps, week, editor, seen)
  if (sent.kind === 'refused') return { kind: 'problem', text: sent.problem }
  deps.wake('tick')
  return { kind: 'done', text: doneWords('send now', week, 'sending') }
}

async function retry(deps: DeskDeps, week: string, editor: string): Promise<Flash> {
  const foreign = await whatIsWrong(deps)
  if (foreign) return { kind: 'problem', text: `${foreign} Nothing was changed.` }
  const retried = await retryFailed(deps, week, editor)
  if (!retried.ok)
    return {
      kind: 'problem',
      text: `${week} is ${retried.state}: the refused cannot be tried now. Nothing was changed.`,
    }
  if (retried.mails === 0)
    return { kind: 'problem', text: `Nothing of ${week} stands refused. Nothing was changed.` }
  deps.wake('tick')
  const mails = `${grouped(retried.mails)} refused ${retried.mails === 1 ? 'mail is' : 'mails are'}`
  return { kind: 'done', text: `${mails} tried again.` }
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

async function choiceFor({ db, clock, rules }: DeskDeps, issue: Issue, action: Given['action']) {
  const { next, others } = choicesOfEditor(issue, clock(), rules, await aftermathOf(db, issue))
  return [...(next ? [next] : []), ...others].find((choice) => choice.action === action)
}
