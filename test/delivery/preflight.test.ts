import { beforeEach, describe, expect, it } from 'vitest'
import { runDraft } from '../../jobs/draft-issue.ts'
import { runTimetable } from '../../jobs/work.ts'
import { deadLinkFinder } from '../../src/delivery/own-links.ts'
import { checkEdition, preflightOf } from '../../src/delivery/preflight.ts'
import { findIssue } from '../../src/issue/issue.ts'
import { goUrl, linkTargets } from '../../src/issue/links.ts'
import type { LineId } from '../../src/issue/preflight/finding.ts'
import { signToken } from '../../src/subscriber/token.ts'
import { appOn } from '../setup/app.ts'
import { breakEdition, draftedWeek, lastWeekCameBack, saying } from '../setup/broken.ts'
import { clockAt, type MovableClock } from '../setup/clock.ts'
import { documentFor, publish, sampleDocuments } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { friday, thursday } from '../setup/delivery.ts'
import { deskOn } from '../setup/desk.ts'
import { everything } from '../setup/everything.ts'
import { newsletterWith, testKeys } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { openPostOffice, type PostOffice } from '../setup/post-office.ts'

const database = useDatabase()
const week = '2026-W47'
let clock: MovableClock
let mail: PostOffice

beforeEach(() => {
  clock = clockAt(thursday)
  mail = openPostOffice()
})

function worker() {
  return newsletterWith(database, { clock, transport: mail })
}

async function issueOf(name = week) {
  const issue = await findIssue(database.db, name)
  if (!issue) throw new Error(`There is no ${name}`)
  return issue
}

async function line(id: LineId, name = week) {
  return (await preflightOf(worker(), await issueOf(name))).find((one) => one.id === id)
}

describe('preflight', () => {
  it('weighs the heaviest mail of any reader, not the issue’s own', async () => {
    const bob = await people.bob(database.db)
    await database.db.updateTable('subscriber').set({ cadence: 'monthly' }).where('id', '=', bob.id).execute()
    await people.ann(database.db)
    clock.moveTo('2026-10-29T14:00:00Z')
    for (const slug of ['loom', 'sieve', 'quillmark', 'inkwell'])
      await publish(database.db, documentFor(slug, { publishedAt: '2026-10-28T14:00:00Z' }))
    await runDraft(worker(), '2026-W44')
    clock.moveTo('2026-10-30T14:00:00Z')
    await runTimetable(worker())
    clock.moveTo('2026-11-05T14:00:00Z')
    await publish(database.db, documentFor('marrow', { publishedAt: '2026-11-04T14:00:00Z' }))
    await runDraft(worker(), '2026-W45')

    await checkEdition(worker(), await issueOf('2026-W45'))

    const size = await line('size', '2026-W45')
    expect(size?.evidence).toEqual([
      expect.stringMatching(/^those who read once a month: /),
      expect.stringMatching(/^everybody: /),
    ])
  })

  it('lets a tool be called what a placeholder is called, because it was published so', async () => {
    await people.ann(database.db)
    const whiskerset = sampleDocuments().get('whiskerset-vs-stencilwright')
    if (!whiskerset) throw new Error('There is no such sample')
    await publish(database.db, { ...whiskerset, publishedAt: '2026-11-18T14:00:00Z' })
    await runDraft(worker(), week)

    expect(await line('placeholders')).toMatchObject({
      level: 'warn',
      what: expect.stringContaining('it was published so'),
    })
  })

  it('blocks the same words where nobody published them', async () => {
    await people.ann(database.db)
    await draftedWeek(worker(), clock)
    await breakEdition(database.db, saying('Hello undefined, and NaN of 4 readers.'))

    expect(await line('placeholders')).toMatchObject({ level: 'block', evidence: expect.any(Array) })
  })

  it('warns of an audience of nobody where there never was one', async () => {
    await draftedWeek(worker(), clock)

    expect(await line('audience')).toMatchObject({ level: 'warn', what: 'nobody would get it' })
  })

  it('warns of a thin week, and of an audience that fell away', async () => {
    await people.crowd(database.db, 20)
    for (const slug of ['loom', 'sieve', 'quillmark', 'inkwell'])
      await publish(database.db, documentFor(slug, { publishedAt: '2026-11-11T12:00:00Z' }))
    await lastWeekCameBack(worker(), clock, { delivered: 20 })
    await database.db
      .updateTable('subscriber')
      .set({ status: 'unsubscribed', unsubscribed_at: clock() })
      .where('id', '>', 17)
      .execute()
    await draftedWeek(worker(), clock)

    expect(await line('week')).toMatchObject({
      level: 'warn',
      what: 'a thin week: 1 comparison, and usually there are 5',
    })
    expect(await line('audience')).toMatchObject({
      level: 'warn',
      what: '17 readers, 15 % fewer than 2026-W46 was planned for',
      evidence: ['now: 17 readers', '2026-W46: planned for 20'],
    })
  })

  it.each([
    [{ delivered: 9_993, complained: 7 }, 'pass'],
    [{ delivered: 9_992, complained: 8 }, 'warn'],
    [{ delivered: 9_971, complained: 29 }, 'warn'],
    [{ delivered: 9_970, complained: 30 }, 'block'],
  ] as const)('of an issue after which %o was heard comes to %s', async (counts, level) => {
    await people.ann(database.db)
    await lastWeekCameBack(worker(), clock, counts)
    await draftedWeek(worker(), clock)

    expect(await line('complaints')).toMatchObject({ level })
  })

  it('is only looked at by a page: nothing is written', async () => {
    await people.ann(database.db)
    await draftedWeek(worker(), clock)
    const eve = await deskOn(database, { clock }).signedIn()
    const before = await everything(database.db)

    await eve.read(eve.get(`/desk/issues/${week}`))

    const after = await everything(database.db)
    for (const table of ['edition_check', 'preflight_notice', 'issue', 'decision'])
      expect(after[table]).toEqual(before[table])
  })
})

