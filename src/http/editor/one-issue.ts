import type { Context, Hono } from 'hono'
import type { Issue } from '../../issue/issue.ts'
import { listSittings } from '../../issue/list-sittings.ts'
import { contentPanel, type NotSaved } from './content-panel.ts'
import { correctionsPanel } from './corrections-panel.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { doubtPanel } from './doubt-panel.ts'
import { issueNamed } from './issue-named.ts'
import { issuePanel } from './issue-panel.ts'
import { decisionRow } from './log.ts'
import { deskNotFound, deskPage } from './page.ts'
import { preflightPanel } from './preflight-panel.ts'
import { previewPanel } from './preview-panel.ts'
import { sendingPanel } from './sending-panel.ts'

/** `GET /desk/issues/:week`: one issue on the bench. Left what can be done to it, right the edition; each panel has a file of its own. */
export function oneIssueRoutes(deps: DeskDeps): Hono<DeskEnv> {
  return desk().get('/desk/issues/:week', async (c) => {
    const issue = await issueNamed(deps, c.req.param('week'))
    if (!issue) return deskNotFound(c, deps, 'There is no issue for that week, or it is no week.')
    return showIssue(c, deps, issue)
  })
}

/** Answers with an issue's page; `notSaved` is what an editor typed and has to see again. */
export async function showIssue(
  c: Context<DeskEnv>,
  deps: DeskDeps,
  issue: Issue,
  { status = 200, notSaved }: { status?: 200 | 409 | 422; notSaved?: NotSaved } = {},
): Promise<Response> {
  const content = await contentPanel(deps, issue, notSaved)
  const { sittings } = await listSittings(deps.db, { issueId: issue.id, most: 20 })
  return deskPage(c, deps, 'desk-one-issue', {
    ...{ section: 'issues', title: issue.week, status },
    scripts: [
      'desk-preview.js',
      'desk-preflight.js',
      'desk-sending.js',
      ...(content ? ['sortable.js', 'desk-content.js'] : []),
    ],
    data: {
      issue: await issuePanel(deps, issue),
      content,
      corrections: await correctionsPanel(deps, issue),
      preview: await previewPanel(deps, issue, c.req.query()),
      preflight: await preflightPanel(deps, issue),
      sending: await sendingPanel(deps, issue),
      doubt: await doubtPanel(deps, issue),
      decisions: sittings.map((one) => decisionRow(one, issue.timezone)),
    },
  })
}
