import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { weekOf } from '../src/issue/week.ts'
import type { Newsletter } from '../src/newsletter.ts'
import { addSubscriber } from '../src/subscriber/subscriber.ts'
import type { ComparisonDocument } from '../src/verdict/document.ts'
import { publishComparison } from '../src/verdict/publish.ts'
import { readDocuments } from '../src/verdict/read-documents.ts'
import { runDraft } from './draft-issue.ts'
import { sendIssue } from './send-issue.ts'

/** What the first start of a trial installation did; undefined on every later start, and wherever mail is real. */
export type FirstStart = { readonly comparisons: number; readonly readers: number; readonly week: string }

const samples = join(import.meta.dirname, '../db/samples')
const readers = ['ada@example.test', 'grace@example.test', 'linus@example.test']

/**
 * On an empty trial installation, shows the product at work: samples and three readers go in, and this week's issue is
 * drafted and delivered to the outbox.
 */
export async function firstStart(newsletter: Newsletter): Promise<FirstStart | undefined> {
  if (newsletter.config.production || newsletter.transport.name !== 'outbox') return undefined
  const documents = recent(await readSamples(), newsletter.clock(), newsletter.comparisons.most)
  if (!(await isUntouched(newsletter, documents))) return undefined

  for (const document of documents) await publishComparison(newsletter, document)
  for (const address of readers) {
    await addSubscriber(newsletter, address, {
      method: 'by hand',
      detail: 'an example reader, made at the first start',
    })
  }
  const week = weekOf(newsletter.clock(), newsletter.calendar).name
  await runDraft(newsletter, week)
  await sendIssue(newsletter, week, { early: true, toTheEnd: true })
  return { comparisons: documents.length, readers: readers.length, week }
}

/** Nothing was sent, and nothing is there but what an earlier first start may have left when it was cut short. */
async function isUntouched({ db }: Newsletter, documents: readonly ComparisonDocument[]): Promise<boolean> {
  const slugs = documents.map((document) => document.slug)
  const sent = await db
    .selectFrom('issue')
    .select('id')
    .where('planned_at', 'is not', null)
    .executeTakeFirst()
  const others = await db
    .selectFrom('comparison')
    .select('id')
    .where('slug', 'not in', slugs)
    .executeTakeFirst()
  const people = await db
    .selectFrom('subscriber')
    .select('id')
    .where('address', 'not in', readers)
    .executeTakeFirst()
  return !sent && !others && !people
}

async function readSamples(): Promise<readonly ComparisonDocument[]> {
  const files = (await readdir(samples)).filter((file) => file.endsWith('.json')).sort()
  const sources = await Promise.all(files.map((file) => readFile(join(samples, file), 'utf8')))
  return sources.flatMap(readDocuments).map((read) => {
    if (!read.ok) throw new Error(`A sample is not valid: ${JSON.stringify(read.faults)}`)
    return read.document
  })
}

/**
 * The samples, newest first, moved by whole days so that the newest came out within the last day: the week always has
 * news. What one issue has no room for goes four weeks further back: as archive it keeps nothing newer waiting.
 */
function recent(
  documents: readonly ComparisonDocument[],
  now: Temporal.Instant,
  most: number,
): readonly ComparisonDocument[] {
  const dated = documents
    .map((document) => ({ document, instant: Temporal.Instant.from(document.publishedAt) }))
    .sort((a, b) => Temporal.Instant.compare(b.instant, a.instant))
  const days = Math.floor((dated[0]?.instant.until(now).total('hours') ?? 0) / 24)
  return dated.map(({ document, instant }, place) => ({
    ...document,
    publishedAt: instant.add({ hours: 24 * (place < most ? days : days - 28) }).toString(),
  }))
}
