import { z } from 'zod'
import { longestIntro } from './intro.ts'

/** An editor's corrections of one issue. What is null or empty is as it was generated. */
export type IssueEdits = {
  readonly subject: string | null
  readonly preheader: string | null
  /** Markdown. */
  readonly intro: string
  /** Slugs, the lead first; null while the comparisons are ranked by interest. What it does not name follows, ranked. */
  readonly order: readonly string[] | null
  readonly leftOut: readonly { readonly slug: string; readonly reason: string }[]
  /** What the issue had no room for, or what came after its cut-off, put in by hand. */
  readonly include: readonly string[]
  /** A shorter pull quote for the first or the second tool of a comparison, in the reviewer's own words. */
  readonly quotes: Readonly<Record<string, readonly [string | null, string | null]>>
}

/** An issue as it is generated. */
export const noEdits: IssueEdits = {
  ...{ subject: null, preheader: null, intro: '', order: null },
  ...{ leftOut: [], include: [], quotes: {} },
}

/** The longest texts that an editor can put in, in characters. */
export const longestEdit = {
  subject: 150,
  preheader: 200,
  intro: longestIntro,
  reason: 200,
  quote: 600,
} as const

/** Controls, and the marks that can make text lie about its order; the same as are refused in a comparison (S9). */
const unprintable = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufffe\uffff]/u

const slug = z
  .string()
  .max(120)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)
const quote = line('A quote', longestEdit.quote).nullable()

/** Reads corrections, whether an editor typed them or the table has them. Lines are trimmed, and what is empty becomes null. */
export const issueEdits = z.strictObject({
  subject: line('The subject', longestEdit.subject).nullable(),
  preheader: line('The preheader', longestEdit.preheader).nullable(),
  intro: text('The intro', longestEdit.intro),
  order: z.array(slug).max(200).nullable(),
  leftOut: z.array(z.strictObject({ slug, reason: line('A reason', longestEdit.reason) })).max(200),
  include: z.array(slug).max(200),
  quotes: z.record(slug, z.tuple([quote, quote])),
})

/** Whether two corrections come to the same. */
export function isSame(a: IssueEdits, b: IssueEdits): boolean {
  return fingerprintOf(a) === fingerprintOf(b)
}

/** The same in one way of writing it: no empty lines of text, quotes by slug, none that say nothing. */
export function tidy(edits: IssueEdits): IssueEdits {
  const quotes = Object.entries(edits.quotes)
    .map(([of, [first, second]]) => [of, [first || null, second || null] as const] as const)
    .filter(([, [first, second]]) => first !== null || second !== null)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  return {
    subject: edits.subject || null,
    preheader: edits.preheader || null,
    intro: edits.intro,
    order: edits.order?.length ? [...new Set(edits.order)] : null,
    leftOut: [...new Map(edits.leftOut.map((one) => [one.slug, one])).values()],
    include: [...new Set(edits.include)],
    quotes: Object.fromEntries(quotes),
  }
}

function fingerprintOf(edits: IssueEdits): string {
  const { leftOut, include, ...rest } = tidy(edits)
  const reasons = leftOut.map(({ slug: of, reason }) => [of, reason]).sort()
  return JSON.stringify([rest, reasons, [...include].sort()])
}

function line(what: string, most: number) {
  return text(what, most)
    .overwrite((value) => value.replace(/\s+/g, ' ').trim())
    .refine((value) => value.length <= most, tooLong(what, most))
}

function text(what: string, most: number) {
  return z
    .string()
    .overwrite((value) => value.replace(/\r\n?/g, '\n').trim())
    .refine((value) => value.length <= most, tooLong(what, most))
    .refine((value) => value.isWellFormed(), `${what} has half of a character in it: remove it.`)
    .refine(
      (value) => !unprintable.test(value),
      `${what} has a control character or a mark that turns the direction of text: remove it.`,
    )
    .overwrite((value) => value.normalize('NFC'))
}

function tooLong(what: string, most: number) {
  return {
    error: ({ input }: { input: unknown }) =>
      `${what} has ${String(input).length} characters; it can have up to ${most}.`,
  }
}
