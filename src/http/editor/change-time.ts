import type { Context, Hono } from 'hono'
import { z } from 'zod'
import { instantOf } from '../../clock.ts'
import { awaitsDraft, changeTime, mayChangeTime, type NewTime } from '../../issue/change-time.ts'
import type { Issue } from '../../issue/issue.ts'
import { weekNamed } from '../../issue/week.ts'
import { askTwice } from './ask-twice.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { readFields } from './fields.ts'
import { redirectSaying } from './flash.ts'
import { issueNamed } from './issue-named.ts'
import { deskNotFound, deskPage } from './page.ts'
import { retimedWords, sentence } from './time-words.ts'
import { dayAndTime, fromNow, placeOf } from './when.ts'

const typed = z.object({
  ...{ date: z.string().max(40).default(''), time: z.string().max(40).default('') },
  ...{ draftDate: z.string().max(40).default(''), draftTime: z.string().max(40).default('') },
  seen: z.string().max(40).default(''),
  sure: z.literal('yes').optional(),
})
type Typed = z.infer<typeof typed>

/** `/desk/issues/:week/time`: another time for one issue, as a date and a time on the newsletter's clock. */
export function changeTimeRoutes(deps: DeskDeps): Hono<DeskEnv> {
  return desk()
    .get('/desk/issues/:week/time', async (c) => {
      const issue = await issueNamed(deps, c.req.param('week'))
      if (!issue || !mayChangeTime(issue)) return deskNotFound(c, deps, tooLate)
      return form(c, deps, issue, asTyped(issue), '')
    })
    .post('/desk/issues/:week/time', async (c) => {
      const issue = await issueNamed(deps, c.req.param('week'))
      const fields = typed.safeParse(await readFields(c))
      if (!issue || !fields.success) return deskNotFound(c, deps, tooLate)
      const wish = wishOf(fields.data, issue)
      if (typeof wish === 'string') return form(c, deps, issue, fields.data, wish)
      return carryOut(c, deps, issue, fields.data, wish)
    })
}

const tooLate = 'There is no issue of that week whose time could be changed, or no longer.'

async function carryOut(
  c: Context<DeskEnv>,
  deps: DeskDeps,
  issue: Issue,
  fields: Typed,
  wish: NewTime,
): Promise<Response> {
  const how = { by: c.get('session').editor, yes: fields.sure === 'yes', seen: instant(fields.seen) }
  const retimed = await changeTime(deps, issue.week, wish, how)
  const page = `/desk/issues/${issue.week}`
  if (retimed.ok) {
    deps.wake('tick')
    return redirectSaying(c, page, { kind: 'done', text: retimedWords(retimed, issue, wallOf(fields)) })
  }
  if (retimed.warned) {
    const { sure: _, ...kept } = fields
    return askTwice(c, deps, {
      ...{ section: 'week', title: 'Change its time all the same?', week: issue.week, back: `${page}/time` },
      words: [`${sentence(retimed.problem)}.`],
      ...{ label: 'Change its time', path: `${page}/time`, fields: { ...kept, sure: 'yes' } },
    })
  }
  const now = await issueNamed(deps, issue.week)
  const problem = `${sentence(retimed.problem)}. Nothing was changed.`
  return now && mayChangeTime(now)
    ? form(c, deps, now, fields, problem)
    : redirectSaying(c, page, { kind: 'problem', text: problem })
}

function form(
  c: Context<DeskEnv>,
  deps: DeskDeps,
  issue: Issue,
  fields: Typed,
  problem: string,
): Promise<Response> {
  const now = deps.clock()
  const { week, timezone, due_at, draft_at } = issue
  const usual = weekNamed(week, deps.calendar)?.dueAt
  const mayGoBack = usual && !usual.equals(due_at) && Temporal.Instant.compare(usual, now) > 0
  return deskPage(c, deps, 'desk-time', {
    ...{ section: 'week', title: 'Change its time', status: problem ? 422 : 200 },
    data: {
      ...{ week, problem, path: `/desk/issues/${week}/time`, back: `/desk/issues/${week}` },
      ...{ place: placeOf(timezone), zone: timezone, seen: due_at.toString() },
      now: `${dayAndTime(due_at, timezone)}, ${fromNow(due_at, now)}`,
      ...{ date: fields.date, time: fields.time },
      draft: awaitsDraft(issue) && {
        date: fields.draftDate,
        time: fields.draftTime,
        now: dayAndTime(draft_at, timezone),
      },
      isApproved: issue.approved_hash !== null && issue.approved_hash === issue.edition_hash,
      isMissed: issue.state === 'missed',
      usual: mayGoBack && { person: dayAndTime(usual, timezone), ...wallFields(usual, timezone) },
    },
  })
}

/** What was typed, as instants; a time that was left as it is, is no wish. Words where it is no date or time. */
function wishOf(fields: Typed, issue: Issue): NewTime | string {
  const before = asTyped(issue)
  const due = wallOf(fields)
  if (!due)
    return 'Give the day as a date and the hour as a time, such as 2026-11-27 and 09:00. Nothing was changed.'
  const isMoved = fields.date !== before.date || fields.time !== before.time
  const wish = isMoved ? { due: instantOf(due, issue.timezone) } : {}
  const isDraftMoved = fields.draftDate !== before.draftDate || fields.draftTime !== before.draftTime
  if (!awaitsDraft(issue) || !isDraftMoved || (fields.draftDate === '' && fields.draftTime === ''))
    return wish
  const draft = wallFrom(fields.draftDate, fields.draftTime)
  if (!draft) return 'Give the day and hour of drafting as a date and a time, too. Nothing was changed.'
  return { ...wish, draft: instantOf(draft, issue.timezone) }
}

function asTyped({ due_at, draft_at, timezone }: Issue): Typed {
  const draft = wallFields(draft_at, timezone)
  return {
    ...{ ...wallFields(due_at, timezone), draftDate: draft.date, draftTime: draft.time },
    seen: due_at.toString(),
  }
}

function wallFields(at: Temporal.Instant, zone: string): { date: string; time: string } {
  const local = at.toZonedDateTimeISO(zone)
  return {
    date: local.toPlainDate().toString(),
    time: local.toPlainTime().toString({ smallestUnit: 'minute' }),
  }
}

function wallOf({ date, time }: Typed): Temporal.PlainDateTime | undefined {
  return wallFrom(date, time)
}

function wallFrom(date: string, time: string): Temporal.PlainDateTime | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date) || !/^\d{2}:\d{2}(?::00)?$/.test(time)) return undefined
  try {
    return Temporal.PlainDate.from(date, { overflow: 'reject' }).toPlainDateTime(
      Temporal.PlainTime.from(time),
    )
  } catch {
    return undefined
  }
}

function instant(text: string): Temporal.Instant | undefined {
  try {
    return Temporal.Instant.from(text)
  } catch {
    return undefined
  }
}
