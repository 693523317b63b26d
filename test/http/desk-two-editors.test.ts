import { beforeEach, describe, expect, it } from 'vitest'
import { runTimetable } from '../../jobs/work.ts'
import { currentEdits, latestEdits } from '../../src/issue/edit-history.ts'
import { findIssue } from '../../src/issue/issue.ts'
import { clockAt, type MovableClock } from '../setup/clock.ts'
import { formOn } from '../setup/comparison-form.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { friday, thursday } from '../setup/delivery.ts'
import { type Browser, deskOn } from '../setup/desk.ts'
import { newsletterWith } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { openPostOffice, type PostOffice } from '../setup/post-office.ts'

const week = '2026-W47'
const page = `/desk/issues/${week}`
const content = `${page}/content`
const decision = `${page}/decide`

const database = useDatabase()
let clock: MovableClock
let mail: PostOffice

beforeEach(async () => {
  clock = clockAt(thursday)
  mail = openPostOffice()
  await people.ann(database.db)
  await people.bob(database.db)
  await publish(database.db, documentFor('loom', { publishedAt: '2026-11-16T10:00:00Z' }))
  await publish(database.db, documentFor('sieve', { publishedAt: '2026-11-17T10:00:00Z' }))
})

describe('two editors of one issue, one of them looking at what is no longer so,', () => {
  it('lose nothing and overwrite nothing, and what both agreed on is what readers get', async () => {
    const { eve, sam, newsletter } = await bothAtTheDesk('approve')
    const [hers, his] = [await contentForm(eve), await contentForm(sam)]

    // Sam saves first; Eve, who does not know, is refused with both versions, and then puts hers on top.
    const saved = await sam.post(content, {
      ...his,
      intro: 'Sam’s note.',
      subject: 'Sam’s subject for the week',
    })
    const refused = await eve.post(content, { ...hers, subject: 'Eve’s subject for the week' })
    const between = await editsNow()
    const shown = await refused.text()
    await eve.post(content, { ...formOn(shown, content), onto: '1' })

    expect([saved.status, refused.status]).toEqual([303, 409])
    expect(between).toMatchObject({ intro: 'Sam’s note.', subject: 'Sam’s subject for the week' })
    expect(shown).toContain('Eve’s subject for the week')
    expect(shown).toContain('Sam’s subject for the week')
    expect(await editsNow()).toMatchObject({ intro: 'Sam’s note.', subject: 'Eve’s subject for the week' })

    // Sam approves what he saw before that: refused; then what he sees now.
    const old = await approvalForm(sam)
    await eve.post(content, {
      ...(await contentForm(eve)),
      preheader: 'A line that Eve put in after Sam looked at it',
    })
    const stale = await sam.read(sam.post(decision, old))
    const notApproved = (await issueNow()).state
    await sam.post(decision, await approvalForm(sam))

    expect(stale).toContain('Nothing was changed')
    expect([notApproved, (await issueNow()).state]).toEqual(['draft', 'approved'])

    clock.moveTo(friday)
    await runTimetable(newsletter)

    expect(mail.sentTo().filter((to) => /ann|bob/.test(to))).toEqual(['ann@example.test', 'bob@example.test'])
    expect(issueMails().map(({ subject }) => subject)).toEqual(
      Array(2).fill(expect.stringContaining('Eve’s subject')),
    )
    expect(issueMails()[0]?.text).toContain('Sam’s note.')
    const { id } = await issueNow()
    const history = await latestEdits(database.db, id, { most: 10, since: 0 })
    expect(history.map(({ by }) => by)).toEqual(['eve@example.test', 'eve@example.test', 'sam@example.test'])
    expect(await logged()).toEqual(expect.arrayContaining(['approve', 'edit']))
  })
})

