import { createHash } from 'node:crypto'
import { categoriesOf, choiceOfEverybody } from '../../delivery/choice.ts'
import { type NoPreview, type Onlooker, type Preview, previewEdition } from '../../delivery/preview.ts'
import type { Issue } from '../../issue/issue.ts'
import type { DeskDeps } from './desk.ts'
import { asWritten, frameNote, previewQuery, type View, views } from './preview-views.ts'
import { grouped } from './when.ts'

const framedViews: readonly View[] = ['phone', 'desktop', 'dark', 'images', 'web']

/** The edition as a reader gets it, in the way that `query` asks for; undefined while there is none. */
export async function previewPanel(
  deps: DeskDeps,
  issue: Issue,
  query: Readonly<Record<string, string>> = {},
): Promise<Record<string, unknown> | undefined> {
  if (issue.edition_hash === null) return undefined
  const { view, as } = previewQuery.parse(query)
  const preview = await previewEdition(deps, issue, as)
  const corrects = (await choiceOfEverybody(deps.db, issue.id)) !== 'weekly'
  const page = `/desk/issues/${issue.week}`
  const chosen = views.find((one) => one.view === view)
  const isFramed = framedViews.includes(view)
  return {
    ...{ page, view, as: asWritten(as), who: whoOf(as, preview, corrects), hash: issue.edition_hash },
    tabs: views.map((one) => ({
      ...{ view: one.view, label: one.label, isCurrent: one.view === view },
      url: addressOf(page, one.view, as),
    })),
    kinds: (await kindsOf(deps, issue, corrects)).map(({ label, onlooker }) => ({
      ...{ label, url: addressOf(page, view, onlooker) },
      isCurrent: asWritten(onlooker) === asWritten(as),
    })),
    diff: `${page}/diff`,
    note: chosen?.note ?? '',
    frameNote: isFramed ? frameNote : '',
    ...(preview.kind === 'preview'
      ? contentOf(preview, issue, view, isFramed ? frameUrl(page, view, as) : '')
      : { ...nothing, nothing: whyNothing(preview) }),
  }
}

/** What the pane holds for a mail in one view; fields that this view does not have are empty. */
function contentOf(preview: Preview, issue: Issue, view: View, frame: string) {
  const { hash, html, text, sizes, subject, preheader, mail } = preview
  return {
    ...{ nothing: '', subject, preheader, frame, isPhone: view === 'phone' || view === 'dark' },
    edition: hash.slice(0, 12),
    isVariant: hash !== issue.edition_hash,
    main: issue.edition_hash?.slice(0, 12) ?? '',
    bytes: grouped(sizes.html),
    sum: sumOf(html),
    hasNoImages: view === 'images' && !/<img\b/i.test(html),
    text: view === 'text' ? text : '',
    textBytes: grouped(sizes.text),
    source: view === 'source' ? html : '',
    headers: view === 'headers' ? headersOf(mail, issue.week) : [],
  }
}

const nothing = {
  ...{ subject: '', preheader: '', frame: '', isPhone: false, edition: '', isVariant: false, main: '' },
  ...{ bytes: '', sum: '', hasNoImages: false, text: '', textBytes: '', source: '', headers: [] },
}

function headersOf({ from, to, replyTo, subject, headers, tags }: Preview['mail'], week: string) {
  const { batch: _, ...own } = tags
  const rows = {
    ...{
      From: from,
      To: to,
      'Reply-To': replyTo ?? 'none: answers go to From',
      Subject: subject,
      ...headers,
    },
    ...Object.fromEntries(Object.entries(own).map(([name, value]) => [`Tag ${name}`, value])),
    'Tag batch': 'the batch’s own id, made when the issue is planned',
    'Idempotency-Key': `wv1/${week}/BATCH/GENERATION, the same on every attempt`,
  }
  return Object.entries(rows).map(([name, value]) => ({ name, value }))
}

const weekly = { kind: 'weekly' } as const

/** Whoever can be picked without an address: the kinds of reader that there can be of this issue. */
async function kindsOf({ db }: DeskDeps, issue: Issue, corrects: boolean) {
  const categories = await categoriesOf(db, issue.id)
  return [
    ...(corrects ? [{ label: 'A weekly reader, told otherwise before', onlooker: weekly }] : []),
    { label: 'A new reader, weekly', onlooker: corrects ? ({ kind: 'new' } as const) : weekly },
    { label: 'A monthly reader', onlooker: { kind: 'monthly' } as const },
    ...categories.map((category) => ({
      ...{ label: `Follows only ${category}`, onlooker: { kind: 'follows', category } as const },
    })),
  ]
}

function whoOf(as: Onlooker, preview: Preview | NoPreview, corrects: boolean): string {
  switch (as.kind) {
    case 'weekly':
      return corrects ? 'a weekly reader gets it who was told otherwise before' : 'a new reader gets it'
    case 'new':
      return 'a new reader gets it'
    case 'monthly':
      return 'a monthly reader gets it'
    case 'follows':
      return `somebody gets it who follows only ${as.category}`
    case 'reader':
    case 'address':
      return preview.kind === 'preview' ? `${preview.mail.to} gets it` : 'this reader gets it'
  }
}

function whyNothing(preview: NoPreview): string {
  return preview.kind === 'no such reader'
    ? 'There is no such reader any more. Pick somebody else.'
    : `Nothing of this issue reaches them: ${preview.reason}.`
}

function addressOf(page: string, view: View, as: Onlooker): string {
  return `${page}?${new URLSearchParams({ view, as: asWritten(as) })}#edition`
}

function frameUrl(page: string, view: View, as: Onlooker): string {
  return `${page}/preview?${new URLSearchParams({ view, as: asWritten(as) })}`
}

function sumOf(html: string): string {
  return createHash('sha256').update(html).digest('hex')
}
