import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { rawData } from 'caniemail'
import type { Comparison } from '../../verdict/comparison.ts'
import { readDocuments } from '../../verdict/read-documents.ts'
import { composeIssue } from '../compose.ts'
import { loadIssueTemplates, renderIssue } from '../render.ts'
import { weekNamed } from '../week.ts'
import { lackingFeatures } from './clients.ts'

/*
 * `npm run mail:baseline`: sets an issue of all samples and writes down what mail programs lack of it. Run it after a
 * change of the templates or of caniemail, and read the difference before it is committed: every line is a decision.
 */
const samples = new URL('../../../db/samples/', import.meta.url)
const calendar = {
  zone: 'America/New_York',
  draftAt: { weekday: 4, hour: 9, minute: 0 },
  sendAt: { weekday: 5, hour: 9, minute: 0 },
}
const setting = { publicUrl: 'https://news.example.com', postalAddress: '1 Example Street, Example Town' }

const comparisons: readonly Comparison[] = readdirSync(samples)
  .sort()
  .flatMap((file) => readDocuments(readFileSync(new URL(file, samples), 'utf8')))
  .flatMap((read) => (read.ok ? [read.document] : []))
  .flatMap(({ tools: [a, b], publishedAt, ...document }) =>
    a && b ? [{ ...document, publishedAt: Temporal.Instant.from(publishedAt), tools: [a, b] as const }] : [],
  )
const week = weekNamed('2026-W47', calendar)
if (!week) throw new Error('2026 has a week 47')
const { html } = renderIssue(loadIssueTemplates(), composeIssue(week, comparisons), setting)
const file = new URL('caniemail-baseline.json', import.meta.url)
const known = await lackingFeatures(html)
writeFileSync(file, `${JSON.stringify({ data: rawData.last_update_date, known }, null, 2)}\n`)
process.stdout.write(
  `${Object.keys(known).length} features written to ${file.pathname}. Read the difference.\n`,
)