describe('an edit after the approval', () => {
  it('under approve: nothing goes out at its time, until somebody approves what it is now', async () => {
    const { eve, sam, samAgain, newsletter } = await bothAtTheDesk('approve')
    await sam.post(decision, await approvalForm(sam))
    const approved = (await issueNow()).state

    await eve.post(content, { ...(await contentForm(eve)), intro: 'One more thing.' })
    const standing = await sam.read(sam.get(page))
    clock.moveTo(friday)
    await runTimetable(newsletter)
    const atItsTime = { state: (await issueNow()).state, mails: issueMails().length }
    clock.pass('PT1H')
    const onFriday = await samAgain()
    // Its time has come, so it goes at once: that is asked twice.
    await onFriday.post(decision, { ...(await approvalForm(onFriday)), sure: 'yes' })
    await runTimetable(newsletter)

    expect(approved).toBe('approved')
    expect(standing).toContain('Approval taken away')
    expect(atItsTime).toEqual({ state: 'draft', mails: 0 })
    expect(
      issueMails()
        .map(({ to }) => to)
        .sort(),
    ).toEqual(['ann@example.test', 'bob@example.test'])
    expect(issueMails()[0]?.text).toContain('One more thing.')
  })

  it('under auto: it is looked at again, and goes out at its time as it was edited', async () => {
    const { eve, sam, newsletter } = await bothAtTheDesk('auto')
    await sam.post(decision, await approvalForm(sam))

    await eve.post(content, { ...(await contentForm(eve)), intro: 'One more thing.' })
    clock.moveTo(friday)
    await runTimetable(newsletter)

    expect(issueMails().map(({ text }) => text.includes('One more thing.'))).toEqual([true, true])
    expect((await issueNow()).state).toBe('sent')
  })

  it('under auto: it stops the issue where it breaks it, says why on the page, and the mend lets it go', async () => {
    const { eve, sam, samAgain, newsletter } = await bothAtTheDesk('auto')
    await sam.post(decision, await approvalForm(sam))

    await eve.post(content, {
      ...(await contentForm(eve)),
      intro: 'Hello {{first_name}}, TODO: say something.',
    })
    clock.moveTo(friday)
    await runTimetable(newsletter)
    const onFriday = await samAgain()
    const stopped = { mails: issueMails().length, page: await onFriday.read(onFriday.get(page)) }
    await onFriday.post(content, { ...(await contentForm(onFriday)), intro: 'Hello, this is your week.' })
    clock.pass('PT1M')
    await runTimetable(newsletter)

    expect(stopped.mails).toBe(0)
    expect(stopped.page).toContain('a template’s braces')
    expect(issueMails().map(({ text }) => text.includes('Hello, this is your week.'))).toEqual([true, true])
  })
})

async function bothAtTheDesk(policy: 'auto' | 'approve') {
  const rules = { policy, grace: Temporal.Duration.from('PT36H') }
  const newsletter = newsletterWith(database, { clock, transport: mail, rules })
  await runTimetable(newsletter)
  const desk = deskOn(database, { clock, rules, environment: { SEND_POLICY: policy } })
  const samAgain = () => desk.signedIn('sam@example.test')
  return { newsletter, eve: await desk.signedIn(), sam: await samAgain(), samAgain }
}

function issueMails() {
  return mail.accepted.filter(({ to }) => /^(?:ann|bob)@/.test(to))
}

async function contentForm(browser: Browser) {
  const { token: _, ...fields } = formOn(await browser.read(browser.get(page)), content)
  return fields
}

/** What the button that approves would send of the page as it is now. */
async function approvalForm(browser: Browser) {
  const { edition_hash, state } = await issueNow()
  const shown = await browser.read(browser.get(page))
  if (!shown.includes(edition_hash ?? 'none')) throw new Error('The page does not say which edition it shows')
  return { action: 'approve', edition: edition_hash ?? '', state, from: 'issue' }
}

async function issueNow() {
  const issue = await findIssue(database.db, week)
  if (!issue) throw new Error(`There is no ${week}`)
  return issue
}

async function editsNow() {
  return (await currentEdits(database.db, (await issueNow()).id)).edits
}

async function logged() {
  const rows = await database.db.selectFrom('decision').select('what').execute()
  return rows.map(({ what }) => what)
}
