import type { Hono } from 'hono'
import { z } from 'zod'
import { categoriesOf } from '../../delivery/choice.ts'
import { sendTestAs, type Tested, type TestKind } from '../../delivery/test-send.ts'
import { recordDecision } from '../../issue/decision.ts'
import type { Issue } from '../../issue/issue.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { readFields } from './fields.ts'
import { type Flash, redirectSaying } from './flash.ts'
import { issueNamed } from './issue-named.ts'
import { openTestLimit } from './limits.ts'
import { deskNotFound, deskPage } from './page.ts'

const asked = z.object({ as: z.string().max(300).catch('weekly') })
const given = z.object({
  to: z.string().max(320).default(''),
  as: z.string().max(300).default('weekly').transform(kindOf),
})

/** `/desk/issues/:week/test`: one copy of the issue to an editor, the real thing through the real transport. */
export function testSendRoutes(deps: DeskDeps): Hono<DeskEnv> {
  const mayTest = openTestLimit(deps)
  return desk()
    .get('/desk/issues/:week/test', async (c) => {
      const issue = await issueNamed(deps, c.req.param('week'))
      if (!issue?.edition_hash) return deskNotFound(c, deps, nothingToSend)
      const kinds = await kindsFor(deps, issue)
      const wanted = asked.parse(c.req.query()).as
      const chosen = kinds.some(({ value }) => value === wanted) ? wanted : 'weekly'
      const { editor } = c.get('session')
      return deskPage(c, deps, 'desk-test', {
        ...{ section: 'week', title: 'Send a test' },
        data: {
          ...{
            week: issue.week,
            path: `/desk/issues/${issue.week}/test`,
            back: `/desk/issues/${issue.week}`,
          },
          kinds: kinds.map((kind) => ({ ...kind, checked: kind.value === chosen })),
          editors: deps.editors.map((address) => ({
            address,
            isSelf: address === editor,
            checked: address === editor,
          })),
        },
      })
    })
    .post('/desk/issues/:week/test', async (c) => {
      const issue = await issueNamed(deps, c.req.param('week'))
      if (!issue?.edition_hash) return deskNotFound(c, deps, nothingToSend)
      const form = given.safeParse(await readFields(c))
      const { editor } = c.get('session')
      const page = `/desk/issues/${issue.week}/test`
      const to = form.success && deps.editors.find((address) => address === form.data.to)
      if (!form.success || !to) return redirectSaying(c, page, { kind: 'problem', text: notAnEditor })
      if (!(await mayTest(editor))) return redirectSaying(c, page, { kind: 'problem', text: tooMany })
      const tested = await sendTestAs(deps, issue, form.data.as, to)
      await record(deps, issue, editor, { as: form.data.as, isSelf: to === editor, tested })
      return redirectSaying(c, page, inWords(tested, issue.week, to, deps.hasOutbox))
    })
}

const nothingToSend = 'There is no edition to test: the issue has not been drafted.'
const notAnEditor = 'Nothing was sent: a test goes to an editor only. Choose one of them.'
const tooMany =
  'Nothing was sent: that were many tests in a short time. Wait a quarter of an hour, then send another one.'

async function kindsFor({ db }: DeskDeps, issue: Issue) {
  const categories = await categoriesOf(db, issue.id)
  return [
    { value: 'weekly', label: 'Every week', hint: 'The edition as it is.' },
    {
      value: 'monthly',
      label: 'Once a month',
      hint: 'Last month’s verdicts, in the first issue of a month.',
    },
    ...categories.map((category) => ({
      ...{ value: `follows:${category}`, label: `Follows ${category}` },
      hint: 'Only what is in that category.',
    })),
  ]
}

/** `monthly`, `follows:Developer Tools`; anything else is everybody's edition. */
function kindOf(value: string): TestKind {
  if (value.startsWith('follows:')) return { kind: 'follows', category: value.slice('follows:'.length) }
  return value === 'monthly' ? { kind: 'monthly' } : { kind: 'weekly' }
}

async function record(
  { db, clock }: DeskDeps,
  issue: Issue,
  by: string,
  { as, isSelf, tested }: { as: TestKind; isSelf: boolean; tested: Tested },
): Promise<void> {
  const came = tested.kind === 'sent' ? tested.outcome : undefined
  const evidence = {
    ...{ as: as.kind === 'follows' ? `follows ${as.category}` : as.kind },
    ...{ to: isSelf ? 'themselves' : 'another editor', outcome: came?.kind ?? 'nothing to send' },
    ...(tested.kind === 'sent' && { edition: tested.hash }),
    ...(came?.kind === 'accepted' && { id: came.providerIds[0] ?? '' }),
  }
  await db
    .transaction()
    .execute((trx) =>
      recordDecision(trx, { at: clock(), by, what: 'test send', issueId: issue.id, evidence }),
    )
}

function inWords(tested: Tested, week: string, to: string, hasOutbox: boolean): Flash {
  if (tested.kind === 'nothing')
    return {
      kind: 'problem',
      text: `Nothing was sent: such a reader gets nothing of ${week} (${tested.reason}).`,
    }
  const { outcome } = tested
  const problem = (text: string): Flash => ({ kind: 'problem', text: text.slice(0, 900) })
  switch (outcome.kind) {
    case 'accepted':
      return {
        kind: 'done',
        text: hasOutbox
          ? `Accepted: the test to ${to} lies in the outbox.`
          : `Accepted: the test is on its way to ${to}.`,
      }
    case 'rejected':
      return problem(`Refused: ${outcome.reason}. Nothing was sent.`)
    case 'retry':
      return problem(`Not now: ${outcome.reason}. Nothing was sent; try again in a minute.`)
    case 'halt':
      return problem(`No mail can leave: ${outcome.reason}. Nothing was sent, and no issue would be either.`)
    case 'unknown':
      return problem(
        `Nobody knows whether it left: ${outcome.reason}. Look into the mailbox of ${to} before you send another one.`,
      )
  }
}
