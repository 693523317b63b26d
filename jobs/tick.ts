import type { Kysely } from 'kysely'
import type { Database } from '../db/schema.ts'
import type { Calendar, Clock } from '../src/clock.ts'
import type { DailyLimit } from '../src/delivery/daily-limit.ts'
import type { SendRules } from '../src/delivery/send.ts'
import { ensureIssue } from '../src/issue/issue.ts'
import { nextDueWeek, weekAfter, weekNamed } from '../src/issue/week.ts'

export type TickDeps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly calendar: Calendar
  readonly rules: SendRules
  readonly dailyLimit?: DailyLimit | undefined
}

/** What the timetable asks for now. */
export type Due = { readonly job: 'draft-issue' | 'send-issue'; readonly week: string }

/** Two issues are never started within a day of each other by the timetable (RELIABILITY 4.4). */
const apart = Temporal.Duration.from({ hours: 24 })

/**
 * One look at the timetable, from the tables alone: makes sure that every week up to the next has its row, parks what is
 * too late, and returns what is due, oldest first. Looking twice, or in several processes, is no harm.
 */
export async function lookAtTimetable(deps: TickDeps): Promise<readonly Due[]> {
  await ensureWeeks(deps)
  await parkWhatIsLate(deps)
  await goOn(deps)
  return [...(await dueDrafts(deps)), ...(await dueIssues(deps))]
}

/** The next issue's week, and every week since the newest that no process was there to see. */
async function ensureWeeks({ db, clock, calendar }: TickDeps): Promise<void> {
  const next = nextDueWeek(clock(), calendar)
  const newest = await db
    .selectFrom('issue')
    .select('week')
    .where('week', '<=', next.name)
    .orderBy('week', 'desc')
    .limit(1)
    .executeTakeFirst()
  let week = newest && weekNamed(newest.week, calendar)
  while (week && week.name < next.name) {
    week = weekAfter(week, calendar)
    await ensureIssue(db, week)
  }
  await ensureIssue(db, next)
}

/** Later than SEND_GRACE after its time, an issue waits for an editor instead of going out by itself; once one has let it go on, it has as long again. */
async function parkWhatIsLate({ db, clock, rules, dailyLimit }: TickDeps): Promise<void> {
  const latest = clock().subtract(rules.grace)
  await db
    .updateTable('issue')
    .set((eb) => ({
      state: 'missed',
      reason: eb
        .case('state')
        .when('scheduled')
        .then('nothing was running when it was to be drafted and sent')
        .else('it was not sent within SEND_GRACE of its time')
        .end(),
    }))
    .where('state', 'in', ['scheduled', 'draft', 'approved'])
    .where('due_at', '<', latest)
    .execute()
  // Where a day has a limit, a long list takes days, and that is as it should be.
  if (dailyLimit) return
  await db
    .updateTable('issue')
    .set({ state: 'paused', reason: 'it is unfinished, and its time is longer ago than SEND_GRACE' })
    .where('state', '=', 'sending')
    .where('due_at', '<', latest)
    .where('planned_at', '<', latest)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('decision as d')
            .select('d.id')
            .whereRef('d.issue_id', '=', 'issue.id')
            .where('d.what', 'in', ['release', 'resend', 'retry failed'])
            .where('d.at', '>=', latest),
        ),
      ),
    )
    .execute()
}

/** A pause that was only for the rest of a day (the provider's quota) ends by itself. */
async function goOn({ db, clock }: TickDeps): Promise<void> {
  await db
    .updateTable('issue')
    .set({ state: 'sending', reason: null, resume_at: null })
    .where('state', '=', 'paused')
    .where('resume_at', '<=', clock())
    .execute()
}

async function dueDrafts({ db, clock }: TickDeps): Promise<readonly Due[]> {
  const issues = await db
    .selectFrom('issue')
    .select('week')
    .where('state', '=', 'scheduled')
    .where('draft_at', '<=', clock())
    .orderBy('week')
    .execute()
  return issues.map(({ week }) => ({ job: 'draft-issue', week }))
}

/** What is unfinished, and the oldest that may be started: with two at once they would go out on the same day. */
async function dueIssues({ db, clock, rules }: TickDeps): Promise<readonly Due[]> {
  const now = clock()
  const issues = await db
    .selectFrom('issue as i')
    .select(['week', 'state'])
    .where((eb) =>
      eb.or([
        eb('state', '=', 'sending'),
        eb.and([
          eb('state', 'in', rules.policy === 'auto' ? ['draft', 'approved'] : ['approved']),
          eb('due_at', '<=', now),
          eb.not(
            eb.exists(
              eb
                .selectFrom('issue as other')
                .select('other.id')
                .whereRef('other.id', '!=', 'i.id')
                .where('other.planned_at', '>', now.subtract(apart))
                .where('other.planned_at', '<=', now),
            ),
          ),
        ]),
      ]),
    )
    .orderBy('week')
    .execute()
  const oldest = issues.find(({ state }) => state !== 'sending')
  return issues
    .filter((issue) => issue.state === 'sending' || issue === oldest)
    .map(({ week }) => ({ job: 'send-issue', week }))
}
