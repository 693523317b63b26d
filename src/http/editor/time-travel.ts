import type { Hono } from 'hono'
import { z } from 'zod'
import { instantOf } from '../../clock.ts'
import { type AsOf, issueAsOf } from '../../issue/as-of.ts'
import { cutEdition, fillEdition } from '../../issue/edition.ts'
import { findIssue, nextIssueWeek } from '../../issue/issue.ts'
import { nextDueWeek, weekAfter, weekBefore, weekNamed } from '../../issue/week.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { mailFrame } from './mail-frame.ts'
import { deskNotFound, deskPage } from './page.ts'
import { asPreview } from './policy.ts'
import { views } from './preview-views.ts'
import { dayAndTime, grouped, placeOf } from './when.ts'

const looks = views.filter(({ view }) => ['phone', 'desktop', 'dark', 'text'].includes(view))
const asked = z.object({
  week: z.string().max(20).trim().catch(''),
  at: z.string().max(40).trim().catch(''),
  view: z.enum(['phone', 'desktop', 'dark', 'text']).catch('phone'),
})
const listed = 100

/** `GET /desk/time-travel`: any week as of any instant: what would be in it, what not and why, and how it would look. Nothing is stored. */
export function timeTravelRoutes(deps: DeskDeps): Hono<DeskEnv> {
  return desk()
    .get('/desk/time-travel', async (c) => {
      const query = asked.parse(c.req.query())
      const trip = await tripOf(deps, query)
      return deskPage(c, deps, 'desk-time-travel', {
        ...{ section: 'issues', title: 'Time travel', status: trip.problem ? 422 : 200 },
        data: {
          ...{ week: trip.week, at: trip.at, problem: trip.problem, place: placeOf(deps.calendar.zone) },
          shortcuts: await shortcuts(deps),
          found: trip.found ? await foundView(deps, trip.found, trip.instant, query) : undefined,
        },
      })
    })
    .get('/desk/time-travel/frame', async (c) => {
      const query = asked.parse(c.req.query())
      const { found } = await tripOf(deps, query)
      if (!found?.edition) return deskNotFound(c, deps, 'There is no edition to show.')
      const shade = query.view === 'dark' ? 'dark' : 'light'
      const frame = mailFrame(found.edition, {
        publicUrl: deps.wire.publicUrl,
        links: found.links,
        shade,
      })
      return asPreview(c).html(frame)
    })
}

type Trip = {
  readonly week: string
  /** The wall time asked for, as the field has it. */
  readonly at: string
  readonly instant: Temporal.Instant
  readonly found: AsOf | undefined
  readonly problem: string
}

/** Where a query wants to go: the coming issue as of now, unless it says otherwise. */
async function tripOf(deps: DeskDeps, query: z.infer<typeof asked>): Promise<Trip> {
  const { db, clock, calendar } = deps
  const now = clock()
  const week = query.week || (await nextIssueWeek(db, now, calendar)).name
  const instant = query.at === '' ? now : instantAt(query.at, calendar.zone)
  const at = query.at === '' ? wallTime(now, calendar.zone).slice(0, 16) : query.at
  const lost = { week, at, instant: instant ?? now, found: undefined }
  if (!instant)
    return {
      ...lost,
      problem: `“${at}” is no date and time. Write it like ${wallTime(now, calendar.zone)}.`,
    }
  const found = await issueAsOf(deps, week, instant)
  return found
    ? { ...lost, found, problem: '' }
    : { ...lost, problem: `“${week}” is no week. Weeks are written like ${nextDueWeek(now, calendar).name}.` }
}

