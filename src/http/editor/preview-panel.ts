import type { Hono } from 'hono'
import { previewEdition } from '../../delivery/preview.ts'
import type { Issue } from '../../issue/issue.ts'
import { inNewTabs } from '../outbox.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { issueNamed } from './issue-named.ts'
import { deskNotFound } from './page.ts'
import { asPreview } from './policy.ts'

/** The edition as a reader gets it, in a frame; undefined while there is none. */
export async function previewPanel(_: DeskDeps, issue: Issue): Promise<Record<string, unknown> | undefined> {
  return issue.edition_hash === null ? undefined : { url: `/desk/issues/${issue.week}/preview` }
}

/** `GET /desk/issues/:week/preview`: what the frame shows. */
export function previewRoutes(deps: DeskDeps): Hono<DeskEnv> {
  return desk().get('/desk/issues/:week/preview', async (c) => {
    const issue = await issueNamed(deps, c.req.param('week'))
    const preview = issue?.edition_hash ? await previewEdition(deps, issue) : undefined
    return preview?.kind === 'preview'
      ? asPreview(c).html(inNewTabs(preview.html))
      : deskNotFound(c, deps, 'There is no edition to show.')
  })
}
