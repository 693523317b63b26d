import type { Context, Hono } from 'hono'
import { z } from 'zod'
import { type Preview, previewEdition } from '../../delivery/preview.ts'
import { webVersion } from '../../delivery/web-version.ts'
import type { Issue } from '../../issue/issue.ts'
import { writeMessage } from '../../mail/message.ts'
import { parseAddress } from '../../subscriber/address.ts'
import { beginningOf, readerAt, readersBeginning } from '../../subscriber/find.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { readFields } from './fields.ts'
import { issueNamed } from './issue-named.ts'
import { framed, mailFrame } from './mail-frame.ts'
import { deskNotFound, deskPage } from './page.ts'
import { asPreview } from './policy.ts'
import { previewPanel } from './preview-panel.ts'
import { previewQuery } from './preview-views.ts'

const suggestions = 10
const sought = z.object({
  address: z.string().trim().max(254).catch(''),
  view: previewQuery.shape.view,
})

/** What stands behind the preview pane: its frame, its files, the search for a reader, and where links of a frame lead. */
export function previewRoutes(deps: DeskDeps): Hono<DeskEnv> {
  return desk()
    .get('/desk/issues/:week/preview', async (c) => {
      const found = await previewed(deps, c)
      if (!found) return deskNotFound(c, deps, 'There is no edition to show.')
      const { view } = previewQuery.parse(c.req.query())
      const html = await frameFor(deps, found, view)
      return asPreview(c, { images: view !== 'images' }).html(html)
    })
    .get('/desk/issues/:week/preview/pane', async (c) => {
      const issue = await issueNamed(deps, c.req.param('week'))
      const preview = issue && (await previewPanel(deps, issue, c.req.query()))
      if (!preview) return deskNotFound(c, deps, 'There is no edition to show.')
      return c.html(deps.pages('desk-pane', { preview, desk: { token: c.get('session').token } }))
    })
    .get('/desk/issues/:week/preview/:file{issue\\.(html|txt|eml)}', async (c) => {
      const found = await previewed(deps, c)
      return found ? download(c, deps, found.preview) : deskNotFound(c, deps, 'There is no edition to keep.')
    })
    .post('/desk/issues/:week/preview/reader', (c) => findOnlooker(c, deps))
    .get('/desk/preview-link/:name{.+}', (c) => {
      const link = linkNames.find((name) => linkPaths[name].test(c.req.param('name')))
      return link
        ? linkPage(c, deps, linkWords[link])
        : deskNotFound(c, deps, 'No link of a mail leads here.')
    })
}

/** What a reader's own link is, where an editor pressed it. */
function linkPage(c: Context<DeskEnv>, deps: DeskDeps, { title, lede }: LinkWords) {
  const link = { url: '/desk/issues', label: 'Back to the issues' }
  return deskPage(c, deps, 'desk-message', { ...{ section: undefined, title }, data: { lede, link } })
}

type Found = { readonly issue: Issue; readonly preview: Preview }

/** The mail that an address asks for; undefined when there is no such issue, or nothing of it for this reader. */
async function previewed(deps: DeskDeps, c: Context): Promise<Found | undefined> {
  const issue = await issueNamed(deps, c.req.param('week') ?? '')
  if (!issue?.edition_hash) return undefined
  const preview = await previewEdition(deps, issue, previewQuery.parse(c.req.query()).as)
  return preview.kind === 'preview' ? { issue, preview } : undefined
}

async function frameFor(deps: DeskDeps, { issue, preview }: Found, view: string): Promise<string> {
  if (view === 'web' && issue.edition_hash)
    return framed(await webVersion(deps, { ...issue, editionHash: issue.edition_hash }), 'light')
  const shade = view === 'dark' ? 'dark' : 'light'
  return mailFrame(preview.edition, { publicUrl: deps.wire.publicUrl, links: preview.links, shade })
}

