import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Comparison } from '../../src/verdict/comparison.ts'
import { type ComparisonDocument, comparisonDocument } from '../../src/verdict/document.ts'
import { publishComparison } from '../../src/verdict/publish.ts'

const samples = join(import.meta.dirname, '../../db/samples')

/** The sample documents of `db/samples/`, by slug. */
export function sampleDocuments(): ReadonlyMap<string, ComparisonDocument> {
  const files = readdirSync(samples).filter((file) => file.endsWith('.json'))
  const documents = files.map((file) =>
    comparisonDocument.parse(JSON.parse(readFileSync(join(samples, file), 'utf8'))),
  )
  return new Map(documents.map((document) => [document.slug, document]))
}

/** A sound document about two invented tools; `changes` replaces whole fields. `shape` is ships of four for each tool. */
export function documentFor(
  slug: string,
  changes: Partial<ComparisonDocument> = {},
  shape: readonly [number, number] = [4, 0],
): ComparisonDocument {
  const tool = (side: 'left' | 'right', ships: number): ComparisonDocument['tools'][number] => ({
    slug: `${slug}-${side}`,
    name: `${slug} ${side}`,
    category: 'Developer Tools',
    tagline: `The ${side} one of two`,
    description: `What ${slug} ${side} is, in a sentence or two.`,
    entryPrice: side === 'left' ? 'free' : 'paid',
    reviews: ['builder', 'skeptic', 'futurist', 'founder'].map((reviewer, seat) => ({
      reviewer,
      verdict: seat < ships ? 'ship' : 'skip',
      quote: `The ${reviewer} on ${slug} ${side}: it earns what it costs, and it breaks where you would expect.`,
    })),
  })
  return {
    slug,
    publishedAt: '2026-11-18T14:00:00Z',
    title: `${slug} left vs ${slug} right`,
    tools: [tool('left', shape[0]), tool('right', shape[1])],
    ...changes,
  }
}

/** A document as the rules see it, without a database. */
export function toComparison({ slug, publishedAt, title, tools }: ComparisonDocument): Comparison {
  const [first, second] = tools
  if (!first || !second) throw new Error('A comparison has two tools')
  return { slug, title, publishedAt: Temporal.Instant.from(publishedAt), tools: [first, second] }
}

/** Publishes a document at the instant it names, and returns it. */
export async function publish(
  db: Kysely<Database>,
  document: ComparisonDocument,
): Promise<ComparisonDocument> {
  await publishComparison({ db, clock: () => Temporal.Instant.from(document.publishedAt) }, document)
  return document
}