async function foundView(
  deps: DeskDeps,
  found: AsOf,
  instant: Temporal.Instant,
  { view, at }: z.infer<typeof asked>,
) {
  const { week, chosen, edition } = found
  const address = (path: string, look: string) =>
    `${path}?${new URLSearchParams({ week: week.name, ...(at && { at }), view: look })}`
  const waiting = found.leftOut.filter(({ reason }) => !isElsewhere(reason))
  const elsewhere = found.leftOut.filter(({ reason }) => isElsewhere(reason))
  return {
    ...{ week: week.name, when: withYear(instant, deps.calendar.zone), reason: found.reason, chosen },
    isAhead: Temporal.Instant.compare(instant, deps.clock()) > 0,
    count: chosen.length === 1 ? '1 comparison' : `${grouped(chosen.length)} comparisons`,
    ...{ waiting: waiting.slice(0, listed), elsewhere: elsewhere.slice(0, listed) },
    elsewhereCount: grouped(elsewhere.length),
    more: grouped(Math.max(0, waiting.length - listed) + Math.max(0, elsewhere.length - listed)),
    isMore: waiting.length > listed || elsewhere.length > listed,
    unknown: found.unknown > 0 ? grouped(found.unknown) : '',
    edits: found.edits > 0 ? String(found.edits) : '',
    stored: await againstStored(deps, found),
    edition: edition && {
      ...{ subject: edition.subject, preheader: edition.preheader, hash: edition.hash.slice(0, 12) },
      bytes: grouped(Buffer.byteLength(edition.html)),
      tabs: looks.map((look) => ({
        ...{ label: look.label, isCurrent: look.view === view },
        url: `${address('/desk/time-travel', look.view)}#edition`,
      })),
      frame: view === 'text' ? '' : address('/desk/time-travel/frame', view),
      isPhone: view !== 'desktop',
      text: view === 'text' ? fillEdition(cutEdition(edition), inBrackets).text : '',
    },
  }
}

function withYear(instant: Temporal.Instant, zone: string): string {
  return dayAndTime(instant, zone).replace(',', ` ${instant.toZonedDateTimeISO(zone).year},`)
}

/** What stands in the plain text for links that are a reader's own: there is no reader here. */
const inBrackets = {
  unsubscribe: '[the reader’s way off the list]',
  preferences: '[the reader’s preferences]',
  webVersion: '[the issue on the web]',
  vote: '[the reader’s vote]',
}

function isElsewhere(reason: string): boolean {
  return reason.startsWith('in issue ') || reason.startsWith('archive')
}

/** Whether the week's stored edition is this very one. */
async function againstStored({ db }: DeskDeps, { week, edition }: AsOf): Promise<string> {
  const issue = await findIssue(db, week.name)
  if (!issue?.edition_hash || !edition) return ''
  return issue.edition_hash === edition.hash
    ? 'Byte for byte the edition that is stored for this week.'
    : 'Not the edition that is stored for this week.'
}

async function shortcuts({ db, clock, calendar }: DeskDeps) {
  const now = clock()
  const coming = await nextIssueWeek(db, now, calendar)
  const after = weekAfter(weekNamed(coming.name, calendar) ?? coming, calendar)
  const before = weekBefore(weekNamed(coming.name, calendar) ?? coming, calendar)
  const cutoff = (await findIssue(db, before.name))?.cutoff_at ?? before.draftAt
  return [
    { label: `${coming.name} as of now`, week: coming.name, at: undefined },
    { label: `${coming.name} as of its draft`, week: coming.name, at: coming.draftAt },
    { label: `${after.name} as of its draft`, week: after.name, at: after.draftAt },
    { label: `${before.name} as it was drafted`, week: before.name, at: cutoff },
  ].map(({ label, week, at }) => ({
    label,
    url: `/desk/time-travel?${new URLSearchParams({ week, ...(at && { at: wallTime(at, calendar.zone) }) })}`,
  }))
}

/** A date and time as a field has it, e.g. `2026-11-19T09:00`, in the newsletter's zone; also an instant as RFC 3339 has it. */
function instantAt(text: string, zone: string): Temporal.Instant | undefined {
  try {
    return /(?:Z|[+-]\d\d:\d\d)$/i.test(text)
      ? Temporal.Instant.from(text)
      : instantOf(Temporal.PlainDateTime.from(text), zone)
  } catch {
    return undefined
  }
}

function wallTime(instant: Temporal.Instant, zone: string): string {
  const wall = instant.toZonedDateTimeISO(zone).toPlainDateTime()
  const isWhole = wall.second === 0 && wall.millisecond === 0 && wall.microsecond === 0
  return wall.toString({ smallestUnit: isWhole ? 'minute' : 'millisecond' })
}
