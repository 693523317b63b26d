import type { Hono } from 'hono'
import { z } from 'zod'
import type { DecisionKind } from '../../../db/schema.ts'
import type { LoggedDecision } from '../../issue/list-decisions.ts'
import { listSittings, type Sitting } from '../../issue/list-sittings.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { deskPage } from './page.ts'
import { isPublicId } from './reader-named.ts'
import { placeOf, shortTime } from './when.ts'

const pageSize = 50
const query = z.object({
  before: z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER).optional().catch(undefined),
})

/** `GET /desk/log`: who did what, newest first. */
export function logRoutes(deps: DeskDeps): Hono<DeskEnv> {
  const { db, calendar } = deps
  return desk().get('/desk/log', async (c) => {
    const { before } = query.parse(c.req.query())
    const { sittings, hasMore } = await listSittings(db, { before, most: pageSize })
    return deskPage(c, deps, 'desk-log', {
      ...{ section: 'log', title: 'Log' },
      data: {
        decisions: sittings.map((one) => decisionRow(one, calendar.zone)),
        caption: `Newest first; times in ${placeOf(calendar.zone)}`,
        newest: before === undefined ? '' : '/desk/log',
        older: hasMore ? `/desk/log?before=${sittings.at(-1)?.first.id}` : '',
      },
    })
  })
}

/** A decision, or the saves of a sitting, as a row of a table. */
export function decisionRow({ at, by, what, week, batchId, evidence, first, count }: Sitting, zone: string) {
  const facts = [
    ...(batchId ? [`batch ${batchId.slice(0, 8)}`] : []),
    ...Object.entries(evidence).flatMap(([name, value]) => (about.has(name) ? [] : fact(name, value))),
  ].join(', ')
  const row = { by, week: week ?? '', reader: readerIn(evidence), flag: flagIn(evidence) }
  if (count === 1)
    return {
      ...row,
      ...{ what: words[what], at: { machine: at.toString(), person: shortTime(at, zone) }, detail: facts },
    }
  return {
    ...row,
    ...{
      what: `${words[what]} ${count} times`,
      detail: `from revision ${first.evidence.revision}; the last: ${facts}`,
    },
    at: { machine: at.toString(), person: timesOf(first.at, at, zone) },
  }
}

/** "26 Nov 2026, 10:00–10:30" */
function timesOf(from: Temporal.Instant, to: Temporal.Instant, zone: string): string {
  const [begun, ended] = [from, to].map((at) => shortTime(at, zone))
  const [day, clock] = ended?.split(', ') ?? []
  return begun?.startsWith(`${day}, `) ? `${begun}–${clock}` : `${begun} to ${ended}`
}

/** The path of the reader whom it is about; empty when it is about none. */
function readerIn({ reader }: LoggedDecision['evidence']): string {
  return typeof reader === 'string' && isPublicId(reader) ? `/desk/readers/${reader}` : ''
}

/** The path of the flag on votes that it is about; empty when it is about none. */
function flagIn({ flag }: LoggedDecision['evidence']): string {
  return typeof flag === 'number' ? `/desk/votes/flags/${flag}` : ''
}

/** What is linked is not said again. */
const about: ReadonlySet<string> = new Set(['reader', 'flag'])

/** Ids and counts as they were recorded; long ones cut, what is nested left to the table. */
function fact(name: string, value: unknown): readonly string[] {
  if (typeof value === 'number' || typeof value === 'boolean') return [`${name} ${value}`]
  if (typeof value !== 'string' || value === '') return []
  return [`${name} ${/^[0-9a-f]{64}$/.test(value) ? value.slice(0, 12) : value}`]
}

const words: Record<DecisionKind, string> = {
  'sign in': 'Signed in',
  'sign out': 'Signed out',
  'sign out everywhere': 'Signed out everywhere',
  'lock out': 'Locked out after wrong codes',
  draft: 'Drafted',
  edit: 'Edited',
  approve: 'Approved',
  hold: 'Held back',
  release: 'Let go',
  cancel: 'Cancelled',
  'send now': 'Sent now',
  'change time': 'Changed the time',
  'test send': 'Sent a test',
  'retry failed': 'Tried the refused again',
  confirm: 'Confirmed as sent',
  resend: 'Sent again',
  drop: 'Left as it is',
  quarantine: 'Put in quarantine',
  'adopt database': 'Adopted the database',
  'resend confirmation': 'Sent the confirmation again',
  unsubscribe: 'Unsubscribed a reader',
  suppress: 'Suppressed an address',
  'lift suppression': 'Lifted a suppression',
  'end pause': 'Ended a reader’s pause',
  'add reader': 'Added a reader',
  'export reader': 'Exported what is held of a reader',
  erase: 'Erased a reader',
  publish: 'Published a comparison',
  'edit comparison': 'Edited a comparison',
  retract: 'Retracted a comparison',
  restore: 'Restored a comparison',
  'let pass': 'Let a block pass',
  'leave votes': 'Left votes counted',
  'set votes aside': 'Set votes aside',
  'count votes again': 'Counted votes again',
}
