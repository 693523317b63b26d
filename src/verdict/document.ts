import { z } from 'zod'

/** The longest texts taken in, in characters. */
const longest = {
  name: 120,
  title: 250,
  tagline: 400,
  priceNote: 120,
  description: 6000,
  quote: 8000,
} as const

const slug = z
  .string()
  .max(120)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'expected a slug: lower-case letters, digits and single hyphens')

const httpsUrl = z
  .string()
  .max(2000)
  .refine(isPlainHttps, 'expected an https:// address without user name or white space')

const review = z.strictObject({
  reviewer: slug.describe(
    "The reviewer's slug; the panel's lenses are builder, skeptic, futurist and founder",
  ),
  verdict: z.enum(['ship', 'skip']),
  quote: text(longest.quote),
})

const tool = z.strictObject({
  slug,
  name: line(longest.name),
  category: line(longest.name),
  tagline: line(longest.tagline),
  description: text(longest.description),
  entryPrice: z.enum(['free', 'freemium', 'paid', 'trial', 'unknown']),
  priceNote: line(longest.priceNote).optional(),
  url: httpsUrl.optional(),
  community: z
    .strictObject({ ship: z.int().min(0).max(10_000_000), skip: z.int().min(0).max(10_000_000) })
    .optional()
    .describe("Readers' votes counted elsewhere; left out while there are none"),
  reviews: z
    .array(review)
    .min(1, 'expected at least one review')
    .max(12)
    .superRefine((reviews, context) => {
      const seen = new Set<string>()
      for (const [index, { reviewer }] of reviews.entries()) {
        if (seen.has(reviewer)) report(context, [index, 'reviewer'], `"${reviewer}" reviews this tool twice`)
        seen.add(reviewer)
      }
    }),
})

/** A comparison document as the outside writes it (CONTRACT): plain text, exactly two tools, nothing derived. */
export const comparisonDocument = z.strictObject({
  slug,
  publishedAt: z.iso
    .datetime({ offset: true, error: 'expected an instant such as 2026-11-18T14:00:00Z', abort: true })
    .refine(isInstant, 'expected an instant such as 2026-11-18T14:00:00Z'),
  title: line(longest.title),
  tools: z
    .array(tool)
    .superRefine((tools, context) => {
      if (tools.length !== 2) report(context, [], `expected exactly two tools, found ${tools.length}`)
      else if (tools[0]?.slug === tools[1]?.slug) report(context, [1, 'slug'], 'expected two different tools')
    })
    .meta({ minItems: 2, maxItems: 2 }),
  retracted: z.boolean().optional().describe('A retracted comparison is in no later issue'),
})

export type ComparisonDocument = z.infer<typeof comparisonDocument>

/** The document's JSON Schema (draft 2020-12), as `verdict schema` prints it. */
export function comparisonJsonSchema(): object {
  return { title: 'Comparison document', ...z.toJSONSchema(comparisonDocument, { io: 'input' }) }
}

function line(max: number) {
  return text(max).refine((value) => !/[\n\t]/.test(value), 'expected a single line')
}

function text(max: number) {
  return z
    .string()
    .overwrite((value) => value.replace(/\r\n?/g, '\n').normalize('NFC').trim())
    .min(1, 'expected some text')
    .refine((value) => value === '' || visible.test(value), 'expected some text that can be seen')
    .max(max)
    .refine((value) => value.isWellFormed(), 'contains half of a surrogate pair')
    .refine(
      (value) => !unprintable.test(value),
      'contains a control character or a text-direction override (S9): remove it',
    )
}

/** Anything but white space, controls and characters of no width. */
const visible = /[^\p{C}\p{Z}\p{M}]/u

/** Controls but for tab and newline, and the bidi overrides and isolates that can make text lie about its order. */
const unprintable =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe\uffff]/u

function isPlainHttps(value: string): boolean {
  return (
    /^https:\/\/[^\s\\]+$/i.test(value) &&
    URL.canParse(value) &&
    !/@/.test(new URL(value).host + userOf(value))
  )
}

function userOf(value: string): string {
  const { username, password } = new URL(value)
  return username || password ? '@' : ''
}

/** Within the years of four digits, whatever its offset: no other has a form that every reader of it takes. */
function isInstant(value: string): boolean {
  try {
    const { year } = Temporal.Instant.from(value).toZonedDateTimeISO('UTC')
    return year >= 1 && year <= 9999
  } catch {
    return false
  }
}

function report(context: z.RefinementCtx, path: (string | number)[], message: string): void {
  context.addIssue({ code: 'custom', path, message, input: undefined })
}
