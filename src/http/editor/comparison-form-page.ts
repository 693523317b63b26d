import type { Context } from 'hono'
import type { Use } from '../../issue/where-used.ts'
import type { ComparisonDocument } from '../../verdict/document.ts'
import { lenses, lensName } from '../../verdict/review.ts'
import type { Revision } from '../../verdict/revisions.ts'
import { changesView } from './changes-view.ts'
import type { ComparisonFields, FieldErrors, ToolFields } from './comparison-fields.ts'
import type { DeskDeps, DeskEnv } from './desk.ts'
import { deskPage } from './page.ts'
import { placeOf, shortTime } from './when.ts'

export type FormShown = {
  readonly fields: ComparisonFields
  /** The revision that was seen; null for a comparison that is to be new. */
  readonly seen: number | null
  readonly errors?: FieldErrors
  readonly status?: 200 | 409 | 422
  readonly uses?: readonly Use[]
  /** Where to go on typing, by id. */
  readonly focus?: string
  /** Somebody made another revision since the form was opened. */
  readonly stale?: {
    readonly now: Revision
    readonly opened: Revision | undefined
    readonly document: ComparisonDocument
  }
  /** What was pasted, and what the comparison of that name says now. */
  readonly pasted?: { readonly document: ComparisonDocument; readonly known: ComparisonDocument | undefined }
}

/** Answers with the form of a comparison. */
export function formPage(c: Context<DeskEnv>, deps: DeskDeps, shown: FormShown): Promise<Response> {
  const { fields, seen, errors = new Map(), status = 200, uses = [], focus = '', pasted } = shown
  const { zone } = deps.calendar
  const isNew = seen === null
  const path = isNew ? '/desk/content/new' : `/desk/content/${fields.slug}`
  return deskPage(c, deps, 'desk-comparison-form', {
    ...{ section: 'content', title: isNew ? 'New comparison' : 'Edit the comparison', status },
    data: {
      ...{ isNew, path: isNew ? path : `${path}/edit`, back: isNew ? '/desk/content' : path },
      ...{ name: isNew ? '' : fields.title, revision: seen ?? 0, publishedWas: fields.publishedWas },
      lenses,
      problems: [...errors].map(([name, problem]) => ({ id: idOf(name), problem, label: labelAt(name) })),
      notes: [...notesOn(uses), ...(pasted ? [pastedNote(pasted)] : [])],
      pasted: pasted?.known ? changesView(pasted.known, pasted.document) : [],
      stale: shown.stale ? staleView(shown.stale, zone) : '',
      head: headFields(fields, { isNew, errors, place: placeOf(zone) }),
      tools: fields.tools.map((tool, side) => toolView(tool, side, errors, focus)),
    },
  })
}

/** One field as the partial `desk-field` shows it. */
function field(
  name: string,
  label: string,
  value: string,
  { errors, hint = '', ...kind }: { errors: FieldErrors } & Kind & { hint?: string },
) {
  const { rows = 0, type = 'text', options = [], list = '', focus = '' } = kind
  const id = idOf(name)
  const error = errors.get(name) ?? ''
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ')
  return {
    ...{ name, id, label, value, hint, error, described, rows, type, list, isFocused: focus === id },
    options: options.map(([key, text]) => ({ key, text, isChosen: key === value })),
  }
}

type Kind = {
  readonly rows?: number
  readonly type?: string
  readonly options?: readonly (readonly [string, string])[]
  readonly list?: string
  readonly focus?: string
}

function headFields(
  { slug, title, publishedAt }: ComparisonFields,
  { isNew, errors, place }: { isNew: boolean; errors: FieldErrors; place: string },
) {
  const hint = `Wall time in ${place}. A time to come: until then nobody sees it, and no issue has it.`
  return [
    field('title', 'Title', title, { errors }),
    ...(isNew
      ? [
          field('slug', 'Name in the address', slug, {
            ...{
              errors,
              hint: 'Small letters, digits and hyphens: left-tool-vs-right-tool. It stays for good.',
            },
          }),
        ]
      : []),
    field('publishedAt', 'Published', publishedAt, {
      ...{ errors, type: 'datetime-local', hint: isNew ? `${hint} Left empty: now.` : hint },
    }),
  ]
}

