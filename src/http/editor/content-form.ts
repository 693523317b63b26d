import { z } from 'zod'
import { arrange } from '../../issue/apply-edits.ts'
import { type IssueEdits, issueEdits } from '../../issue/edits.ts'
import { rankByInterest } from '../../issue/rank.ts'
import type { Comparison } from '../../verdict/comparison.ts'

/** What the form of an issue's content brought: the edits as typed, whether or not they can be saved as they are. */
export type TypedContent = {
  readonly base: number
  /** The newer revision that the editor was told of. */
  readonly onto: number | undefined
  readonly edits: IssueEdits
  /** What is wrong with them, in a sentence; empty when nothing is. */
  readonly problem: string
}

const revision = z.coerce.number().int().min(0).max(2_147_483_647)
const head = z.object({
  base: revision,
  onto: z.union([z.literal(''), revision]).optional(),
  subject: z.string().default(''),
  preheader: z.string().default(''),
  intro: z.string().default(''),
  /** A button that does something to one comparison besides saving: "up SLUG". */
  act: z.string().max(200).default(''),
})

/** Parses the form. Undefined when it is none of ours; what an editor typed wrongly is kept, with the problem. */
export function readContent(fields: Record<string, unknown>): TypedContent | undefined {
  const given = head.safeParse(fields)
  if (!given.success) return undefined
  const { base, onto, subject, preheader, intro, act } = given.data
  const texts = new Map(
    Object.entries(fields).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
  const typed: IssueEdits = {
    ...{ subject: subject.trim() || null, preheader: preheader.trim() || null, intro },
    order: slugsOf(texts, 'place:').toSorted((a, b) => placeOf(texts, a) - placeOf(texts, b)),
    leftOut: slugsOf(texts, 'out:').map((slug) => ({ slug, reason: texts.get(`out:${slug}`) ?? '' })),
    include: slugsOf(texts, 'in:'),
    quotes: quotesOf(texts),
  }
  const acted = act === '' ? typed : afterAct(typed, act, texts)
  const parsed = issueEdits.safeParse(acted)
  return {
    ...{ base, onto: onto === '' ? undefined : onto },
    edits: parsed.success ? parsed.data : acted,
    problem: parsed.success ? '' : problemIn(parsed.error),
  }
}

/** Without an order that is the generated one anyway, so that what comes in later is ranked, too. */
export function withoutIdleOrder(edits: IssueEdits, comparisons: readonly Comparison[]): IssueEdits {
  const ranked = rankByInterest(comparisons).map(({ slug }) => slug)
  const ordered = arrange(comparisons, edits).map(({ slug }) => slug)
  return ordered.join() === ranked.join() ? { ...edits, order: null } : edits
}

/** What the button does, on top of what was typed: nobody loses words by moving a comparison. */
function afterAct(edits: IssueEdits, act: string, texts: ReadonlyMap<string, string>): IssueEdits {
  const [what = '', ...rest] = act.split(' ')
  const of = rest.join(' ')
  const order = edits.order ?? []
  const shown = order.filter((slug) => !edits.leftOut.some((one) => one.slug === slug))
  switch (what) {
    case 'up':
    case 'down':
      return { ...edits, order: moved(order, shown, of, what === 'up' ? -1 : 1) }
    case 'lead':
      return { ...edits, order: [of, ...order.filter((slug) => slug !== of)] }
    case 'out': {
      const reason = texts.get(`why:${of}`)?.trim() || 'no reason given'
      return { ...edits, leftOut: [...edits.leftOut.filter(({ slug }) => slug !== of), { slug: of, reason }] }
    }
    case 'back':
      return edits.leftOut.some(({ slug }) => slug === of)
        ? { ...edits, leftOut: edits.leftOut.filter(({ slug }) => slug !== of) }
        : { ...edits, include: edits.include.filter((slug) => slug !== of) }
    case 'in':
      return { ...edits, include: [...edits.include, of] }
    case 'subject':
    case 'preheader':
      return { ...edits, [what]: of || null }
    default:
      return edits
  }
}

/** Changes places with its neighbour among those that are shown; what is left out keeps its own. */
function moved(
  order: readonly string[],
  shown: readonly string[],
  slug: string,
  by: 1 | -1,
): readonly string[] {
  const at = shown.indexOf(slug)
  const neighbour = at === -1 ? undefined : shown[at + by]
  if (neighbour === undefined) return order
  return order.with(order.indexOf(slug), neighbour).with(order.indexOf(neighbour), slug)
}

function slugsOf(texts: ReadonlyMap<string, string>, prefix: string): string[] {
  return [...texts.keys()].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length))
}

function placeOf(texts: ReadonlyMap<string, string>, slug: string): number {
  const place = Number(texts.get(`place:${slug}`))
  return Number.isFinite(place) ? place : Number.MAX_SAFE_INTEGER
}

function quotesOf(texts: ReadonlyMap<string, string>): IssueEdits['quotes'] {
  const slugs = new Set(slugsOf(texts, 'quote:').map((name) => name.replace(/:[12]$/, '')))
  const words = (slug: string, side: 1 | 2) => texts.get(`quote:${slug}:${side}`)?.trim() || null
  return Object.fromEntries([...slugs].map((slug) => [slug, [words(slug, 1), words(slug, 2)] as const]))
}

/** The first thing that is wrong, in the words of its rule where it has any of its own. */
function problemIn({ issues: [first] }: z.ZodError): string {
  const isOurs = first?.code === 'custom'
  return isOurs ? first.message : `The form has something in it that no issue has (${first?.path.join(' ')}).`
}
