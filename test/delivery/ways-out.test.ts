import { describe, expect, it } from 'vitest'
import type { IssueState } from '../../db/schema.ts'
import { sendIssue } from '../../jobs/send-issue.ts'
import { lookAtTimetable } from '../../jobs/tick.ts'
import { closeCancelled } from '../../src/delivery/close-cancelled.ts'
import { batchesInDoubt } from '../../src/delivery/doubt.ts'
import { resolveBatch } from '../../src/delivery/quarantine.ts'
import { accountOf } from '../../src/delivery/report.ts'
import { retryFailed } from '../../src/delivery/retry-failed.ts'
import { waysOut } from '../../src/delivery/ways-out.ts'
import { type Decision, decide } from '../../src/issue/decide.ts'
import { draftIssue } from '../../src/issue/draft.ts'
import { ensureIssue, findIssue, type Issue } from '../../src/issue/issue.ts'
import { weekNamed } from '../../src/issue/week.ts'
import { clockAt } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { claimAs, type DueIssue, dueIssue, lostAnswer, plannedIssue, thursday } from '../setup/delivery.ts'
import { doubtOf } from '../setup/doubt.ts'
import { newsletterWith, newYork } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { openPostOffice } from '../setup/post-office.ts'

const database = useDatabase()
const week = '2026-W47'
const refusal = { kind: 'rejected', reason: 'no such mailbox' } as const

/** How an issue comes to be there, and where each way out of it leads. `verdict` is left out of the commands. */
const table: readonly {
  readonly what: string
  readonly given: () => Promise<Pick<DueIssue, 'deps' | 'clock'>>
  readonly ways: Readonly<Record<string, IssueState>>
}[] = [
  {
    what: 'scheduled',
    given: scheduled,
    ways: { 'draft --week 2026-W47': 'draft', 'cancel 2026-W47': 'cancelled' },
  },
  {
    what: 'quiet, and then something is published',
    given: quiet,
    ways: { 'draft --week 2026-W47': 'draft' },
  },
  {
    what: 'draft',
    given: async () => inState(await due(), 'draft'),
    ways: { 'approve 2026-W47': 'approved', 'hold 2026-W47': 'held', 'cancel 2026-W47': 'cancelled' },
  },
  {
    what: 'approved',
    given: due,
    ways: { 'send 2026-W47 --now': 'sent', 'hold 2026-W47': 'held', 'cancel 2026-W47': 'cancelled' },
  },
  {
    what: 'held',
    given: () => decided('hold', due),
    ways: { 'release 2026-W47': 'approved', 'cancel 2026-W47': 'cancelled' },
  },
  {
    what: 'missed after it was drafted',
    given: missed,
    ways: { 'send 2026-W47 --now': 'sent', 'cancel 2026-W47': 'cancelled' },
  },
  {
    what: 'missed before it was drafted',
    given: missedUndrafted,
    ways: { 'cancel 2026-W47': 'cancelled' },
  },
  {
    what: 'sending, and no worker runs',
    given: planned,
    ways: { 'send 2026-W47': 'sent', 'hold 2026-W47': 'paused', 'cancel 2026-W47': 'cancelled' },
  },
  {
    what: 'paused by an editor',
    given: () => decided('hold', planned),
    ways: { 'release 2026-W47': 'sending', 'cancel 2026-W47': 'cancelled' },
  },
  {
    what: 'paused by a systemic answer',
    given: halted,
    ways: { 'release 2026-W47': 'sending', 'cancel 2026-W47': 'cancelled' },
  },
  {
    what: 'paused because it is too late',
    given: late,
    ways: { 'release 2026-W47': 'sending', 'cancel 2026-W47': 'cancelled' },
  },
  {
    what: 'partly sent, a mail was refused',
    given: refused,
    ways: { 'send 2026-W47 --retry-failed': 'sent' },
  },
  {
    what: 'partly sent, a batch is in quarantine',
    given: quarantined,
    ways: { 'quarantine list 2026-W47': 'sent' },
  },
  { what: 'sent', given: sent, ways: {} },
  { what: 'cancelled before anything was sent', given: () => decided('cancel', due), ways: {} },
  {
    what: 'cancelled with a call in flight',
    given: cancelledInTheMiddle,
    ways: { 'quarantine list 2026-W47': 'cancelled' },
  },
]

describe.each(table)('an issue that is $what', ({ given, ways }) => {
  it(`names its ways out: ${Object.keys(ways).join(', ') || 'none, because it is over'}`, async () => {
    await given()

    expect((await namedWays()).toSorted()).toEqual(Object.keys(ways).toSorted())
  })

  it.each(Object.entries(ways))('is, after verdict %s, %s', async (command, state) => {
    const { deps, clock } = await given()

    await carryOut(command, deps)

    expect((await issueNow()).state).toBe(state)
    // It is not put back where it was by the next look at the timetable, and what it promises comes true.
    clock.pass('PT1M')
    await lookAtTimetable(deps)
    if (state === 'sending') await sendIssue(deps, week)
    if (state === 'sending') expect((await issueNow()).state).toBe('sent')
    expect((await accountNow()).quarantined).toBe(0)
  })
})

