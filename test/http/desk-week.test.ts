import { beforeEach, describe, expect, it } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { lookAtTimetable } from '../../jobs/tick.ts'
import { draftIssue } from '../../src/issue/draft.ts'
import { findIssue } from '../../src/issue/issue.ts'
import { weekNamed } from '../../src/issue/week.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { clockAt, type MovableClock } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { friday, thursday } from '../setup/delivery.ts'
import { deskOn } from '../setup/desk.ts'
import { newsletterWith, newYork } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { openPostOffice, type PostOffice } from '../setup/post-office.ts'

const database = useDatabase()
const decide = '/desk/issues/2026-W47/decide'
let clock: MovableClock
let mail: PostOffice

beforeEach(async () => {
  clock = clockAt(thursday)
  mail = openPostOffice()
  await people.ann(database.db)
})

function worker(policy: 'auto' | 'approve' = 'auto') {
  const rules = { policy, grace: Temporal.Duration.from('PT36H') }
  return newsletterWith(database, { clock, transport: mail, rules })
}

function deskWith(policy: 'auto' | 'approve' = 'auto') {
  return deskOn(database, { clock, mail, rules: worker(policy).rules })
}

/** Week 47 as a draft, with one comparison. */
async function drafted() {
  const week = weekNamed('2026-W47', newYork)
  if (!week) throw new Error('2026-W47 is no week')
  await publish(database.db, documentFor('glyphmoor-vs-kernwick'))
  await draftIssue(worker(), week)
}

async function issue() {
  const found = await findIssue(database.db, '2026-W47')
  if (!found) throw new Error('There is no 2026-W47')
  return found
}

/** The hash that the approve button of a page carries. */
function editionOn(page: string): string {
  return (
    /name="action" value="approve">\s*<input type="hidden" name="edition" value="([0-9a-f]{64})"/.exec(
      page,
    )?.[1] ?? ''
  )
}

function textOf(page: string): string {
  return page.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
}

describe('this week', () => {
  it('shows the draft with its countdown in the newsletter’s zone, its edition, and the next thing to do', async () => {
    await drafted()
    const eve = await deskWith().signedIn()

    const page = textOf(await eve.read(eve.get('/desk')))

    expect(page).toContain('2026-W47 draft')
    expect(page).toContain(
      (await database.db.selectFrom('edition').select('subject').executeTakeFirstOrThrow()).subject,
    )
    expect(page).toContain('1 day to go')
    expect(page).toContain('Goes out Friday 20 November, 09:00 New York, as it is, unless somebody holds it.')
    expect(page).toMatch(/The next thing to do .* Approve this edition Hold it back/)
    expect(page).toMatch(/\d+ kB of HTML/)
  })

  it('shows the week to come before anybody has made its row, and makes none by being looked at', async () => {
    const eve = await deskWith().signedIn()

    const page = textOf(await eve.read(eve.get('/desk')))

    expect(page).toContain('2026-W47 scheduled Not drafted yet')
    expect(page).toContain('Publish comparisons: a week without any has no issue.')
    expect(await database.db.selectFrom('issue').select('id').execute()).toEqual([])
  })

  it('says under the policy that asks for approval that nothing goes out without it', async () => {
    await drafted()
    const eve = await deskWith('approve').signedIn()

    expect(textOf(await eve.read(eve.get('/desk')))).toContain(
      'Waits for your approval. Without it nothing goes out',
    )
  })

  it('counts who would get it, and says why they are more or fewer than a week ago', async () => {
    const [bob, cleo] = [await people.bob(database.db), await people.cleo(database.db)]
    await unsubscribe(worker(), bob.publicId, 'page')
    await database.db
      .insertInto('suppression')
      .values({ address: cleo.address, reason: 'bounced', since: clock() })
      .execute()
    const eve = await deskWith().signedIn()

    const page = textOf(await eve.read(eve.get('/desk')))

    expect(page).toContain('Who would get it now 1 reader −2 since a week ago')
    expect(page).toContain('unsubscribed −1 bounced −1')
  })

  it('lists what waits for an issue', async () => {
    await publish(database.db, documentFor('marrow-vs-pith'))
    const eve = await deskWith().signedIn()

    const page = textOf(await eve.read(eve.get('/desk')))

    expect(page).toContain('1 published, in no issue yet')
    expect(page).toContain('marrow-vs-pith left vs marrow-vs-pith right')
  })

  it('turns to what is late or stopped first, with what to do', async () => {
    await drafted()
    await database.db
      .updateTable('issue')
      .set({ state: 'missed', reason: 'it was not sent within SEND_GRACE of its time' })
      .execute()
    clock.moveTo('2026-11-23T15:00:00Z')
    const eve = await deskWith().signedIn()

    const page = textOf(await eve.read(eve.get('/desk')))

    expect(page).toContain('2026-W47 missed')
    expect(page).toContain('Decide: send it all the same, or cancel it')
    expect(page).toContain('Send it now')
  })
})