function toolView(tool: ToolFields, side: number, errors: FieldErrors, focus: string) {
  const at = (what: string) => `tools.${side}.${what}`
  const optional = { errors, hint: 'May stay empty.' }
  return {
    ...{ side, legend: side === 0 ? 'The first tool' : 'The second tool' },
    isFocused: focus === `add-${side}`,
    error: errors.get(at('reviews')) ?? '',
    fields: [
      field(at('name'), 'Name', tool.name, { errors }),
      field(at('slug'), 'Slug', tool.slug, { errors, hint: 'The same tool has the same slug everywhere.' }),
      field(at('category'), 'Category', tool.category, { errors }),
      field(at('tagline'), 'Tagline', tool.tagline, { errors }),
      field(at('description'), 'Description', tool.description, { errors, rows: 8 }),
      field(at('entryPrice'), 'Entry price', tool.entryPrice, { errors, options: prices }),
      field(at('priceNote'), 'Price note', tool.priceNote, optional),
      field(at('url'), 'Its own page', tool.url, { ...optional, hint: 'https://… May stay empty.' }),
    ],
    votes: [
      field(at('community.ship'), 'Would ship it', tool.ship, { errors, type: 'number' }),
      field(at('community.skip'), 'Would skip it', tool.skip, { errors, type: 'number' }),
    ],
    reviews: tool.reviews.map((review, row) => ({
      ...{ row, legend: review.reviewer ? lensName(review.reviewer) : `Review ${row + 1}` },
      fields: [
        field(at(`reviews.${row}.reviewer`), 'Reviewer', review.reviewer, { errors, list: 'lenses', focus }),
        field(at(`reviews.${row}.verdict`), 'Verdict', review.verdict, { errors, options: verdicts }),
        field(at(`reviews.${row}.quote`), 'What they said', review.quote, { errors, rows: 8 }),
      ],
    })),
  }
}

const prices = [
  ...([
    ['', 'Choose one'],
    ['free', 'Free'],
    ['freemium', 'Freemium'],
    ['paid', 'Paid'],
  ] as const),
  ...([
    ['trial', 'Trial'],
    ['unknown', 'Not stated'],
  ] as const),
]
const verdicts = [
  ['', 'Choose one'],
  ['ship', 'Ship'],
  ['skip', 'Skip'],
] as const

/** What saving does not change: mail that was sent, and a draft that has been set. */
function notesOn(uses: readonly Use[]): readonly string[] {
  return uses.flatMap(({ counts, isOut, week, revision }) => {
    if (!counts) return []
    if (isOut)
      return [
        `It was sent in ${week} with revision ${revision}. Mail that has left stays as it is; the page on the web changes at once.`,
      ]
    return [
      `It is in the draft of ${week}, which keeps revision ${revision} until it is drafted or edited again. Its page offers that once you have saved.`,
    ]
  })
}

function pastedNote({ document, known }: NonNullable<FormShown['pasted']>): string {
  const read = `The document was read, and nothing is saved yet.`
  const over = known ? ' There is a comparison of that name: saving makes it the next revision of it.' : ''
  const retracted = document.retracted
    ? ' That it says “retracted” is not taken over: retract it on its page.'
    : ''
  return read + over + retracted
}

/** What the other editor changed, and what saving what was typed here would change in it. */
function staleView({ now, opened, document }: NonNullable<FormShown['stale']>, zone: string) {
  return {
    ...{ revision: now.revision, by: now.by ?? 'Somebody', at: shortTime(now.at, zone) },
    theirs: opened ? changesView(opened.document, now.document) : [],
    yours: changesView(now.document, document),
  }
}

function idOf(name: string): string {
  return name.replaceAll('.', '-')
}

/** Where on the form a field is, in words. */
function labelAt(name: string): string {
  const [, side, what, row] = name.split('.')
  if (side === undefined)
    return { title: 'Title', slug: 'Name in the address', publishedAt: 'Published' }[name] ?? name
  const tool = side === '0' ? 'First tool' : 'Second tool'
  return row === undefined || what === 'community' ? `${tool}, ${what}` : `${tool}, review ${Number(row) + 1}`
}
