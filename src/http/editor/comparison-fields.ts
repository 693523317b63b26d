import { z } from 'zod'
import { instantOf, secondOf } from '../../clock.ts'
import { type ComparisonDocument, comparisonDocument } from '../../verdict/document.ts'
import { problemsIn } from '../../verdict/read-documents.ts'
import { lenses } from '../../verdict/review.ts'

/** A comparison as its form has it: everything is text, and nothing is checked. */
export type ComparisonFields = {
  readonly slug: string
  readonly title: string
  /** A wall time in the newsletter's zone: `2026-11-18T09:00`; '' for now. */
  readonly publishedAt: string
  /** The instant that the wall time stood for when the form was opened, to the second and beyond. */
  readonly publishedWas: string
  readonly tools: readonly [ToolFields, ToolFields]
}

export type ToolFields = {
  readonly slug: string
  readonly name: string
  readonly category: string
  readonly tagline: string
  readonly description: string
  readonly entryPrice: string
  readonly priceNote: string
  readonly url: string
  readonly ship: string
  readonly skip: string
  readonly reviews: readonly ReviewFields[]
}

export type ReviewFields = { readonly reviewer: string; readonly verdict: string; readonly quote: string }

/** What is wrong with a form, by the name of its field: `tools.0.reviews.1.quote`. */
export type FieldErrors = ReadonlyMap<string, string>

type Sent = Readonly<Record<string, unknown>>

const mostRows = 24
const typed = z.string().catch('')

/** The fields of a form that was sent; rows of reviews in their order, without gaps. */
export function readFieldsOfComparison(sent: Sent): ComparisonFields {
  const read = (name: string) => typed.parse(sent[name])
  return {
    ...{ slug: read('slug'), title: read('title') },
    ...{ publishedAt: read('publishedAt'), publishedWas: read('publishedWas') },
    tools: [readTool(sent, 0), readTool(sent, 1)],
  }
}

function readTool(sent: Sent, side: 0 | 1): ToolFields {
  const read = (name: string) => typed.parse(sent[`tools.${side}.${name}`])
  return {
    ...{ slug: read('slug'), name: read('name'), category: read('category'), tagline: read('tagline') },
    ...{ description: read('description'), entryPrice: read('entryPrice') },
    ...{ priceNote: read('priceNote'), url: read('url') },
    ...{ ship: read('community.ship'), skip: read('community.skip') },
    reviews: rowsOf(sent, side).map((row) => ({
      reviewer: read(`reviews.${row}.reviewer`),
      verdict: read(`reviews.${row}.verdict`),
      quote: read(`reviews.${row}.quote`),
    })),
  }
}

function rowsOf(sent: Sent, side: 0 | 1): readonly number[] {
  const rows = Object.keys(sent).flatMap((name) => {
    const [, of, row] = /^tools\.([01])\.reviews\.(\d{1,2})\.\w+$/.exec(name) ?? []
    return of === String(side) ? [Number(row)] : []
  })
  return [...new Set(rows)].sort((a, b) => a - b).slice(0, mostRows)
}

/** A comparison's document as its form shows it. */
export function fieldsOf(document: ComparisonDocument, zone: string): ComparisonFields {
  const { slug, title, publishedAt, tools } = document
  const fields = tools.map((tool) => ({
    ...{ slug: tool.slug, name: tool.name, category: tool.category, tagline: tool.tagline },
    ...{ description: tool.description, entryPrice: tool.entryPrice },
    ...{ priceNote: tool.priceNote ?? '', url: tool.url ?? '' },
    ...{ ship: countOf(tool.community?.ship), skip: countOf(tool.community?.skip) },
    reviews: tool.reviews,
  }))
  return {
    ...{ slug, title, publishedAt: wallTimeOf(publishedAt, zone), publishedWas: publishedAt },
    tools: [fields[0] ?? noTool, fields[1] ?? noTool],
  }
}

const noTool: ToolFields = {
  ...{ slug: '', name: '', category: '', tagline: '', description: '' },
  ...{ entryPrice: '', priceNote: '', url: '', ship: '', skip: '' },
  reviews: lenses.map((reviewer) => ({ reviewer, verdict: '', quote: '' })),
}