describe('an editor who approves', () => {
  it('pins the edition that was on the screen, under their name', async () => {
    await drafted()
    const eve = await deskWith().signedIn()
    const seen = editionOn(await eve.read(eve.get('/desk')))

    const page = await eve.read(eve.post(decide, { action: 'approve', edition: seen }))

    expect(textOf(page)).toContain('2026-W47 is approved, with the edition that you saw.')
    expect(await issue()).toMatchObject({
      state: 'approved',
      approved_hash: seen,
      approved_by: 'eve@example.test',
    })
    const decision = await database.db
      .selectFrom('decision')
      .selectAll()
      .where('what', '=', 'approve')
      .executeTakeFirst()
    expect(decision).toMatchObject({ by: 'eve@example.test', evidence: { edition: seen } })
    expect(String(decision?.at)).toBe(thursday)
  })

  it('is told once, on the next page only', async () => {
    await drafted()
    const eve = await deskWith().signedIn()

    const first = await eve.read(eve.post(decide, { action: 'hold' }))
    const second = await eve.read(eve.get('/desk'))

    expect(textOf(first)).toContain('2026-W47 is held back.')
    expect(textOf(second)).not.toContain('2026-W47 is held back.')
  })

  it('is refused when the edition has changed since, and nothing is approved', async () => {
    await drafted()
    const eve = await deskWith().signedIn()
    const seen = editionOn(await eve.read(eve.get('/desk')))
    await publish(database.db, documentFor('marrow-vs-pith'))
    const sam = await deskWith().signedIn('sam@example.test')
    await sam.post(decide, { action: 'draft' })

    const page = await eve.read(eve.post(decide, { action: 'approve', edition: seen }))

    expect(textOf(page)).toContain(
      'its edition has changed since you saw it; look at it again. Nothing was changed.',
    )
    expect(await issue()).toMatchObject({ state: 'draft', approved_hash: null })
    expect(editionOn(page)).toBe((await issue()).edition_hash)
  })

  it('cannot leave out what they saw', async () => {
    await drafted()
    const eve = await deskWith().signedIn()

    await eve.post(decide, { action: 'approve' })

    expect((await issue()).state).toBe('draft')
  })

  it('is asked twice once its time has come, because it leaves at once', async () => {
    await drafted()
    clock.moveTo(friday)
    clock.pass('PT1M')
    const eve = await deskWith('approve').signedIn()
    const edition = (await issue()).edition_hash ?? ''

    const asked = await eve.post(decide, { action: 'approve', edition })
    const page = textOf(await eve.read(asked))
    const before = (await issue()).state
    await eve.post(decide, { action: 'approve', edition, sure: 'yes' })

    expect(page).toContain(
      'leaves as soon as it is approved, to 1 reader. A mail that has left cannot be called back.',
    )
    expect([before, (await issue()).state]).toEqual(['draft', 'approved'])
  })
})

describe('an editor who changes their mind', () => {
  it('holds, and lets it go again', async () => {
    await drafted()
    const eve = await deskWith().signedIn()

    await eve.post(decide, { action: 'hold' })
    const held = textOf(await eve.read(eve.get('/desk')))
    await eve.post(decide, { action: 'release' })

    expect(held).toContain('Held by eve@example.test. It stays here until somebody lets it go')
    expect((await issue()).state).toBe('draft')
  })

  it('cancels only after saying so twice', async () => {
    await drafted()
    const eve = await deskWith().signedIn()

    const asked = textOf(await eve.read(eve.post(decide, { action: 'cancel' })))
    const before = (await issue()).state
    await eve.post(decide, { action: 'cancel', sure: 'yes' })

    expect(asked).toContain('Nothing of 2026-W47 is sent, ever. Its comparisons are free for the next issue.')
    expect([before, (await issue()).state]).toEqual(['draft', 'cancelled'])
  })

  it('is told when somebody else was quicker', async () => {
    await drafted()
    const eve = await deskWith().signedIn()
    const sam = await deskWith().signedIn('sam@example.test')
    await sam.post(decide, { action: 'cancel', sure: 'yes' })

    const page = textOf(await eve.read(eve.post(decide, { action: 'hold' })))

    expect(page).toContain('2026-W47 is cancelled: there is nothing to hold. Nothing was changed.')
  })
})

describe('an editor who drafts', () => {
  it('has the issue ahead of its time, and the log says who', async () => {
    clock.moveTo('2026-11-18T16:00:00Z')
    await publish(database.db, documentFor('glyphmoor-vs-kernwick'))
    await lookAtTimetable(worker())
    const eve = await deskWith().signedIn()

    const page = textOf(await eve.read(eve.post(decide, { action: 'draft' })))

    expect(page).toContain('2026-W47 was drafted.')
    expect((await issue()).state).toBe('draft')
    expect(textOf(await eve.read(eve.get('/desk/log')))).toContain('Drafted 2026-W47 eve@example.test')
  })
})

describe('an editor who sends now', () => {
  it('says so twice; then a worker sends what they saw, and the log has their name', async () => {
    await drafted()
    const eve = await deskWith().signedIn()
    const edition = (await issue()).edition_hash ?? ''
    await eve.post(decide, { action: 'approve', edition })

    const asked = textOf(await eve.read(eve.post(decide, { action: 'send now', edition })))
    const before = (await issue()).state
    await eve.post(decide, { action: 'send now', edition, sure: 'yes' })
    const opened = (await issue()).state
    await sendIssue(worker(), '2026-W47')

    expect(asked).toContain('2026-W47 leaves at once, to 1 reader.')
    expect([before, opened, (await issue()).state]).toEqual(['approved', 'sending', 'sent'])
    expect(mail.sentTo()).toContain('ann@example.test')
    const log = await database.db.selectFrom('decision').select(['by', 'what']).orderBy('id').execute()
    expect(log.at(-1)).toEqual({ by: 'eve@example.test', what: 'send now' })
  })

  it('sends nothing when the edition is another one by now', async () => {
    await drafted()
    const eve = await deskWith().signedIn()
    const edition = (await issue()).edition_hash ?? ''
    await eve.post(decide, { action: 'approve', edition })

    const stale = edition.replace(/^./, (first) => (first === '0' ? '1' : '0'))
    const page = await eve.read(eve.post(decide, { action: 'send now', edition: stale, sure: 'yes' }))

    expect(textOf(page)).toContain('The edition of 2026-W47 has changed since you saw it. Look at it again.')
    expect(await issue()).toMatchObject({ state: 'approved', planned_at: null })
  })
})
