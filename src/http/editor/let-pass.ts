import type { Context, Hono } from 'hono'
import { z } from 'zod'
import { letPass, reasonLength } from '../../delivery/let-pass.ts'
import { blocksOf } from '../../delivery/preflight.ts'
import type { Issue } from '../../issue/issue.ts'
import { type Finding, isLine, judgements } from '../../issue/preflight/finding.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { readFields } from './fields.ts'
import { redirectSaying } from './flash.ts'
import { issueNamed } from './issue-named.ts'
import { deskNotFound, deskPage } from './page.ts'

const given = z.object({
  /** The hash of the edition that was on the screen. */
  edition: z.string().regex(/^[0-9a-f]{64}$/),
  reason: z.string().trim().max(5_000).default(''),
})

const path = '/desk/issues/:week/let-pass/:line'

/** An editor says that an issue goes all the same, with a reason: only what is a matter of judgement can be let pass. */
export function letPassRoutes(deps: DeskDeps): Hono<DeskEnv> {
  return desk()
    .get(path, async (c) => {
      const asked = await blockNamed(deps, c.req.param())
      return asked ? form(c, deps, asked, '', '') : deskNotFound(c, deps, nothing)
    })
    .post(path, async (c) => {
      const asked = await blockNamed(deps, c.req.param())
      const fields = given.safeParse(await readFields(c))
      if (!asked || !fields.success) return deskNotFound(c, deps, nothing)
      const { reason, edition } = fields.data
      if (reason.length < reasonLength.least) return form(c, deps, asked, reason, tooShort)
      if (reason.length > reasonLength.most) return form(c, deps, asked, reason, tooLong)
      const { issue, block } = asked
      const why = await letPass(
        deps,
        issue.week,
        { line: block.id, edition, reason },
        c.get('session').editor,
      )
      const page = `/desk/issues/${issue.week}#preflight`
      if (why !== undefined)
        return redirectSaying(c, page, { kind: 'problem', text: `${why} Nothing was changed.` })
      deps.wake('tick')
      return redirectSaying(c, page, {
        ...{
          kind: 'done',
          text: `“${block.title}” no longer stops ${issue.week}, as long as its edition stays as it is.`,
        },
      })
    })
}

const nothing = 'Nothing stops this issue that could be let pass, or no longer.'
const tooShort = `Say why in ${reasonLength.least} characters or more: whoever reads the log has to understand it.`
const tooLong = `Say it in ${reasonLength.most} characters or fewer.`

type Asked = { readonly issue: Issue; readonly block: Finding }

async function blockNamed(
  deps: DeskDeps,
  { week, line }: { week: string; line: string },
): Promise<Asked | undefined> {
  const issue = await issueNamed(deps, week)
  if (!issue?.edition_hash || issue.planned_at !== null || !isLine(line) || !judgements.includes(line))
    return undefined
  const block = (await blocksOf(deps, issue)).find(({ id }) => id === line)
  return block && { issue, block }
}

function form(
  c: Context<DeskEnv>,
  deps: DeskDeps,
  { issue, block }: Asked,
  reason: string,
  problem: string,
): Promise<Response> {
  const { week, edition_hash } = issue
  return deskPage(c, deps, 'desk-let-pass', {
    ...{ section: 'issues', title: `Send ${week} all the same?`, status: problem ? 422 : 200 },
    data: {
      ...{ week, problem, reason, edition: edition_hash ?? '', title: block.title },
      ...{ what: block.what, evidence: block.evidence, most: reasonLength.most },
      ...{ path: `/desk/issues/${week}/let-pass/${block.id}`, back: `/desk/issues/${week}#preflight` },
    },
  })
}
