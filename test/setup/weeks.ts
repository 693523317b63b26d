import { onTestFinished } from 'vitest'
import { runDraft } from '../../jobs/draft-issue.ts'
import { sendIssue } from '../../jobs/send-issue.ts'
import type { WorkDeps } from '../../jobs/work.ts'
import { decide } from '../../src/issue/decide.ts'
import { findIssue, type Issue } from '../../src/issue/issue.ts'
import { weekNamed } from '../../src/issue/week.ts'
import { resendTransport } from '../../src/mail/resend.ts'
import type { ComparisonDocument } from '../../src/verdict/document.ts'
import { publishComparison } from '../../src/verdict/publish.ts'
import { clockAt, type MovableClock } from './clock.ts'
import { documentFor } from './comparisons.ts'
import type { TestDatabase } from './database.ts'
import { startFakeProvider } from './fake-provider.ts'
import { newsletterWith, newYork } from './newsletter.ts'
import { reader } from './people.ts'

/** A mail as the fake provider took it off the socket. */
export type Taken = {
  readonly week: string
  readonly to: string
  readonly subject: string
  readonly html: string
  readonly text: string
}

/** Week after week on one database, with a fake provider whose log is the witness. */
export type Weeks = {
  readonly deps: WorkDeps
  readonly clock: MovableClock
  readonly taken: readonly Taken[]
  /** Whom the provider refuses just now, by the local parts of their addresses. */
  readonly refused: Set<string>
  /** Drafts a week on its Thursday, with a comparison of its own in each of these categories. */
  draft(week: string, categories?: readonly string[]): Promise<Issue>
  /** Approves it, and sends it on its Friday to the end. */
  send(week: string): Promise<void>
  /** The same in one go. */
  run(week: string, categories?: readonly string[]): Promise<void>
  /** Publishes a document, or the next revision of it, at an instant. */
  publish(document: ComparisonDocument, at: string): Promise<void>
}

/** Nobody is refused to begin with. */
export async function openWeeks({ db }: Pick<TestDatabase, 'db'>): Promise<Weeks> {
  const taken: Taken[] = []
  const refused = new Set<string>()
  const provider = await startFakeProvider({
    refuses: (to) => refused.has(to.replace('@example.test', '')),
    reads: ({ to, subject, html, text, tags }) => {
      const week = tags.find(({ name }) => name === 'issue')?.value ?? ''
      taken.push({ week, to: to.replace('@example.test', ''), subject, html, text })
    },
  })
  const transport = resendTransport({ apiKey: 're_test', baseUrl: provider.url, timeoutMs: 30_000 })
  onTestFinished(async () => {
    await transport.close()
    await provider.close()
  })
  const clock = clockAt('2026-11-01T12:00:00Z')
  const deps = newsletterWith({ db }, { clock, transport })
  const publish = async (document: ComparisonDocument, at: string) =>
    void (await publishComparison({ db, clock: () => Temporal.Instant.from(at) }, document))

  const weeks: Weeks = {
    ...{ deps, clock, taken, refused, publish },
    async draft(name, categories = ['Developer Tools']) {
      const week = weekNamed(name, newYork)
      if (!week) throw new Error(`${name} is no week`)
      const publishedAt = week.draftAt.subtract({ hours: 12 }).toString()
      for (const category of categories) {
        const slug = `${category}-of-${name}`.toLowerCase().replaceAll(' ', '-')
        await publish(inCategory(documentFor(slug, { publishedAt }), category), publishedAt)
      }
      clock.moveTo(week.draftAt)
      await runDraft(deps, name)
      return issueOf(name)
    },
    async send(name) {
      await decide(deps, name, 'approve', 'eve@example.test')
      const { due_at } = await issueOf(name)
      clock.moveTo(due_at)
      for (let tries = 0; tries < 100; tries += 1) {
        const sent = await sendIssue(deps, name)
        if (sent.kind === 'finished') return
        if (sent.kind !== 'waiting') throw new Error(`${name}: ${JSON.stringify(sent)}`)
        clock.moveTo(sent.until)
      }
    },
    async run(name, categories) {
      await weeks.draft(name, categories)
      await weeks.send(name)
    },
  }
  return weeks

  async function issueOf(name: string): Promise<Issue> {
    const issue = await findIssue(db, name)
    if (!issue) throw new Error(`There is no ${name}`)
    return issue
  }
}

/** The same document with both tools in a category. */
export function inCategory(document: ComparisonDocument, category: string): ComparisonDocument {
  return { ...document, tools: document.tools.map((tool) => ({ ...tool, category })) }
}

/** A reader who reads once a month, or only what is in a category. */
export async function readerWho(
  { db }: Pick<TestDatabase, 'db'>,
  name: string,
  reads: 'weekly' | 'monthly' | { readonly follows: string } = 'weekly',
) {
  const made = await reader(db, name)
  const cadence = typeof reads === 'string' ? reads : 'followed'
  await db.updateTable('subscriber').set({ cadence }).where('id', '=', made.id).execute()
  if (typeof reads !== 'string') {
    const row = { subscriber_id: made.id, category: reads.follows }
    await db.insertInto('followed_category').values(row).execute()
  }
  return made
}
