import { parseHTML } from 'linkedom'
import { beforeEach, describe, expect, it } from 'vitest'
import { decide } from '../../src/issue/decide.ts'
import { draftIssue } from '../../src/issue/draft.ts'
import { currentEdits } from '../../src/issue/edit-history.ts'
import { findIssue } from '../../src/issue/issue.ts'
import { weekNamed } from '../../src/issue/week.ts'
import { clockAt, type MovableClock } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { thursday } from '../setup/delivery.ts'
import { type Browser, deskOn } from '../setup/desk.ts'
import { newsletterWith, newYork } from '../setup/newsletter.ts'
import { openPostOffice } from '../setup/post-office.ts'

const week = '2026-W47'
const page = `/desk/issues/${week}`
const save = `${page}/content`
const week47 = weekNamed(week, newYork) ?? expect.fail('2026 has a week 47')

const database = useDatabase()
let clock: MovableClock

beforeEach(async () => {
  clock = clockAt(thursday)
  await publish(database.db, documentFor('loom', { publishedAt: '2026-11-16T10:00:00Z' }, [4, 0]))
  await publish(database.db, documentFor('sieve', { publishedAt: '2026-11-17T10:00:00Z' }, [4, 1]))
  await publish(database.db, documentFor('anvil', { publishedAt: '2026-11-18T10:00:00Z' }, [4, 2]))
  await draftIssue(newsletter(), week47)
})

function newsletter() {
  return newsletterWith(database, { clock, transport: openPostOffice() })
}

function openDesk() {
  return deskOn(database, { clock })
}

async function issueNow() {
  return (await findIssue(database.db, week)) ?? expect.fail('there is no issue')
}

async function editsNow() {
  return currentEdits(database.db, (await issueNow()).id)
}

/** What the form on a page would send when a button is pressed, with these fields typed over. */
function formOf(html: string, typed: Record<string, string> = {}): Record<string, string> {
  const { document } = parseHTML(html)
  const form = document.querySelector('#content-form') ?? expect.fail('there is no form')
  const fields: Record<string, string> = {}
  for (const field of form.querySelectorAll('input[name], textarea[name]'))
    fields[field.getAttribute('name') ?? ''] =
      field.localName === 'textarea'
        ? unescaped(field.textContent ?? '')
        : (field.getAttribute('value') ?? '')
  const { token: _, ...rest } = fields
  return { ...rest, ...typed }
}

/** The parser leaves what stands in a text area as it is written. */
function unescaped(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#x27;', "'")
    .replaceAll('&amp;', '&')
}

async function openForm(browser: Browser, typed: Record<string, string> = {}) {
  return formOf(await browser.read(browser.get(page)), typed)
}

/** Opens the page, presses a button of it, and reads what comes. */
async function press(browser: Browser, typed: Record<string, string>, path = save): Promise<string> {
  return browser.read(browser.post(path, await openForm(browser, typed)))
}

function order(html: string): readonly (string | null)[] {
  const { document } = parseHTML(html)
  return [...document.querySelectorAll('#rows .row')].map((row) => row.getAttribute('data-slug'))
}

function words(html: string, selector: string): string {
  return parseHTML(html).document.querySelector(selector)?.textContent?.replace(/\s+/g, ' ').trim() ?? ''
}