async function carryOut(command: string, deps: DueIssue['deps']): Promise<void> {
  const [verb = '', ...rest] = command.split(' ')
  switch (verb) {
    case 'draft': {
      const named = weekNamed(week, deps.calendar)
      if (named) await draftIssue(deps, named)
      return
    }
    case 'send':
      if (rest.includes('--retry-failed')) await retryFailed(deps, week, 'olga')
      await sendIssue(deps, week, { early: rest.includes('--now') })
      return
    case 'quarantine':
      for (const id of await batchesInDoubt(database.db, { week }))
        await resolveBatch(deps, await doubtOf(database.db, id), 'confirm', { by: 'olga', yes: true })
      return
    default: {
      const decision = (['approve', 'hold', 'release', 'cancel'] as const).find(
        (one: Decision) => one === verb,
      )
      if (!decision) throw new Error(`Nobody knows how to ${command}`)
      expect(await decide(deps, week, decision, 'olga')).toMatchObject({ ok: true })
    }
  }
}

async function namedWays(): Promise<readonly string[]> {
  const ways = waysOut(await issueNow(), await accountNow())
  return ways.map(({ command }) => command.replace('verdict ', ''))
}

async function due(): Promise<DueIssue> {
  await people.ann(database.db)
  return dueIssue(database)
}

async function planned(): Promise<DueIssue> {
  await people.ann(database.db)
  return plannedIssue(database)
}

async function inState(made: DueIssue, state: IssueState): Promise<DueIssue> {
  await database.db
    .updateTable('issue')
    .set({ state, approved_hash: null, approved_at: null, approved_by: null })
    .execute()
  return made
}

async function decided(decision: Decision, given: () => Promise<DueIssue>): Promise<DueIssue> {
  const made = await given()
  await decide(made.deps, week, decision, 'eve')
  return made
}

async function scheduled() {
  const [clock, named] = [clockAt(thursday), weekNamed(week, newYork)]
  if (!named) throw new Error(`${week} is no week`)
  await publish(database.db, documentFor('glyphmoor-vs-kernwick'))
  await ensureIssue(database.db, named)
  return { clock, deps: newsletterWith(database, { clock, transport: openPostOffice() }) }
}

async function quiet() {
  const clock = clockAt(thursday)
  const deps = newsletterWith(database, { clock, transport: openPostOffice() })
  const named = weekNamed(week, newYork)
  if (named) await draftIssue(deps, named)
  await publish(database.db, documentFor('glyphmoor-vs-kernwick'))
  return { clock, deps }
}

async function missed(): Promise<DueIssue> {
  const made = await due()
  made.clock.pass('PT72H')
  await lookAtTimetable(made.deps)
  return made
}

async function missedUndrafted() {
  const made = await scheduled()
  made.clock.pass('PT96H')
  await lookAtTimetable(made.deps)
  return made
}

async function halted(): Promise<DueIssue> {
  const made = await planned()
  made.mail.answerNext({ kind: 'halt', reason: 'the key is not known' })
  await sendIssue(made.deps, week)
  return made
}

async function late(): Promise<DueIssue> {
  const made = await planned()
  made.clock.pass('PT72H')
  await lookAtTimetable(made.deps)
  return made
}

async function refused(): Promise<DueIssue> {
  const made = await planned()
  made.mail.answerNext(refusal)
  await sendIssue(made.deps, week)
  return made
}

async function quarantined(): Promise<DueIssue> {
  await people.ann(database.db)
  const made = await plannedIssue(database, { mail: openPostOffice({ repeatable: false }) })
  made.mail.answerNext(lostAnswer('after they were taken'))
  await sendIssue(made.deps, week)
  made.clock.pass('PT1H')
  await sendIssue(made.deps, week)
  return made
}

async function sent(): Promise<DueIssue> {
  const made = await due()
  await sendIssue(made.deps, week)
  return made
}

async function cancelledInTheMiddle(): Promise<DueIssue> {
  const made = await planned()
  await claimAs('a worker that dies', made)
  await decide(made.deps, week, 'cancel', 'eve')
  made.clock.pass('PT2M')
  await closeCancelled(made.deps)
  return made
}

async function issueNow(): Promise<Issue> {
  const issue = await findIssue(database.db, week)
  if (!issue) throw new Error('Week 47 has no issue')
  return issue
}

async function accountNow() {
  return accountOf(database.db, (await issueNow()).id)
}
