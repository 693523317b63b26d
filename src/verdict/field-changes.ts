import type { ComparisonDocument } from './document.ts'
import { entryLabel } from './pricing.ts'
import { comparePanelOrder, lensName } from './review.ts'

type Tool = ComparisonDocument['tools'][number]

/** One field that two documents have differently, in words; '' where one of them has nothing there. */
export type FieldChange = { readonly field: string; readonly before: string; readonly after: string }

/** What differs between two documents of a comparison, field by field, in the order of the page; the smallest mended word is a change. */
export function fieldChanges(before: ComparisonDocument, after: ComparisonDocument): readonly FieldChange[] {
  const areSwapped = isSwapped(before, after)
  const old = areSwapped ? before.tools.toReversed() : before.tools
  return [
    change('Title', before.title, after.title),
    change('Published', inUtc(before.publishedAt), inUtc(after.publishedAt)),
    change('Retracted', before.retracted ? 'yes' : 'no', after.retracted ? 'yes' : 'no'),
    change('Sides', areSwapped ? sides(before) : '', areSwapped ? sides(after) : ''),
    ...after.tools.flatMap((tool, side) => toolChanges(old[side], tool)),
  ].filter((one) => one.before !== one.after)
}

function toolChanges(before: Tool | undefined, after: Tool): readonly FieldChange[] {
  const of = (what: string, read: (tool: Tool) => string) =>
    change(`${after.name}: ${what}`, before ? read(before) : '', read(after))
  return [
    of('tool', ({ slug }) => slug),
    of('name', ({ name }) => name),
    of('category', ({ category }) => category),
    of('tagline', ({ tagline }) => tagline),
    of('description', ({ description }) => description),
    of('entry price', ({ entryPrice }) => entryLabel(entryPrice)),
    of('price note', ({ priceNote }) => priceNote ?? ''),
    of('address', ({ url }) => url ?? ''),
    of('votes counted elsewhere', ({ community }) =>
      community ? `${community.ship} ship, ${community.skip} skip` : '',
    ),
    ...reviewersOf(before, after).flatMap((reviewer) => [
      of(`${lensName(reviewer)}’s verdict`, (tool) => reviewBy(tool, reviewer)?.verdict ?? ''),
      of(`${lensName(reviewer)}’s words`, (tool) => reviewBy(tool, reviewer)?.quote ?? ''),
    ]),
  ]
}

function reviewersOf(...tools: readonly (Tool | undefined)[]): readonly string[] {
  const reviewers = tools.flatMap((tool) => tool?.reviews.map(({ reviewer }) => reviewer) ?? [])
  return [...new Set(reviewers)].sort(comparePanelOrder)
}

function reviewBy({ reviews }: Tool, reviewer: string) {
  return reviews.find((review) => review.reviewer === reviewer)
}

/** Whether the same two tools have changed places: then each is held against itself. */
function isSwapped({ tools: [a, b] }: ComparisonDocument, { tools: [c, d] }: ComparisonDocument): boolean {
  return a?.slug !== c?.slug && a?.slug === d?.slug && b?.slug === c?.slug
}

function sides({ tools }: ComparisonDocument): string {
  return tools.map(({ name }) => name).join(', then ')
}

function inUtc(publishedAt: string): string {
  return Temporal.Instant.from(publishedAt).toString().replace('T', ' ').replace('Z', ' UTC')
}

function change(field: string, before: string, after: string): FieldChange {
  return { field, before, after }
}