/** The exact bytes, to keep: one part, or the whole mail as it is written for SMTP and the outbox. */
async function download(c: Context, { clock }: DeskDeps, { week, mail }: Preview): Promise<Response> {
  const kind = /\.(html|txt|eml)$/.exec(c.req.path)?.[1]
  const [body, type] =
    kind === 'eml'
      ? [new Uint8Array(await writeMessage(mail, clock())), 'message/rfc822']
      : kind === 'txt'
        ? [mail.text, 'text/plain; charset=utf-8']
        : [mail.html, 'text/html; charset=utf-8']
  return asPreview(c).body(body, 200, {
    'Content-Type': type,
    'Content-Disposition': `attachment; filename="${week}.${kind}"`,
  })
}

/** From an address, or how it begins, to the preview as that reader; their address goes no further than this form. */
async function findOnlooker(c: Context<DeskEnv>, deps: DeskDeps): Promise<Response> {
  const issue = await issueNamed(deps, c.req.param('week') ?? '')
  if (!issue?.edition_hash) return deskNotFound(c, deps, 'There is no edition to show.')
  const { address, view } = sought.parse(await readFields(c))
  const whole = parseAddress(address)
  const exact = whole.ok ? await readerAt(deps.db, whole.address) : undefined
  const found = exact || address === '' ? [] : await readersBeginning(deps.db, beginningOf(address), most)
  const page = `/desk/issues/${issue.week}`
  const asReader = (publicId: string) => `${page}?${new URLSearchParams({ view, as: publicId })}#edition`
  const only = exact?.public_id ?? (found.length === 1 ? found[0]?.publicId : undefined)
  if (only) return c.redirect(asReader(only), 303)
  return deskPage(c, deps, 'desk-onlooker', {
    ...{ section: 'issues', title: 'Whose mail?', status: found.length === 0 ? 422 : 200 },
    data: {
      ...{ week: issue.week, page, view, address, isMore: found.length > suggestions },
      problem: found.length > 0 ? '' : address === '' ? 'Type an address, or how it begins.' : nobody,
      readers: found
        .slice(0, suggestions)
        .flatMap(({ publicId, address: whose, status, cadence }) =>
          publicId && whose ? [{ address: whose, status, cadence, url: asReader(publicId) }] : [],
        ),
    },
  })
}

const most = { most: suggestions + 1 }
const nobody = 'Nobody’s address begins like that. A search goes by the beginning of the whole address.'
const linkNames = ['unsubscribe', 'preferences', 'web', 'vote', 'follow'] as const
type LinkName = (typeof linkNames)[number]

/** What stands behind `/desk/preview-link/` in the place of each of a reader's own links (`mail-frame.ts`). */
const linkPaths: Readonly<Record<LinkName, RegExp>> = {
  unsubscribe: /^unsubscribe$/,
  preferences: /^preferences$/,
  web: /^web$/,
  vote: /^vote\.\d{4}-W\d{2}\.[a-z0-9-]+(\.(ship|skip))?$/,
  follow: /^preferences\/follow\/[a-z0-9-]+$/,
}

type LinkWords = { readonly title: string; readonly lede: string }

const linkWords: Readonly<Record<LinkName, LinkWords>> = {
  unsubscribe: {
    title: 'The way off the list',
    lede: 'In the mail this link takes the reader to the page where they leave the list. In a preview it leads here and does nothing.',
  },
  preferences: {
    title: 'What the reader gets',
    lede: 'In the mail this link takes the reader to their own preferences. In a preview it leads here and changes nothing.',
  },
  vote: {
    title: 'The reader’s vote',
    lede: 'In the mail this link takes the reader to the page where they vote on the tool, with the answer that they pressed. In a preview it leads here and counts nothing.',
  },
  follow: {
    title: 'What the reader follows',
    lede: 'In the mail this link takes the reader to a page of their own, with the comparison’s tools and category to follow. In a preview it leads here and changes nothing.',
  },
  web: {
    title: 'The issue on the web',
    lede: 'In the mail this link leads to the issue’s public page, which is there once the issue has begun to go out. Until then, look at “Web version” in the preview.',
  },
}
