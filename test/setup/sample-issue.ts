import { readdirSync, readFileSync } from 'node:fs'
import { type ComposedIssue, composeIssue } from '../../src/issue/compose.ts'
import { weekNamed } from '../../src/issue/week.ts'
import type { Comparison } from '../../src/verdict/comparison.ts'
import { readDocuments } from '../../src/verdict/read-documents.ts'

const folder = new URL('../../db/samples/', import.meta.url)
const friday = {
  zone: 'America/New_York',
  draftAt: { weekday: 4, hour: 9, minute: 0 },
  sendAt: { weekday: 5, hour: 9, minute: 0 },
}

export const setting = {
  publicUrl: 'https://verdicts.example.test',
  postalAddress: 'Weekly AI Tool Verdicts, 12 Example Street, Brooklyn, NY 11201, USA',
}

/** One reader's links, as long as real ones. */
export const annsLinks = {
  unsubscribe: `${setting.publicUrl}/unsubscribe/${'u'.repeat(60)}`,
  preferences: `${setting.publicUrl}/preferences/${'p'.repeat(60)}`,
  webVersion: `${setting.publicUrl}/issues/2026-W47`,
  vote: `${setting.publicUrl}/vote/${'v'.repeat(48)}`,
}

/** The comparisons of `db/samples`, the newest first. */
export function sampleComparisons(): readonly Comparison[] {
  return readdirSync(folder)
    .flatMap((file) => readDocuments(readFileSync(new URL(file, folder), 'utf8')))
    .flatMap((read) => (read.ok ? [read.document] : []))
    .flatMap(({ tools: [a, b], publishedAt, ...document }) =>
      a && b
        ? [{ ...document, publishedAt: Temporal.Instant.from(publishedAt), tools: [a, b] as const }]
        : [],
    )
    .sort((a, b) => Temporal.Instant.compare(b.publishedAt, a.publishedAt))
}

/** The issue of week 47 of 2026. Left alone, it has the six newest samples. */
export function sampleIssue(
  comparisons: readonly Comparison[] = sampleComparisons().slice(0, 6),
): ComposedIssue {
  const week = weekNamed('2026-W47', friday)
  if (!week) throw new Error('2026 has a week 47')
  return composeIssue(week, comparisons)
}
