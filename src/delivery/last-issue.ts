import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Issue } from '../issue/issue.ts'
import { type Finding, found } from '../issue/preflight/finding.ts'
import type { AudienceNow } from '../subscriber/audience.ts'
import { alarmAt, type Feedback } from './feedback.ts'

/** The issue that went out before another, with what it said. */
export type LastIssue = {
  readonly id: number
  readonly week: string
  readonly planned: number
  readonly subject: string
}

/** The newest issue that was planned before this one; undefined when it is the first. */
export function lastIssue(db: Kysely<Database>, issue: Issue): Promise<LastIssue | undefined> {
  return db
    .selectFrom('issue as i')
    .innerJoin('edition as e', 'e.hash', 'i.edition_hash')
    .select(['i.id', 'i.week', 'i.planned', 'e.subject'])
    .where('i.planned_at', 'is not', null)
    .where('i.id', '<>', issue.id)
    .$if(issue.planned_at !== null, (query) => query.where('i.planned_at', '<', issue.planned_at))
    .orderBy('i.planned_at', 'desc')
    .limit(1)
    .executeTakeFirst()
}

/**
 * Where a block begins. Gmail gives no mitigation at a spam rate of 0.30 % (RELIABILITY 2.1). Amazon SES, through which
 * Resend sends, reviews an account at 5 % of bounces and may stop it at 10 %: https://docs.aws.amazon.com/ses/latest/dg/reputationdashboardmessages.html
 */
export const blockAt = { complaints: 0.003, hardBounces: 0.1 } as const

/** Complaints about the last issue, of the mails that arrived. */
export function complaintsFinding(last: LastIssue | undefined, feedback: Feedback | undefined): Finding {
  const count = feedback?.counts.complained ?? 0
  const arrived = (feedback?.counts.delivered ?? 0) + count
  return ratioFinding('complaints', last, feedback?.complaintRatio ?? null, {
    ...{ words: `${grouped(count)} of ${grouped(arrived)} mails that arrived were called spam`, digits: 2 },
    ...{ warn: alarmAt.complaints, block: blockAt.complaints },
  })
}

/** Mailboxes of the last issue that do not exist, of the mails that were reported on to the end. */
export function bouncesFinding(last: LastIssue | undefined, feedback: Feedback | undefined): Finding {
  const count = feedback?.counts['bounced hard'] ?? 0
  return ratioFinding('bounces', last, feedback?.hardBounceRatio ?? null, {
    ...{ words: `${grouped(count)} mailboxes do not exist`, digits: 1 },
    ...{ warn: alarmAt.hardBounces, block: blockAt.hardBounces },
  })
}

function ratioFinding(
  id: 'complaints' | 'bounces',
  last: LastIssue | undefined,
  ratio: number | null,
  { words, warn, block, digits }: { words: string; warn: number; block: number; digits: number },
): Finding {
  if (!last) return found(id, 'pass', 'no issue has gone out before this one', { place: '/desk/issues' })
  const place = `/desk/issues/${last.week}`
  if (ratio === null) return found(id, 'pass', `nothing was heard of ${last.week} yet`, { place })
  const level = ratio >= block ? 'block' : ratio >= warn ? 'warn' : 'pass'
  const limit = level === 'block' ? block : warn
  const against = level === 'pass' ? 'under' : 'at or above'
  const share = percent(ratio, digits)
  return found(id, level, `${share} of ${last.week}, ${against} ${percent(limit, digits)}`, {
    evidence: [
      `${last.week}: ${words}`,
      `${share}; warned at ${percent(warn, digits)}, stopped at ${percent(block, digits)}`,
    ],
    place,
  })
}

/** Readers that fell away or came in numbers that hardly happen by themselves: a filter, an import, a mistake (FIELD: Plunk #337). */
const suspicious = { fewer: 0.1, more: 0.2 } as const

/** Who would get it now, against whom the last issue was planned for. Large lists are estimated, and it says so. */
export function audienceFinding({ readers, isEstimate }: AudienceNow, last: LastIssue | undefined): Finding {
  const place = '/desk#audience'
  const about = isEstimate ? 'about ' : ''
  const now = `${about}${grouped(readers)} ${readers === 1 ? 'reader' : 'readers'}`
  const evidence = [
    `now: ${now}`,
    ...(last ? [`${last.week}: planned for ${grouped(last.planned)}`] : []),
    ...(isEstimate ? ['PostgreSQL’s own estimate, as fresh as its last ANALYZE'] : []),
  ]
  if (readers === 0) {
    // A list that was never filled is a beginning; one that is empty all at once is a mistake.
    const level = last && last.planned > 0 ? 'block' : 'warn'
    return found('audience', level, 'nobody would get it', { evidence, place })
  }
  if (!last || last.planned === 0)
    return found('audience', 'pass', `${now}; there is no issue to compare with`, { evidence, place })
  const change = readers / last.planned - 1
  const size = percent(Math.abs(change), 0)
  const isLarge = change <= -suspicious.fewer || change >= suspicious.more
  const than = `${size} ${change < 0 ? 'fewer' : 'more'} than ${last.week} was planned for`
  return found(
    'audience',
    isLarge ? 'warn' : 'pass',
    `${now}, ${change === 0 ? `as many as ${last.week}` : than}`,
    {
      ...{ evidence, place },
    },
  )
}

function percent(share: number, digits: number): string {
  return `${(share * 100).toFixed(digits)} %`
}

function grouped(count: number): string {
  return count.toLocaleString('en-GB')
}
