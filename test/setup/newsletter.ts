import { pino } from 'pino'
import type { WorkDeps } from '../../jobs/work.ts'
import type { Clock } from '../../src/clock.ts'
import { decide } from '../../src/issue/decide.ts'
import { draftIssue } from '../../src/issue/draft.ts'
import { findIssue, type Issue } from '../../src/issue/issue.ts'
import { loadIssueTemplates } from '../../src/issue/render.ts'
import { weekNamed } from '../../src/issue/week.ts'
import type { Transport } from '../../src/mail/email.ts'
import { loadLetterTemplates } from '../../src/subscriber/set-letter.ts'
import type { TestDatabase } from './database.ts'

const templates = loadIssueTemplates()
const letterTemplates = loadLetterTemplates()

export const testKeys = [{ id: 'k1', secret: Buffer.alloc(32, 7) }]

/** The calendar of the default settings: drafted Thursday 09:00, due Friday 09:00, New York. */
export const newYork = {
  zone: 'America/New_York',
  draftAt: { weekday: 4, hour: 9, minute: 0 },
  sendAt: { weekday: 5, hour: 9, minute: 0 },
}

/** Everything that drafting, sending and the timetable need, with the parts a test cares about handed in. */
export function newsletterWith(
  { db }: Pick<TestDatabase, 'db'>,
  parts: { clock: Clock; transport: Transport } & Partial<WorkDeps>,
): WorkDeps {
  return {
    db,
    log: pino({ level: 'silent' }),
    templates,
    letterTemplates,
    setting: { publicUrl: 'https://news.example.com', postalAddress: '1 Example Street, Example Town' },
    calendar: newYork,
    comparisons: { least: 1, most: 10 },
    fewestVotes: 5,
    rules: { policy: 'auto', grace: Temporal.Duration.from('PT36H') },
    wire: {
      from: 'Weekly <verdicts@example.com>',
      replyTo: undefined,
      publicUrl: 'https://news.example.com',
    },
    listId: 'weekly.example.com',
    keys: testKeys,
    keyId: 'k1',
    dailyLimit: undefined,
    worker: 'test',
    ...parts,
  }
}

/** Drafts and approves the issue of a week from whatever is published, at the clock's instant. */
export async function approvedIssue(deps: WorkDeps, week = '2026-W47'): Promise<Issue> {
  const named = weekNamed(week, deps.calendar)
  if (!named) throw new Error(`${week} is no week`)
  await draftIssue(deps, named)
  await decide(deps, week, 'approve', 'eve@example.test')
  const issue = await findIssue(deps.db, week)
  if (!issue) throw new Error(`${week} was not drafted`)
  return issue
}
