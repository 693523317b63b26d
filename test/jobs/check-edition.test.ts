import { pino } from 'pino'
import { beforeEach, describe, expect, it } from 'vitest'
import { workOnce } from '../../jobs/work.ts'
import { readConfig } from '../../src/config.ts'
import { findIssue } from '../../src/issue/issue.ts'
import { startQueue } from '../../src/queue.ts'
import { breakEdition, draftedWeek, saying } from '../setup/broken.ts'
import { clockAt, type MovableClock } from '../setup/clock.ts'
import { useDatabase } from '../setup/database.ts'
import { friday, thursday } from '../setup/delivery.ts'
import { newsletterWith } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { openPostOffice, type PostOffice } from '../setup/post-office.ts'

const database = useDatabase()
const log = pino({ level: 'silent' })
const config = readConfig({
  ...{ PUBLIC_URL: 'https://news.example.com', EDITORS: 'eve@example.test,sam@example.test' },
})
let clock: MovableClock
let mail: PostOffice
let audits: number

beforeEach(async () => {
  clock = clockAt(thursday)
  mail = openPostOffice()
  audits = 0
  await people.ann(database.db)
})

function worker() {
  const deps = newsletterWith(database, { clock, transport: mail, config })
  return {
    ...deps,
    audit: async () => {
      audits += 1
      return { kind: 'ran' as const, violations: [] }
    },
  }
}

/** Minutes of a worker that is rung once in each. */
async function minutes(count: number): Promise<void> {
  const queue = await startQueue(database.connection, log)
  const { signal } = new AbortController()
  for (let minute = 0; minute < count; minute += 1) {
    await queue.enqueue('tick')
    for (;;) if ((await workOnce(worker(), queue, signal)) === 0) break
    clock.pass('PT1M')
  }
  await queue.stop()
}

function told() {
  return mail.accepted.filter(({ tags }) => tags.kind === 'blocked')
}

describe('an edition that would be stopped', () => {
  it('is told of on the day before, and when it was stopped: each once, though the minute rings on', async () => {
    await draftedWeek(worker(), clock)
    await breakEdition(database.db, saying('Hello {{first_name}}'))

    await minutes(3)

    expect(told().map(({ to, subject }) => [to, subject])).toEqual([
      ['eve@example.test', '2026-W47 would be stopped: nothing left open'],
      ['sam@example.test', '2026-W47 would be stopped: nothing left open'],
    ])
    expect(told()[0]?.text).toContain('https://news.example.com/desk/issues/2026-W47#preflight')
    expect(told()[0]?.text).toContain('{{first_name}}')

    clock.moveTo(friday)
    await minutes(3)

    expect(
      told()
        .slice(2)
        .map(({ to, subject }) => [to, subject]),
    ).toEqual([
      ['eve@example.test', '2026-W47 was not sent: nothing left open'],
      ['sam@example.test', '2026-W47 was not sent: nothing left open'],
    ])
    expect(await findIssue(database.db, '2026-W47')).toMatchObject({ state: 'draft', planned_at: null })
    expect(mail.sentTo()).not.toContain('ann@example.test')
  })

  it('goes by itself once it is mended', async () => {
    await draftedWeek(worker(), clock)
    const sound = (await findIssue(database.db, '2026-W47'))?.edition_hash ?? ''
    await breakEdition(database.db, saying('Hello {{first_name}}'))
    clock.moveTo(friday)
    await minutes(1)

    await database.db
      .updateTable('issue')
      .set({ edition_hash: sound })
      .where('week', '=', '2026-W47')
      .execute()
    await minutes(1)

    expect(mail.sentTo()).toContain('ann@example.test')
  })

  it('is told of again after ten minutes, where no mail could leave', async () => {
    const halt = { kind: 'halt' as const, reason: 'the key was refused' }
    mail.answerNext(halt, halt)
    await draftedWeek(worker(), clock)
    await breakEdition(database.db, saying('Hello {{first_name}}'))
    await minutes(2)
    expect(told()).toEqual([])

    clock.pass('PT1H')
    await minutes(1)

    expect(told().map(({ to }) => to)).toEqual(['eve@example.test', 'sam@example.test'])
  })
})

describe('a sound edition', () => {
  it('is looked at by a browser once, and again when it is another one', async () => {
    await draftedWeek(worker(), clock)
    await minutes(3)
    expect(audits).toBe(1)

    await breakEdition(database.db, saying('One more sentence.'))
    await minutes(2)

    expect(audits).toBe(2)
    expect(told()).toEqual([])
  })
})