describe('the content of an issue, by its form alone', () => {
  it('is shown with what was generated, three of each to choose from, and what can be done', async () => {
    const eve = await openDesk().signedIn()

    const html = await eve.read(eve.get(page))

    const { document } = parseHTML(html)
    expect(order(html)).toEqual(['loom', 'sieve', 'anvil'])
    expect(words(html, '#saved')).toBe('As it was generated. Nobody has changed it.')
    for (const name of ['subject', 'preheader']) {
      const choices = [...document.querySelectorAll(`[data-fill="${name}"]`)].map((one) =>
        one.getAttribute('data-text'),
      )
      expect(new Set(choices).size).toBe(3)
      expect(choices[0]).toBe(document.querySelector(`#${name}`)?.getAttribute('placeholder'))
      expect(words(html, `#${name}-count`)).toMatch(/^\d\d characters, good$/)
    }
    expect(html).toMatch(/src="\/scripts\/sortable\.js/)
  })

  it('is saved: the edition has it, the page says who and when, and the field keeps it', async () => {
    const eve = await openDesk().signedIn()
    clock.moveTo('2026-11-19T14:32:11Z')

    const html = await press(eve, { subject: 'My own words', intro: 'Hello *you*.' })

    expect(words(html, '.flash')).toBe('Saved 09:32:11 · revision 1.')
    expect(words(html, 'h1')).toBe('My own words')
    expect(words(html, '#subject-count')).toBe('12 characters, short')
    expect(words(html, '#saved')).toBe('Saved 09:32:11 · revision 1, eve@example.test')
    expect(words(html, '[data-refresh="history"] tbody tr')).toMatch(/^1 subject, intro eve@example\.test/)
    expect(formOf(html)).toMatchObject({ base: '1', subject: 'My own words', intro: 'Hello *you*.' })
  })

  it('moves comparisons up and down and makes one the lead, and what is typed meanwhile is saved with it', async () => {
    const eve = await openDesk().signedIn()

    expect(order(await press(eve, { act: 'down loom', intro: 'Typed.' }))).toEqual(['sieve', 'loom', 'anvil'])
    expect(order(await press(eve, { act: 'lead anvil' }))).toEqual(['anvil', 'sieve', 'loom'])
    expect(order(await press(eve, { act: 'up loom' }))).toEqual(['anvil', 'loom', 'sieve'])
    expect((await editsNow()).edits).toMatchObject({ intro: 'Typed.', order: ['anvil', 'loom', 'sieve'] })

    await press(eve, { act: 'lead loom' })
    await press(eve, { act: 'up sieve' })
    expect((await editsNow()).edits.order).toBeNull()
  })

  it('leaves one out with a reason, and puts it back where it was', async () => {
    const eve = await openDesk().signedIn()
    await press(eve, { act: 'lead anvil' })

    const without = await press(eve, { act: 'out anvil', 'why:anvil': 'its price has changed' })
    const back = await press(eve, { act: 'back anvil' })

    expect(order(without)).toEqual(['loom', 'sieve'])
    expect(words(without, '[data-refresh="left-out"]')).toContain('its price has changed')
    expect(order(back)).toEqual(['anvil', 'loom', 'sieve'])
  })

  it('puts one in that came after the cut-off', async () => {
    const eve = await openDesk().signedIn()
    await publish(database.db, documentFor('late', { publishedAt: '2026-11-19T14:20:00Z' }, [0, 0]))
    clock.moveTo('2026-11-19T14:30:00Z')
    const before = await eve.read(eve.get(page))

    const html = await press(eve, { act: 'in late' })

    expect(words(before, '[data-refresh="waiting"]')).toContain('published after the cut-off')
    expect(order(html)).toContain('late')
    expect(words(html, '[data-slug="late"] .row-title')).toContain('put in by hand')
  })

  it('takes a generated line, marks a long quote, and goes back to all that was generated', async () => {
    const eve = await openDesk().signedIn()
    const { document } = parseHTML(await eve.read(eve.get(page)))
    const act = [...document.querySelectorAll('[data-fill="subject"]')][1]?.getAttribute('value') ?? ''

    const chosen = await press(eve, { act })
    await press(eve, {}, `${save}/reset`)

    expect(words(chosen, 'h1')).toBe(act.replace('subject ', ''))
    expect((await editsNow()).edits.subject).toBeNull()
  })

  it('is undone and done again after a reload, and goes back to any revision', async () => {
    const eve = await openDesk().signedIn()
    await press(eve, { intro: 'First.' })
    await press(eve, { intro: 'Second.' })

    expect(formOf(await press(eve, {}, `${save}/undo`)).intro).toBe('First.')
    expect(formOf(await press(eve, {}, `${save}/redo`)).intro).toBe('Second.')
    expect(formOf(await press(eve, {}, `${save}/back/1`)).intro).toBe('First.')
    expect(await editsNow()).toMatchObject({ revision: 5 })
  })

  it('saves what is typed before it undoes, so that it can be had again', async () => {
    const eve = await openDesk().signedIn()
    await press(eve, { intro: 'First.' })

    await press(eve, { intro: 'Typed, not saved.' }, `${save}/undo`)

    expect((await editsNow()).edits.intro).toBe('First.')
    expect(formOf(await press(eve, {}, `${save}/redo`)).intro).toBe('Typed, not saved.')
  })

  it('says what is wrong, keeps what was typed, and changes nothing', async () => {
    const eve = await openDesk().signedIn()
    const fields = await openForm(eve, {
      subject: 'Kept in its field',
      'quote:loom:1': 'it earns nothing',
    })

    const answer = await eve.post(save, fields)
    const html = await answer.text()

    expect(answer.status).toBe(422)
    expect(words(html, '.note.problem')).toContain('“it earns nothing”')
    expect(formOf(html)).toMatchObject({ subject: 'Kept in its field', 'quote:loom:1': 'it earns nothing' })
    expect(await editsNow()).toMatchObject({ revision: 0 })
  })

  it('of hostile words shows words', async () => {
    const eve = await openDesk().signedIn()

    const html = await press(eve, {
      subject: '"><script>alert(1)</script>',
      intro: '</textarea><script>alert(1)</script>',
    })

    expect(html).not.toContain('<script>alert')
    expect(formOf(html)).toMatchObject({ subject: '"><script>alert(1)</script>' })
  })

  it('takes the approval away, and says so at the top', async () => {
    const eve = await openDesk().signedIn()
    await decide(newsletter(), week, 'approve', 'sam@example.test')
    clock.moveTo('2026-11-19T14:32:11Z')

    const html = await press(eve, { intro: 'One more thing.' })

    expect(words(html, '.flash')).toContain('This took away the approval of sam@example.test')
    expect(words(html, '.standing')).toMatch(/^Approval taken away by the edit of 09:32, eve@example\.test/)
    expect(await issueNow()).toMatchObject({ state: 'draft' })
  })

  it('is not there once it cannot be changed', async () => {
    const eve = await openDesk().signedIn()
    const fields = await openForm(eve, { intro: 'Too late.' })
    await decide(newsletter(), week, 'cancel', 'sam@example.test')

    const answer = await eve.post(save, fields)

    expect(answer.status).toBe(422)
    expect(await eve.read(eve.get(page))).not.toContain('content-form')
    expect(await editsNow()).toMatchObject({ revision: 0 })
  })
})

describe('two editors at the desk', () => {
  it('see both versions when the second saves, and nothing of either is lost', async () => {
    const desk = openDesk()
    const [eve, sam] = [await desk.signedIn(), await desk.signedIn('sam@example.test')]
    const hers = await openForm(eve, { subject: 'Eve’s subject', act: 'down loom' })
    clock.moveTo('2026-11-19T14:32:11Z')
    await press(sam, { subject: 'Sam’s subject', intro: 'Sam’s note.' })

    const answer = await eve.post(save, hers)
    const html = await answer.text()

    expect(answer.status).toBe(409)
    expect(words(html, '.stale')).toContain('sam@example.test changed this at 09:32, after you opened it.')
    expect(words(html, '.stale tbody tr')).toMatch(/Subject Both of you Eve’s subject Sam’s subject/)
    expect(formOf(html)).toMatchObject({ subject: 'Eve’s subject', base: '0' })
    expect(order(html)).toEqual(['sieve', 'loom', 'anvil'])
    expect((await editsNow()).edits).toMatchObject({ subject: 'Sam’s subject', intro: 'Sam’s note.' })

    await eve.post(save, formOf(html, { onto: '1' }))

    expect((await editsNow()).edits).toMatchObject({
      ...{ subject: 'Eve’s subject', intro: 'Sam’s note.', order: ['sieve', 'loom', 'anvil'] },
    })
    expect(formOf(await press(eve, {}, `${save}/back/1`)).subject).toBe('Sam’s subject')
  })

  it('are told in figures when a script asks', async () => {
    const desk = openDesk()
    const [eve, sam] = [await desk.signedIn(), await desk.signedIn('sam@example.test')]
    const json = { origin: 'https://news.example.com', accept: 'application/json' }
    const hers = await openForm(eve, { subject: 'Eve’s subject' })
    clock.moveTo('2026-11-19T14:32:11Z')
    await press(sam, { subject: '<b>Sam’s</b>' })

    const asked = await eve.get(`${page}/revision?after=0`)
    const stale = await eve.post(save, hers, json)
    const saved = await eve.post(save, { ...hers, onto: '1' }, json)
    const refused = await eve.post(save, { ...hers, base: '2', intro: 'x'.repeat(2001) }, json)

    expect(await asked.json()).toMatchObject({ revision: 1, by: 'sam@example.test', state: 'draft' })
    expect(stale.status).toBe(409)
    expect(await stale.json()).toMatchObject({
      kind: 'stale',
      html: expect.stringContaining('&lt;b&gt;Sam’s&lt;/b&gt;'),
    })
    expect(await saved.json()).toEqual({
      ...{
        kind: 'saved',
        revision: 2,
        hash: (await issueNow()).edition_hash,
        state: 'draft',
        at: '09:32:11',
      },
      words: 'Saved 09:32:11 · revision 2.',
    })
    expect(refused.status).toBe(422)
    expect(await refused.json()).toMatchObject({ problem: expect.stringContaining('2001 characters') })
  })
})

describe('what only a page of the desk may do', () => {
  it('is refused without the token or from elsewhere, and a form that is none of ours changes nothing', async () => {
    const eve = await openDesk().signedIn()
    const fields = await openForm(eve, { intro: 'Slipped in.' })

    for (const path of [save, `${save}/undo`, `${save}/redo`, `${save}/reset`, `${save}/back/0`]) {
      expect((await eve.post(path, { ...fields, token: 'wrong' })).status).toBe(403)
      expect((await eve.post(path, fields, { origin: 'https://evil.example' })).status).toBe(403)
      expect((await eve.post(path, fields, { origin: 'null' })).status).toBe(403)
    }
    expect((await eve.post(save, { subject: 'no base' })).status).toBe(404)
    expect((await eve.post(save, { ...fields, 'place:../etc': '1' })).status).toBe(422)
    expect((await eve.post(`${save}/back/99`, fields)).status).not.toBe(500)
    expect((await eve.post(`/desk/issues/2026-W99/content`, fields)).status).toBe(404)
  })
})
