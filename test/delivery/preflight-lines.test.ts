import { beforeEach, describe, expect, it } from 'vitest'
import { runTimetable, type WorkDeps } from '../../jobs/work.ts'
import { readConfig } from '../../src/config.ts'
import { checkEdition, preflightOf } from '../../src/delivery/preflight.ts'
import type { Rendered } from '../../src/issue/edition.ts'
import { findIssue } from '../../src/issue/issue.ts'
import type { Audit } from '../../src/issue/preflight/audit.ts'
import { type Level, type LineId, lineIds } from '../../src/issue/preflight/finding.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { breakEdition, draftedWeek, faultyEditions, lastWeekCameBack } from '../setup/broken.ts'
import { clockAt, type MovableClock } from '../setup/clock.ts'
import { useDatabase } from '../setup/database.ts'
import { friday, thursday } from '../setup/delivery.ts'
import { deskOn } from '../setup/desk.ts'
import { newsletterWith } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { openPostOffice, type PostOffice } from '../setup/post-office.ts'

const database = useDatabase()
const editors = { EDITORS: 'eve@example.test,sam@example.test' }
let clock: MovableClock
let mail: PostOffice

beforeEach(() => {
  clock = clockAt(thursday)
  mail = openPostOffice()
})

/** How an issue is broken so that exactly this line says so. */
type Case = {
  readonly level: Exclude<Level, 'pass'>
  readonly edition?: (edition: Rendered) => Partial<Rendered>
  readonly parts?: Partial<WorkDeps>
  readonly environment?: Readonly<Record<string, string>>
  readonly lastWeek?: {
    readonly delivered: number
    readonly complained?: number
    readonly bounced_hard?: number
  }
  readonly readers?: 'left'
  readonly audit?: Audit
}

const cases: Readonly<Record<LineId, Case>> = {
  week: { level: 'block', parts: { comparisons: { least: 2, most: 10 } } },
  size: { level: 'block', edition: faultyEditions.size },
  links: { level: 'block', edition: faultyEditions.links },
  placeholders: { level: 'block', edition: faultyEditions.placeholders },
  unsubscribe: { level: 'block', edition: faultyEditions.unsubscribe },
  'postal-address': { level: 'block', edition: faultyEditions['postal-address'] },
  text: { level: 'block', edition: faultyEditions.text },
  subject: { level: 'warn', edition: faultyEditions.subject },
  preheader: { level: 'warn', edition: faultyEditions.preheader },
  images: { level: 'warn', edition: faultyEditions.images },
  structure: { level: 'warn', edition: faultyEditions.structure },
  contrast: { level: 'warn', edition: faultyEditions.contrast },
  axe: {
    level: 'warn',
    audit: async () => ({ kind: 'ran', violations: [{ rule: 'list', help: 'Lists hold items', nodes: 2 }] }),
  },
  clients: { level: 'warn', edition: faultyEditions.clients },
  spam: { level: 'warn', edition: faultyEditions.spam },
  ratios: { level: 'warn', edition: faultyEditions.ratios },
  audience: { level: 'block', lastWeek: { delivered: 1 }, readers: 'left' },
  sender: { level: 'block', environment: { NODE_ENV: 'production' } },
  complaints: { level: 'block', lastWeek: { delivered: 997, complained: 3 } },
  bounces: { level: 'block', lastWeek: { delivered: 90, bounced_hard: 10 } },
}

/** Week 47, broken in this one way, with everything that a worker has. */
async function brokenBy({
  edition,
  parts,
  environment = {},
  lastWeek,
  readers,
  audit,
}: Case): Promise<WorkDeps> {
  const config = readConfig({ PUBLIC_URL: 'https://news.example.com', ...editors, ...environment })
  const sound = newsletterWith(database, { clock, transport: mail })
  const ann = await people.ann(database.db)
  if (lastWeek) await lastWeekCameBack(sound, clock, lastWeek)
  if (readers === 'left') await unsubscribe(sound, ann.publicId, 'page')
  await draftedWeek(sound, clock)
  if (edition) await breakEdition(database.db, edition)
  const deps = { ...sound, config, ...parts }
  if (audit) await checkEdition({ ...deps, audit }, await week47())
  return deps
}

async function week47() {
  const issue = await findIssue(database.db, '2026-W47')
  if (!issue) throw new Error('There is no 2026-W47')
  return issue
}

async function pageOf({ parts = {}, environment = {} }: Case): Promise<string> {
  const desk = deskOn(database, { clock, mail: openPostOffice(), environment, ...parts })
  const eve = await desk.signedIn()
  return eve.read(eve.get('/desk/issues/2026-W47'))
}

describe('an issue that nothing is wrong with', () => {
  it('passes every line, and the page folds them away', async () => {
    const deps = await brokenBy({ level: 'warn' })
    const findings = await preflightOf(deps, await week47())

    expect(findings.map(({ id }) => id)).toEqual(lineIds)
    expect(findings.filter(({ level }) => level !== 'pass').map(({ id }) => id)).toEqual(['sender'])
  })
})

describe('a line of preflight', () => {
  it('has its broken issue below, whatever its id', () => {
    expect(Object.keys(cases).sort()).toEqual([...lineIds].sort())
  })

  it.each(Object.entries(cases))('%s is broken in the list and on the page', async (id, broken) => {
    const deps = await brokenBy(broken)

    const findings = await preflightOf(deps, await week47())
    const page = await pageOf(broken)

    const line = findings.find((one) => one.id === id)
    expect(line).toEqual({
      ...{ id, level: broken.level, title: expect.stringMatching(/./), what: expect.stringMatching(/./) },
      ...{ evidence: expect.any(Array), place: expect.stringMatching(/^(#|\/desk|[A-Z_]+$)/) },
    })
    const blocked = findings.filter(({ level }) => level === 'block').map((one) => one.id)
    expect(blocked).toEqual(broken.level === 'block' ? [id] : [])
    expect(page).toContain(`<li class="line ${broken.level}" id="line-${id}">`)
    expect(page).toMatch(
      broken.level === 'block' ? /Preflight: 1 stops it, \d+ to look at/ : /Preflight: \d+ to look at/,
    )
  })

  it.each(Object.entries(cases).filter(([, { level }]) => level === 'block'))(
    '%s stops the automatic send, and the editors are told, once',
    async (_, broken) => {
      const deps = await brokenBy(broken)
      const before = mail.accepted.length
      clock.moveTo(friday)

      await runTimetable(deps)
      clock.pass('PT1M')
      await runTimetable(deps)

      expect(await week47()).toMatchObject({ state: 'draft', planned_at: null })
      const told = mail.accepted.slice(before)
      expect(told.map(({ to }) => to)).toEqual(['eve@example.test', 'sam@example.test'])
      expect(told[0]?.subject).toMatch(/^2026-W47 was not sent: /)
      expect(told[0]?.html).toContain('https://news.example.com/desk/issues/2026-W47#preflight')
    },
  )
})
