import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Comparison, Tool } from './comparison.ts'
import { type ComparisonDocument, comparisonDocument } from './document.ts'
import { comparePanelOrder } from './review.ts'

/** A comparison as it stood at a revision, in the order asked for. Undefined when any of them has no such revision kept. */
export async function loadAtRevision(
  db: Kysely<Database>,
  wanted: readonly { readonly comparison_id: number; readonly revision: number }[],
): Promise<readonly Comparison[] | undefined> {
  if (wanted.length === 0) return []
  const rows = await db
    .selectFrom('comparison_revision')
    .select(['comparison_id', 'revision', 'document'])
    .where((eb) =>
      eb(
        eb.refTuple('comparison_id', 'revision'),
        'in',
        wanted.map(({ comparison_id, revision }) => eb.tuple(comparison_id, revision)),
      ),
    )
    .execute()
  const found = wanted.map(({ comparison_id, revision }) =>
    rows.find((row) => row.comparison_id === comparison_id && row.revision === revision),
  )
  const comparisons = found.flatMap((row) =>
    row ? [toComparison(comparisonDocument.parse(row.document))] : [],
  )
  return comparisons.length === wanted.length ? comparisons : undefined
}

function toComparison({ slug, publishedAt, title, tools: [first, second] }: ComparisonDocument): Comparison {
  if (!first || !second) throw new Error(`Comparison ${slug} does not have two tools`)
  return {
    slug,
    title,
    publishedAt: Temporal.Instant.from(publishedAt),
    tools: [inPanelOrder(first), inPanelOrder(second)],
  }
}

function inPanelOrder(tool: ComparisonDocument['tools'][number]): Tool {
  return { ...tool, reviews: tool.reviews.toSorted((a, b) => comparePanelOrder(a.reviewer, b.reviewer)) }
}
