import { createHash } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { runDraft } from '../../jobs/draft-issue.ts'
import { sendIssue } from '../../jobs/send-issue.ts'
import { type Preview, previewEdition } from '../../src/delivery/preview.ts'
import { findIssue } from '../../src/issue/issue.ts'
import { resendTransport } from '../../src/mail/resend.ts'
import { parseAddress } from '../../src/subscriber/address.ts'
import { addSubscriber } from '../../src/subscriber/subscriber.ts'
import { clockAt } from '../setup/clock.ts'
import { documentFor, publish, sampleDocuments } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { startFakeProvider, type Witnessed } from '../setup/fake-provider.ts'
import { newsletterWith } from '../setup/newsletter.ts'

const database = useDatabase()

const oddCategory = 'Kitchen & “Café” <tools>'

type Wish = {
  address: string
  cadence?: 'monthly' | 'followed'
  categories?: readonly string[]
  tools?: readonly string[]
}

/** Ten readers of whom no two read alike; dora gets nothing of this week. */
const readers: readonly Wish[] = [
  { address: 'ann@example.test' },
  { address: 'bob.of-all+tags@sub.example.test' },
  { address: `${'l'.repeat(64)}@${'d'.repeat(63)}.${'e'.repeat(63)}.example.test` },
  { address: 'cleo@bücher-und-straße.example' },
  { address: "o'brien!#$%&*/=?^_`{|}~@example.test" },
  { address: 'mona@example.test', cadence: 'monthly' },
  { address: 'fay@example.test', cadence: 'followed', categories: ['Design'] },
  { address: 'gus@example.test', cadence: 'followed', categories: ['Design', 'Data'] },
  { address: 'hal@example.test', cadence: 'followed', tools: ['sieve-left'] },
  { address: 'ida@example.test', cadence: 'followed', categories: [oddCategory], tools: ['loom-right'] },
  { address: 'dora@example.test', cadence: 'followed', categories: ['Gardening'] },
]

describe('previews made before an issue is sent', () => {
  it('are, sum by sum, what the provider is handed over a socket for ten readers who read in ten ways', async () => {
    const { deps, clock, provider } = await newsletter('2026-10-22T13:00:00Z')
    await publishOn('2026-10-21T10:00:00Z', ['anvil', 'bellows'])
    await addReader({ address: 'early@example.test' })
    await runDraft(deps, '2026-W43')
    await sendIssue(deps, '2026-W43', { early: true })
    clock.moveTo('2026-11-05T14:00:00Z')
    await publishOn('2026-11-04T10:00:00Z', ['loom', 'sieve', 'quern'], {
      ...{ loom: 'Design', sieve: 'Data', quern: oddCategory },
    })
    const sample = sampleDocuments().get('claude-4-sonnet-vs-smolvlm2')
    if (sample) await publish(database.db, { ...sample, publishedAt: '2026-11-04T11:00:00Z' })
    await unsubscribeEarly()
    for (const wish of readers) await addReader(wish)
    await runDraft(deps, '2026-W45')
    const issue = await findIssue(database.db, '2026-W45')
    if (!issue) throw new Error('There is no 2026-W45')

    const looked = await Promise.all(
      readers.map(async ({ address }) => [address, await previewEdition(deps, issue, address)] as const),
    )
    await sendIssue(deps, '2026-W45', { early: true })

    const previews = looked.flatMap(([, one]) => (one.kind === 'preview' ? [one] : []))
    expect(looked.filter(([, one]) => one.kind !== 'preview').map(([address]) => address)).toEqual([
      'dora@example.test',
    ])
    expect(looked.at(-1)?.[1]).toEqual({ kind: 'nothing', reason: 'nothing they follow is in it' })
    expect(new Set(previews.map(({ hash }) => hash)).size).toBe(6)
    expect(new Set(previews.map(({ html }) => sum(html))).size).toBe(10)
    const sent = provider.accepted.filter(({ tags }) => tags.issue === '2026-W45')
    expect(sent).toHaveLength(10)
    expect(byAddress(sent.map(received))).toEqual(byAddress(previews.map(foreseen)))
  })
})

/** Whoever had the earlier issue is gone before this one. */
async function unsubscribeEarly() {
  const at = Temporal.Instant.from('2026-11-02T10:00:00Z')
  await database.db
    .updateTable('subscriber')
    .set({ status: 'unsubscribed', unsubscribed_at: at })
    .where('address', '=', 'early@example.test')
    .execute()
}

/** What a preview says of a mail: everything that leaves, but for the batch that it will be in. */
function foreseen({ mail, ...preview }: Preview) {
  const { batch: _, ...tags } = mail.tags
  return {
    ...{ to: mail.to, from: mail.from, subject: preview.subject, headers: preview.headers, tags },
    ...{ html: sum(preview.html), text: sum(preview.text) },
  }
}

/** The same of a mail that the provider took. */
function received({ to, from, subject, headers, tags: { batch: _, ...tags }, ...mail }: Witnessed) {
  return { to, from, subject, headers, tags, html: mail.htmlSha256, text: mail.textSha256 }
}

function byAddress<Mail extends { to: string }>(mails: readonly Mail[]): readonly Mail[] {
  return mails.toSorted((a, b) => (a.to < b.to ? -1 : 1))
}

async function newsletter(at: string) {
  const provider = await startFakeProvider()
  const transport = resendTransport({ apiKey: 're_test', baseUrl: provider.url })
  onTestFinished(async () => {
    await transport.close()
    await provider.close()
  })
  const clock = clockAt(at)
  return { provider, clock, deps: newsletterWith(database, { clock, transport }) }
}

async function publishOn(
  publishedAt: string,
  slugs: readonly string[],
  categories: Readonly<Record<string, string>> = {},
) {
  for (const slug of slugs) {
    const document = documentFor(slug, { publishedAt }, [3, 1])
    const category = categories[slug] ?? 'Developer Tools'
    await publish(database.db, {
      ...document,
      tools: document.tools.map((tool) => ({ ...tool, category })),
    })
  }
}

async function addReader({ address, cadence, categories = [], tools = [] }: Wish) {
  const { db } = database
  const clock = () => Temporal.Instant.from('2026-11-01T10:00:00Z')
  const parsed = parseAddress(address)
  if (!parsed.ok) throw new Error(parsed.problem)
  await addSubscriber({ db, clock }, parsed.address, { method: 'by hand', detail: 'a test' })
  const { id } = await db
    .selectFrom('subscriber')
    .select('id')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow()
  if (cadence) await db.updateTable('subscriber').set({ cadence }).where('id', '=', id).execute()
  for (const category of categories)
    await db.insertInto('followed_category').values({ subscriber_id: id, category }).execute()
  for (const slug of tools) {
    const tool = await db.selectFrom('tool').select('id').where('slug', '=', slug).executeTakeFirstOrThrow()
    await db.insertInto('followed_tool').values({ subscriber_id: id, tool_id: tool.id }).execute()
  }
}

function sum(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
