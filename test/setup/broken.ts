import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { runDraft } from '../../jobs/draft-issue.ts'
import { runTimetable, type WorkDeps } from '../../jobs/work.ts'
import { loadEdition } from '../../src/delivery/send.ts'
import { freezeEdition, type Rendered } from '../../src/issue/edition.ts'
import { findIssue } from '../../src/issue/issue.ts'
import type { MovableClock } from './clock.ts'
import { documentFor, publish } from './comparisons.ts'
import { thursday } from './delivery.ts'

/** What a fault makes of a sound edition. */
export type Fault = (edition: Rendered) => Partial<Rendered>

/** Week 47 as it was drafted on Thursday, with one comparison. */
export async function draftedWeek(deps: WorkDeps, clock: MovableClock): Promise<void> {
  clock.moveTo(thursday)
  await publish(deps.db, documentFor('glyphmoor-vs-kernwick'))
  await runDraft(deps, '2026-W47')
}

/** Puts another edition in the place of an issue's, as a fault of ours would have set it: frozen, stored, and due. */
export async function breakEdition(db: Kysely<Database>, change: Fault, week = '2026-W47'): Promise<void> {
  const issue = await findIssue(db, week)
  if (!issue?.edition_hash) throw new Error(`${week} has no edition`)
  const { subject, preheader, html, text } = await loadEdition(db, issue.edition_hash)
  const whole = { subject, preheader, html, text }
  const broken = freezeEdition({ ...whole, ...change(whole) })
  await db
    .insertInto('edition')
    .values({ ...broken, issue_id: issue.id, frozen_at: issue.draft_at })
    .execute()
  await db.updateTable('issue').set({ edition_hash: broken.hash }).where('id', '=', issue.id).execute()
}

/** Words that stand in both parts of an edition. */
export function saying(words: string, html = `<p>${words}</p>`) {
  return (edition: Rendered): Partial<Rendered> => ({
    html: edition.html.replace('<h2', () => `${html}<h2`),
    text: `${edition.text}\n${words}\n`,
  })
}

/** Week 46 went out, and this is what came back of it. */
export async function lastWeekCameBack(
  deps: WorkDeps,
  clock: MovableClock,
  counts: { readonly delivered: number; readonly complained?: number; readonly bounced_hard?: number },
): Promise<void> {
  clock.moveTo('2026-11-12T14:00:00Z')
  await publish(deps.db, documentFor('marrow-vs-pith', { publishedAt: '2026-11-11T14:00:00Z' }))
  await runDraft(deps, '2026-W46')
  clock.moveTo('2026-11-13T14:00:00Z')
  await runTimetable(deps)
  const { id } = await deps.db
    .selectFrom('issue')
    .select('id')
    .where('week', '=', '2026-W46')
    .executeTakeFirstOrThrow()
  const none = { delayed: 0, failed: 0, suppressed: 0, bounced_soft: 0, bounced_hard: 0, complained: 0 }
  const row = { issue_id: id, ...none, ...counts }
  await deps.db
    .insertInto('issue_feedback')
    .values(row)
    .onConflict((oc) => oc.column('issue_id').doUpdateSet(row))
    .execute()
}

/** An edition broken in one way, by the line of preflight that is to say so; each can stand on top of the others. */
export const faultyEditions = {
  size: saying('word '.repeat(22_000)),
  links: saying(
    'https://news.example.com/compare/never-was',
    '<p><a href="https://news.example.com/compare/never-was">Read it</a></p>',
  ),
  placeholders: saying('Hello {{first_name}}, this is your week.'),
  unsubscribe: ({ html }) => ({
    html: html.replace(/<a href="\u0001unsubscribe\u0002"[^>]*>Unsubscribe<\/a>/, '\u0001unsubscribe\u0002'),
  }),
  'postal-address': ({ text }) => ({ text: text.replace('1 Example Street', '') }),
  text: ({ html }) => ({
    html: html.replace(/(<h2[^>]*>)[^<]*/, '$1A pair that the text is silent about'),
  }),
  subject: () => ({ subject: 'SHIP BOTH OF THEM BEFORE THE WEEK IS OVER! · 2026-W47' }),
  preheader: ({ subject }) => ({ preheader: subject }),
  images: saying(
    'A picture',
    '<p>A picture <img src="https://images.example.org/a.png" width="10" height="10"></p>',
  ),
  structure: ({ html }) => ({ html: html.replace(/<(\/?)h1/g, '<$1h4') }),
  contrast: saying('Pale words', '<p style="background:#ffffff;color:#bbbbbb">Pale words</p>'),
  clients: saying('Blurred', '<p style="mix-blend-mode:multiply;filter:blur(1px)">Blurred</p>'),
  spam: saying('Act now: it is risk-free.'),
  ratios: saying(
    'https://tools.example.org/',
    '<p><a href="https://tools.example.org/">A tool</a></p>'.repeat(80),
  ),
} satisfies Record<string, Fault>