/** An empty form: a row for each of the panel's lenses. */
export const noFields: ComparisonFields = {
  ...{ slug: '', title: '', publishedAt: '', publishedWas: '' },
  tools: [noTool, noTool],
}

type Kept = {
  readonly zone: string
  /** The instant of publication where none was typed. */
  readonly now?: Temporal.Instant
  /** What the form does not show and saving does not change. */
  readonly retracted?: boolean | undefined
}

/** The document that a form comes to, or what is wrong with it. A row of a review without verdict and words is none. */
export function documentOf(
  fields: ComparisonFields,
  kept: Kept,
): { readonly document: ComparisonDocument } | { readonly errors: FieldErrors } {
  const rows = fields.tools.map(({ reviews }) => reviews.map(isFilled))
  const result = comparisonDocument.safeParse({
    ...{ slug: fields.slug.trim(), title: fields.title, publishedAt: instantIn(fields, kept) },
    tools: fields.tools.map(({ ship, skip, priceNote, url, reviews, ...tool }) => ({
      ...{ ...tool, slug: tool.slug.trim() },
      ...(priceNote.trim() !== '' && { priceNote }),
      ...(url.trim() !== '' && { url: url.trim() }),
      ...(`${ship}${skip}`.trim() !== '' && { community: { ship: numberIn(ship), skip: numberIn(skip) } }),
      reviews: reviews.filter(isFilled).map((row) => ({ ...row, reviewer: row.reviewer.trim() })),
    })),
    ...(kept.retracted !== undefined && { retracted: kept.retracted }),
  })
  if (result.success) return { document: result.data }
  const errors = problemsIn(result.error).map(
    ({ path, problem }) => [fieldAt(path, rows), asSentence(problem)] as const,
  )
  return { errors: new Map(errors.toReversed()) }
}

function isFilled({ verdict, quote }: ReviewFields): boolean {
  return verdict !== '' || quote.trim() !== ''
}

/** The typed wall time's instant; the exact one that was there as long as nobody changed what the form shows of it. */
function instantIn({ publishedAt, publishedWas }: ComparisonFields, { zone, now }: Kept): unknown {
  const wall = publishedAt.trim()
  if (wall === '' && now) return secondOf(now).toString()
  if (publishedWas !== '' && wallTimeOf(publishedWas, zone) === wall) return publishedWas
  const parsed = parseWallTime(wall)
  return parsed ? instantOf(parsed, zone).toString() : wall
}

/** A wall time as `datetime-local` sends it; undefined for anything else. */
export function parseWallTime(typed: string): Temporal.PlainDateTime | undefined {
  if (!/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?$/.test(typed)) return undefined
  try {
    return Temporal.PlainDateTime.from(typed, { overflow: 'reject' })
  } catch {
    return undefined
  }
}

function wallTimeOf(instant: string, zone: string): string {
  try {
    const local = Temporal.Instant.from(instant).toZonedDateTimeISO(zone).toPlainDateTime()
    return local.toString({ smallestUnit: 'minute' })
  } catch {
    return ''
  }
}

function countOf(count: number | undefined): string {
  return count === undefined ? '' : String(count)
}

function numberIn(count: string): unknown {
  return /^\s*\d+\s*$/.test(count) ? Number(count) : count.trim() || undefined
}

/** `['tools', 0, 'reviews', 1, 'quote']` by the row that it stands in on the form, where empty rows count too. */
function fieldAt(path: readonly (string | number)[], rows: readonly (readonly boolean[])[]): string {
  const [, side, , place] = path
  if (path[2] !== 'reviews' || typeof place !== 'number') return path.join('.')
  const filled = (rows[Number(side)] ?? []).flatMap((is, row) => (is ? [row] : []))
  return path.with(3, filled[place] ?? place).join('.')
}

function asSentence(problem: string): string {
  const most = /^Too big: expected \w+ to (?:have|be) <=(\d+)(?: (characters|items))?$/.exec(problem)
  const words = most ? `At most ${Number(most[1]).toLocaleString('en-GB')} ${most[2] ?? ''}`.trim() : problem
  const text = words.replace(/^expected/, 'Expected').replace(/ \(S9\)/, '')
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