describe('a block that is a judgement', () => {
  it('is let pass with a reason, for this edition and no other, and the log has it', async () => {
    await people.ann(database.db)
    await lastWeekCameBack(worker(), clock, { delivered: 997, complained: 3 })
    await draftedWeek(worker(), clock)
    const eve = await deskOn(database, { clock }).signedIn()
    const path = `/desk/issues/${week}/let-pass/complaints`
    const edition = (await issueOf()).edition_hash ?? ''

    const short = await eve.post(path, { edition, reason: 'because' })
    const page = await eve.read(
      eve.post(path, { edition, reason: 'All three were the same person, who has left.' }),
    )

    expect(short.status).toBe(422)
    expect(await short.text()).toContain('>because</textarea>')
    expect(page).toContain('no longer stops 2026-W47')
    expect(await line('complaints')).toMatchObject({
      level: 'warn',
      evidence: expect.arrayContaining(['let pass: All three were the same person, who has left.']),
    })
    const [decision] = await database.db
      .selectFrom('decision')
      .selectAll()
      .where('what', '=', 'let pass')
      .execute()
    expect(decision).toMatchObject({
      by: 'eve@example.test',
      evidence: expect.objectContaining({ line: 'complaints' }),
    })

    await breakEdition(database.db, saying('A correction.'))
    expect(await line('complaints')).toMatchObject({ level: 'block' })
  })

  it('lets the issue go by itself at its time', async () => {
    await people.ann(database.db)
    await lastWeekCameBack(worker(), clock, { delivered: 90, bounced_hard: 10 })
    await draftedWeek(worker(), clock)
    const eve = await deskOn(database, { clock }).signedIn()
    const edition = (await issueOf()).edition_hash ?? ''
    await eve.post(`/desk/issues/${week}/let-pass/bounces`, {
      edition,
      reason: 'The dead ones are off the list by now.',
    })
    clock.moveTo(friday)

    await runTimetable(worker())

    expect((await issueOf()).state).toBe('sent')
  })

  it('is never one of the mail’s own defects', async () => {
    await people.ann(database.db)
    await draftedWeek(worker(), clock)
    await breakEdition(database.db, saying('Hello {{first_name}}'))
    const eve = await deskOn(database, { clock }).signedIn()
    const edition = (await issueOf()).edition_hash ?? ''

    const answer = await eve.post(`/desk/issues/${week}/let-pass/placeholders`, {
      edition,
      reason: 'It looks nice as it is.',
    })

    expect(answer.status).toBe(404)
    expect(await line('placeholders')).toMatchObject({ level: 'block' })
  })
})

describe('a link of ours', () => {
  it('leads where our own pages answer, and nowhere where they do not', async () => {
    const ann = await people.ann(database.db)
    await lastWeekCameBack(worker(), clock, { delivered: 1 })
    await draftedWeek(worker(), clock)
    await publish(database.db, documentFor('gone'))
    await database.db
      .updateTable('comparison')
      .set({ retracted_at: clock() })
      .where('slug', '=', 'gone')
      .execute()
    const site = 'https://news.example.com'
    const stored = await linkTargets(database.db, (await issueOf('2026-W46')).id)
    const [key] = testKeys
    const token = key ? signToken(key, 'unsubscribe', ann.publicId) : ''
    const urls = [
      ...[site, `${site}/`, `${site}/issues`, `${site}/issues/2026-W46`, `${site}/issues/2026-W30`],
      ...[
        `${site}/compare/marrow-vs-pith`,
        `${site}/compare/gone`,
        `${site}/compare/never`,
        `${site}/nonsense`,
      ],
      ...[`${site}/unsubscribe/${token}`, `${site}/unsubscribe/x${token}`, `${site}/go/000000000000`],
      ...stored.map((link) => goUrl(site, link)),
    ]
    const app = appOn(database)

    const dead = await deadLinkFinder({ ...worker(), publicUrl: site }, await issueOf())(urls, stored)

    const refused = []
    for (const url of urls) if ((await app.request(url)).status >= 400) refused.push(url)
    expect([...dead.keys()].sort()).toEqual(refused.sort())
    expect(refused).toHaveLength(6)
  })
})
