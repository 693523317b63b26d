import { parseHTML } from 'linkedom'
import { beforeEach, describe, expect, it } from 'vitest'
import { runDraft } from '../../jobs/draft-issue.ts'
import { sendIssue } from '../../jobs/send-issue.ts'
import { lookAtTimetable } from '../../jobs/tick.ts'
import { decide } from '../../src/issue/decide.ts'
import { findIssue } from '../../src/issue/issue.ts'
import type { ComparisonDocument } from '../../src/verdict/document.ts'
import { publishComparison } from '../../src/verdict/publish.ts'
import { findRevision } from '../../src/verdict/revisions.ts'
import { clockAt, type MovableClock } from '../setup/clock.ts'
import { formOn, wordsOf } from '../setup/comparison-form.ts'
import { documentFor, sampleDocuments } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { friday, thursday } from '../setup/delivery.ts'
import { type Browser, deskOn } from '../setup/desk.ts'
import { everything } from '../setup/everything.ts'
import { newsletterWith } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { openPostOffice } from '../setup/post-office.ts'

const database = useDatabase()
const quill = '/desk/content/quillmark'
let clock: MovableClock

beforeEach(() => {
  clock = clockAt(thursday)
})

function desk() {
  return deskOn(database, { clock })
}

function worker() {
  return newsletterWith(database, { clock, transport: openPostOffice() })
}

async function published(slug: string, changes: Partial<ComparisonDocument> = {}, shape?: [number, number]) {
  const document = documentFor(slug, changes, shape)
  await publishComparison({ db: database.db, clock }, document)
  return document
}

async function newest(slug = 'quillmark') {
  return (await findRevision(database.db, slug)) ?? expect.fail(`${slug} is not there`)
}

async function decisions() {
  const rows = await database.db.selectFrom('decision').selectAll().orderBy('id').execute()
  return rows
    .filter(({ what }) => what !== 'sign in')
    .map(({ by, what, evidence }) => ({ by, what, evidence }))
}

/** Opens the form, changes some fields, and sends it. */
async function edit(editor: Browser, changes: Record<string, string>, path = `${quill}/edit`) {
  return editor.post(path, { ...formOn(await editor.read(editor.get(path))), ...changes })
}

describe('the list of comparisons', () => {
  it('says where each stands, newest first, and counts them', async () => {
    await published('oldest', { publishedAt: '2026-01-05T14:00:00Z' })
    await published('drafted')
    await runDraft(worker(), '2026-W47')
    await published('waiting', { publishedAt: '2026-11-19T13:00:00Z' })
    await published('to-come', { publishedAt: '2026-11-30T14:00:00Z' })
    await published('taken-back', { retracted: true })
    const eve = await desk().signedIn()

    const page = wordsOf(await eve.read(eve.get('/desk/content')))

    expect(page).toContain('All 5 Waiting 1 Scheduled 1 In an issue 1 Archive 1 Retracted 1')
    expect(page).toMatch(
      /to-come left .* scheduled comes out 30 Nov 2026, 09:00 .* waiting left .* waiting 19 Nov .* taken-back .* retracted .* drafted .* in a draft 2026-W47 .* oldest .* archive 5 Jan/,
    )
  })

  it('is found in by the beginnings of words of titles, tools and categories, whatever their accents', async () => {
    await published('plain')
    const [left, right] = documentFor('other').tools
    if (!left || !right) throw new Error('Two tools')
    await published('other', { title: 'GPT-4.5 vs Café Noir', tools: [{ ...left, name: 'GPT-4.5' }, right] })
    const eve = await desk().signedIn()
    const found = async (q: string) =>
      [
        ...(await eve.read(eve.get(`/desk/content?q=${encodeURIComponent(q)}`))).matchAll(
          /\/desk\/content\/([\w-]+)"><bdi>/g,
        ),
      ].map(([, slug]) => slug)

    expect(await found('4.5')).toEqual(['other'])
    expect(await found('cafe')).toEqual(['other'])
    expect(await found('developer tools')).toEqual(['other', 'plain'])
    expect(await found('plain righ')).toEqual(['plain'])
    expect(await found("' | !*:()")).toEqual([])
    expect(await found('nowhere')).toEqual([])
  })

  it('goes on for as many pages as there are, each comparison once, also where many came out at once', async () => {
    for (let n = 0; n < 60; n += 1) await published(`pair-${n}`)
    const eve = await desk().signedIn()
    const seen: string[] = []

    for (let path = '/desk/content?state=waiting'; path; ) {
      const page = await eve.read(eve.get(path))
      seen.push(...[...page.matchAll(/\/desk\/content\/(pair-\d+)"/g)].map(([, slug]) => slug ?? ''))
      path = parseHTML(page).document.querySelector('[rel=next]')?.getAttribute('href') ?? ''
    }

    expect(seen).toEqual(Array.from({ length: 60 }, (_, n) => `pair-${59 - n}`))
  })

  it('teaches the next step while it is empty, and is not upset by what is no cursor', async () => {
    const eve = await desk().signedIn()

    expect(wordsOf(await eve.read(eve.get('/desk/content')))).toContain('No comparison yet')
    expect((await eve.get('/desk/content?after=2026-99-99T00:00:00Z~1')).status).toBe(200)
    expect((await eve.get('/desk/content?after=nonsense&state=nonsense')).status).toBe(200)
    expect((await eve.get('/desk/content/no-such')).status).toBe(404)
    expect((await eve.get('/desk/content/no-such/edit')).status).toBe(404)
    expect((await eve.get('/desk/content/no-such/retract')).status).toBe(404)
  })
})

describe('a comparison at the desk', () => {
  it('is shown as readers see it, with where it is used and who wrote which revision', async () => {
    await published('quillmark', {}, [4, 1])
    await runDraft(worker(), '2026-W47')
    const eve = await desk().signedIn()
    await edit(eve, { 'tools.0.tagline': 'Mended' })

    const page = wordsOf(await eve.read(eve.get(quill)))

    expect(page).toContain(
      'Panel ships quillmark left and skips quillmark right; quillmark left is free to start.',
    )
    expect(page).toContain('100 % 4 of 4 ship it')
    expect(page).toContain('Skeptic parts them')
    expect(page).toContain('Where it is used 2026-W47 place 1, revision 1; draft')
    expect(page).toMatch(
      /Revision 2 quillmark left: tagline eve@example.test, 19 Nov 2026, 09:00 Revision 1 the first 19 Nov/,
    )
    expect(page).toContain('The draft of 2026-W47 still has revision 1')
  })

  it('changes nothing by being looked at, whichever of its pages it is', async () => {
    await published('quillmark')
    await published('inkwell')
    await runDraft(worker(), '2026-W47')
    await published('later', { publishedAt: '2026-11-19T13:30:00Z' })
    const eve = await desk().signedIn()
    const before = await everything(database.db)

    for (const path of ['', '/edit', '/retract', '/revisions/1']) {
      expect((await eve.get(`${quill}${path}`)).status).toBe(200)
      expect((await eve.get(`/desk/content/later${path}`)).status).toBe(200)
    }
    for (const path of ['/new', '/new/paste', ''])
      expect((await eve.get(`/desk/content${path}`)).status).toBe(200)

    expect(await everything(database.db)).toEqual(before)
  })
})

describe('editing a comparison', () => {
  it('makes the next revision, in the editor’s name, and writes the decision down', async () => {
    await published('quillmark')
    const eve = await desk().signedIn()

    const page = wordsOf(await eve.read(edit(eve, { title: 'A better title' })))

    expect(page).toContain('Saved: revision 2.')
    expect(await newest()).toMatchObject({
      ...{ revision: 2, by: 'eve@example.test', document: { title: 'A better title' } },
    })
    expect(await decisions()).toEqual([
      { by: 'eve@example.test', what: 'edit comparison', evidence: { slug: 'quillmark', revision: 2 } },
    ])
  })

  it('loses nothing of any sample when its form is sent as it is', async () => {
    const eve = await desk().signedIn()
    for (const document of sampleDocuments().values()) {
      await publishComparison({ db: database.db, clock }, document)
      const page = await eve.read(edit(eve, {}, `/desk/content/${document.slug}/edit`))
      expect(wordsOf(page), document.slug).toContain('Nothing was different, so nothing was saved.')
      expect((await newest(document.slug)).document).toEqual(document)
    }
    expect(await decisions()).toEqual([])
  })

  it('says at each field what is wrong, saves nothing, and keeps everything that was typed', async () => {
    await published('quillmark')
    const eve = await desk().signedIn()
    const typed = {
      ...{
        title: '',
        publishedAt: 'next Tuesday',
        'tools.0.url': 'javascript:alert(1)',
        'tools.1.slug': 'No Slug',
      },
      ...{ 'tools.0.tagline': 'x'.repeat(401), 'tools.1.entryPrice': '', 'tools.0.community.ship': 'many' },
      ...{
        'tools.1.reviews.2.reviewer': 'builder',
        'tools.1.reviews.1.quote': '  ',
        'tools.0.name': 'two\tparts',
      },
    }

    const answer = await edit(eve, typed)
    const page = await answer.text()
    const error = (id: string) => parseHTML(page).document.getElementById(`${id}-error`)?.textContent

    expect(answer.status).toBe(422)
    expect(formOn(page)).toMatchObject(typed)
    expect(error('title')).toBe('Expected some text.')
    expect(error('publishedAt')).toBe('Expected an instant such as 2026-11-18T14:00:00Z.')
    expect(error('tools-0-url')).toContain('Expected an https:// address')
    expect(error('tools-1-slug')).toContain('Expected a slug')
    expect(error('tools-0-tagline')).toBe('At most 400 characters.')
    expect(error('tools-0-name')).toBe('Expected a single line.')
    expect(error('tools-1-entryPrice')).toContain('Expected one of free, freemium')
    expect(error('tools-0-community-ship')).toBe('Expected a number, found text.')
    expect(error('tools-1-reviews-2-reviewer')).toBe('"builder" reviews this tool twice.')
    expect(error('tools-1-reviews-1-quote')).toBe('Expected some text.')
    expect((await newest()).revision).toBe(1)
  })

  it('adds and removes reviews without JavaScript, saving nothing and keeping what was typed', async () => {
    await published('quillmark')
    const eve = await desk().signedIn()
    const form = formOn(await eve.read(eve.get(`${quill}/edit`)))

    const added = formOn(await eve.read(eve.post(`${quill}/edit`, { ...form, title: 'Kept', do: 'add.0' })))
    const filled = {
      ...added,
      'tools.0.reviews.4.reviewer': 'power-user',
      'tools.0.reviews.4.verdict': 'skip',
      'tools.0.reviews.4.quote': 'Not for me.',
    }
    const removed = formOn(await eve.read(eve.post(`${quill}/edit`, { ...filled, do: 'remove.1.0' })))
    expect((await newest()).revision).toBe(1)
    await eve.post(`${quill}/edit`, removed)

    const { document } = await newest()
    expect(document.title).toBe('Kept')
    expect(document.tools.map(({ reviews }) => reviews.map(({ reviewer }) => reviewer))).toEqual([
      ['builder', 'skeptic', 'futurist', 'founder', 'power-user'],
      ['skeptic', 'futurist', 'founder'],
    ])
  })

  it('shows an error at the row that it is in, though an empty row before it does not count', async () => {
    await published('quillmark')
    const eve = await desk().signedIn()

    const page = await (
      await edit(eve, {
        'tools.0.reviews.0.verdict': '',
        'tools.0.reviews.0.quote': '',
        'tools.0.reviews.2.verdict': '',
      })
    ).text()

    expect(parseHTML(page).document.getElementById('tools-0-reviews-2-verdict-error')?.textContent).toBe(
      'Expected one of ship, skip.',
    )
  })

  it('by two at once loses nothing: the second is shown what the first changed, and decides', async () => {
    await published('quillmark')
    const [eve, sam] = [await desk().signedIn(), await desk().signedIn('sam@example.test')]
    const opened = formOn(await sam.read(sam.get(`${quill}/edit`)))
    await edit(eve, { 'tools.1.tagline': 'By Eve' })

    const refused = await sam.post(`${quill}/edit`, { ...opened, title: 'By Sam' })
    const page = await refused.text()

    expect(refused.status).toBe(409)
    expect(wordsOf(page)).toContain('eve@example.test saved revision 2 while you were writing')
    expect(wordsOf(page)).toMatch(
      /What they changed.*quillmark right: tagline The right one of two By Eve.*What saving yours would change in it.*Title quillmark left vs quillmark right By Sam.*quillmark right: tagline By Eve The right one of two/,
    )
    expect((await newest()).document).toMatchObject({ title: 'quillmark left vs quillmark right' })

    await sam.post(`${quill}/edit`, formOn(page))
    expect(await newest()).toMatchObject({
      revision: 3,
      by: 'sam@example.test',
      document: { title: 'By Sam' },
    })
  })

  it('is refused as well when a file was imported meanwhile, or when the form does not say what it has seen', async () => {
    await published('quillmark')
    const eve = await desk().signedIn()
    const opened = formOn(await eve.read(eve.get(`${quill}/edit`)))
    await published('quillmark', { title: 'Imported' })

    expect((await eve.post(`${quill}/edit`, { ...opened, title: 'Mine' })).status).toBe(409)
    const { revision, ...without } = opened
    expect((await eve.post(`${quill}/edit`, { ...without, title: 'Mine' })).status).toBe(409)
    expect(revision).toBe('1')
    expect((await newest()).document.title).toBe('Imported')
  })

  it('leaves the draft as it was set, until it is taken in; an approval is lost with that', async () => {
    await published('quillmark')
    await runDraft(worker(), '2026-W47')
    await decide(worker(), '2026-W47', 'approve', 'sam@example.test')
    const before = await findIssue(database.db, '2026-W47')
    const eve = await desk().signedIn()

    await edit(eve, { 'tools.0.name': 'Quillmark Two' })
    expect(await findIssue(database.db, '2026-W47')).toEqual(before)
    expect(wordsOf(await eve.read(eve.get(quill)))).toContain(
      'That takes away the approval of sam@example.test',
    )
    await eve.post(`${quill}/take-in`)

    const after = await findIssue(database.db, '2026-W47')
    expect(after?.state).toBe('draft')
    expect(after?.edition_hash).not.toBe(before?.edition_hash)
    expect((await decisions()).at(-1)).toMatchObject({
      what: 'draft',
      evidence: { slug: 'quillmark', revision: 2 },
    })
    expect(wordsOf(await eve.read(eve.get(quill)))).not.toContain('still has revision')
  })

  it('after it was sent says that readers keep what they have', async () => {
    await people.ann(database.db)
    await published('quillmark')
    await sent()
    const eve = await desk().signedIn()

    expect(wordsOf(await eve.read(eve.get(`${quill}/edit`)))).toContain(
      'It was sent in 2026-W47 with revision 1.',
    )
    await edit(eve, { title: 'Too late for the mail' })

    expect(wordsOf(await eve.read(eve.get(quill)))).toContain(
      'Readers of 2026-W47 have revision 1, and keep it',
    )
  })
})

describe('a new comparison', () => {
  const written = (slug: string) => {
    const document = documentFor(slug)
    const fields: Record<string, string> = { slug, title: document.title, publishedAt: '' }
    for (const [side, { reviews, ...tool }] of document.tools.entries()) {
      for (const [name, value] of Object.entries(tool)) fields[`tools.${side}.${name}`] = String(value)
      for (const [row, review] of reviews.entries())
        for (const [name, value] of Object.entries(review))
          fields[`tools.${side}.reviews.${row}.${name}`] = value
    }
    return fields
  }

  it('is written in an empty form, published at once, and logged', async () => {
    const eve = await desk().signedIn()
    const empty = formOn(await eve.read(eve.get('/desk/content/new')))
    expect(empty['tools.1.reviews.3.reviewer']).toBe('founder')

    await eve.post('/desk/content/new', { ...empty, ...written('inkwell') })

    const { document, by } = await newest('inkwell')
    expect(document).toEqual({ ...documentFor('inkwell'), publishedAt: thursday })
    expect(by).toBe('eve@example.test')
    expect(await decisions()).toEqual([
      { by: 'eve@example.test', what: 'publish', evidence: { slug: 'inkwell', revision: 1 } },
    ])
  })

  it('is refused under a name that is taken', async () => {
    await published('inkwell', { title: 'The first' })
    const eve = await desk().signedIn()

    const answer = await eve.post('/desk/content/new', written('inkwell'))

    expect(answer.status).toBe(422)
    expect(wordsOf(await answer.text())).toContain('There is a comparison of this name already.')
    expect((await newest('inkwell')).document.title).toBe('The first')
  })

  it('is refused while it is empty, at every field that it needs', async () => {
    const eve = await desk().signedIn()
    const empty = formOn(await eve.read(eve.get('/desk/content/new')))

    const answer = await eve.post('/desk/content/new', empty)
    const page = await answer.text()

    expect(answer.status).toBe(422)
    expect(wordsOf(page)).toContain('First tool, reviews: Expected at least one review.')
    expect(await database.db.selectFrom('comparison').select('id').execute()).toEqual([])
  })

  it('is pasted as JSON: what is wrong is named by its field, and what is right goes into the form', async () => {
    const eve = await desk().signedIn()
    const document = sampleDocuments().get('glyphmoor-vs-kernwick') ?? expect.fail('no sample')
    const paste = (source: string) => eve.post('/desk/content/new/paste', { document: source })

    const broken = await paste(JSON.stringify({ ...document, title: 7, tools: [document.tools[0]] }, null, 2))
    expect(broken.status).toBe(422)
    expect(wordsOf(await broken.text())).toMatch(
      /Line 4, title: Expected text.*tools: Expected exactly two tools/,
    )
    expect((await paste('{"a":')).status).toBe(422)
    expect((await paste('')).status).toBe(422)

    const form = formOn(await (await paste(JSON.stringify(document))).text())
    expect(await database.db.selectFrom('comparison').select('id').execute()).toEqual([])
    await eve.post('/desk/content/new', form)
    expect((await newest(document.slug)).document).toEqual(document)
  })

  it('pasted under a name that there is shows what it would change, and becomes the next revision', async () => {
    const document = await published('quillmark')
    const eve = await desk().signedIn()

    const page = await (
      await eve.post('/desk/content/new/paste', {
        document: JSON.stringify({ ...document, title: 'Pasted' }),
      })
    ).text()
    expect(wordsOf(page)).toContain('What saving would change Title quillmark left vs quillmark right Pasted')
    await eve.post(`${quill}/edit`, formOn(page))

    expect(await newest()).toMatchObject({ revision: 2, document: { title: 'Pasted' } })
  })
})

describe('a time to come', () => {
  it('keeps a comparison from every public page and from the issue, until it is there', async () => {
    await published('inkwell')
    await published('quillmark')
    const { app, signedIn } = desk()
    const eve = await signedIn()
    const status = async () => (await app.request('/compare/quillmark')).status
    expect(await status()).toBe(200)

    const page = wordsOf(await eve.read(edit(eve, { publishedAt: '2026-11-20T10:00' })))
    expect(page).toContain('Saved, and scheduled: revision 2.')
    expect(page).toContain('Comes out Friday 20 November, 10:00 New York, in 1 day 1 hour.')
    clock.pass('PT2S')
    expect(await status()).toBe(404)
    for (const due of await lookAtTimetable(worker())) await runDraft(worker(), due.week)
    expect(await inIssue('2026-W47')).toEqual(['inkwell'])

    clock.moveTo('2026-11-20T14:59:00Z')
    expect(await status()).toBe(404)
    expect(await (await app.request('/issues')).text()).not.toContain('quillmark')
    clock.moveTo('2026-11-20T15:00:00Z')
    expect(await status()).toBe(200)

    clock.moveTo('2026-11-26T14:00:00Z')
    for (const due of (await lookAtTimetable(worker())).filter(({ job }) => job === 'draft-issue'))
      await runDraft(worker(), due.week)
    expect(await inIssue('2026-W48')).toEqual(['quillmark'])
  })

  it('given to a comparison in a draft takes it out of there at once', async () => {
    await published('inkwell')
    await published('quillmark')
    await runDraft(worker(), '2026-W47')
    const eve = await desk().signedIn()

    const page = wordsOf(await eve.read(edit(eve, { publishedAt: '2026-12-01T09:00' })))

    expect(page).toContain('2026-W47 was drafted again without it.')
    expect(await inIssue('2026-W47')).toEqual(['inkwell'])
  })

  it('given by an import keeps it out of the mail too, though the issue was drafted with it', async () => {
    await people.ann(database.db)
    await published('inkwell')
    await published('quillmark')
    await runDraft(worker(), '2026-W47')
    await published('quillmark', { publishedAt: '2026-12-01T14:00:00Z' })
    const eve = await desk().signedIn()
    expect(wordsOf(await eve.read(eve.get(quill)))).toContain('2026-W47 still has it.')

    clock.moveTo(friday)
    await sendIssue(worker(), '2026-W47')

    expect(await inIssue('2026-W47')).toEqual(['inkwell'])
  })

  it('is refused for what readers have a link to', async () => {
    await people.ann(database.db)
    await published('quillmark')
    await sent()
    const eve = await desk().signedIn()

    const answer = await edit(eve, { publishedAt: '2026-12-01T09:00', title: 'Kept' })
    const page = await answer.text()

    expect(answer.status).toBe(422)
    expect(wordsOf(page)).toContain('it was sent in 2026-W47')
    expect(formOn(page)).toMatchObject({ title: 'Kept', publishedAt: '2026-12-01T09:00' })
  })

  it('is over with “Publish now”', async () => {
    await published('quillmark', { publishedAt: '2026-12-01T14:00:00Z' })
    const { app, signedIn } = desk()
    const eve = await signedIn()
    const form = formOn(await eve.read(eve.get(quill)), `${quill}/publish-now`)

    await eve.post(`${quill}/publish-now`, form)

    expect((await app.request('/compare/quillmark')).status).toBe(200)
    expect((await newest()).document.publishedAt).toBe(thursday)
    expect((await decisions()).at(-1)).toMatchObject({
      what: 'publish',
      evidence: { slug: 'quillmark', revision: 2 },
    })
  })

  it('is a wall time: on the days when the clocks are changed it is said what is meant', async () => {
    clock.moveTo('2026-10-20T14:00:00Z')
    await published('quillmark', { publishedAt: '2026-10-19T14:00:00Z' })
    const eve = await desk().signedIn()

    const twice = wordsOf(await eve.read(edit(eve, { publishedAt: '2026-11-01T01:30' })))
    expect(twice).toContain('01:30 comes twice that night in New York')
    expect((await newest()).document.publishedAt).toBe('2026-11-01T05:30:00Z')

    const never = wordsOf(await eve.read(edit(eve, { publishedAt: '2027-03-14T02:30' })))
    expect(never).toContain('There is no 02:30 that night in New York')
    expect((await newest()).document.publishedAt).toBe('2027-03-14T07:00:00Z')
  })

  it('stays the second of two equal wall times, and keeps its seconds, while nobody changes it', async () => {
    await published('quillmark', { publishedAt: '2026-11-01T06:30:12.345Z' })
    const eve = await desk().signedIn()

    await edit(eve, { title: 'Another title' })

    expect((await newest()).document).toMatchObject({
      ...{ title: 'Another title', publishedAt: '2026-11-01T06:30:12.345Z' },
    })
  })
})

describe('retracting a comparison', () => {
  it('says first who would lead, which one moves up, the new subject, and whose approval is lost', async () => {
    const most = { comparisons: { least: 1, most: 2 } }
    await published('boldest', { publishedAt: '2026-11-18T10:00:00Z' }, [4, 0])
    await published('calmer', { publishedAt: '2026-11-18T11:00:00Z' }, [3, 1])
    await published('queued', { publishedAt: '2026-11-18T12:00:00Z' }, [2, 2])
    await runDraft({ ...worker(), ...most }, '2026-W47')
    await decide(worker(), '2026-W47', 'approve', 'sam@example.test')
    const before = await everything(database.db)
    const eve = await deskOn(database, { clock, ...most }).signedIn()

    const page = wordsOf(await eve.read(eve.get('/desk/content/boldest/retract')))

    expect(page).toContain('It is the lead. “calmer left vs calmer right” would lead instead.')
    expect(page).toContain('“queued left vs queued right” moves up')
    expect(page).toMatch(/The subject would be “[^”]*calmer[^”]*”/)
    expect(page).toContain('The approval of sam@example.test would be lost')
    const after = await everything(database.db)
    for (const table of ['issue', 'issue_comparison', 'edition', 'comparison', 'link', 'newsletter'])
      expect(after[table], table).toEqual(before[table])

    await retract(eve, 'boldest')
    expect(await inIssue('2026-W47')).toEqual(['calmer', 'queued'])
    expect((await findIssue(database.db, '2026-W47'))?.state).toBe('draft')
  })

  it('says when it would leave a quiet week, and what an issue that is not drafted yet would lose', async () => {
    await published('quillmark')
    const eve = await desk().signedIn()
    expect(wordsOf(await eve.read(eve.get(`${quill}/retract`)))).toContain(
      '2026-W47 would be a quiet week: no new comparisons. Nothing would be sent.',
    )
    await published('inkwell')
    expect(wordsOf(await eve.read(eve.get(`${quill}/retract`)))).toContain(
      'As of now, 2026-W47 would do without it: 1 comparison instead of 2.',
    )
    expect(await database.db.selectFrom('issue').select('id').execute()).toEqual([])
  })

  it('is asked twice, written down, and taken back again by restoring it', async () => {
    const document = await published('quillmark')
    const { app, signedIn } = desk()
    const eve = await signedIn()

    expect((await eve.post(`${quill}/retract`, { revision: '1' })).headers.get('location')).toBe(
      `${quill}/retract`,
    )
    expect((await newest()).revision).toBe(1)
    await retract(eve, 'quillmark')
    expect((await app.request('/compare/quillmark')).status).toBe(410)
    clock.pass('PT1M')
    const form = formOn(await eve.read(eve.get(quill)), `${quill}/restore`)
    await eve.post(`${quill}/restore`, form)

    expect((await newest()).document).toEqual(document)
    clock.pass('PT2S')
    expect((await app.request('/compare/quillmark')).status).toBe(200)
    expect((await decisions()).map(({ what, evidence }) => [what, evidence])).toEqual([
      ['retract', { slug: 'quillmark', revision: 2 }],
      ['restore', { slug: 'quillmark', revision: 3 }],
    ])
  })

  it('is refused from a page that is too old', async () => {
    await published('quillmark')
    const eve = await desk().signedIn()
    await published('quillmark', { title: 'Meanwhile' })

    const page = wordsOf(await eve.read(eve.post(`${quill}/retract`, { revision: '1', sure: 'yes' })))

    expect(page).toContain('Nothing was saved: somebody made revision 2 meanwhile.')
    expect((await newest()).document.retracted).toBeUndefined()
  })

  it('leaves a held issue held, without it', async () => {
    await published('quillmark')
    await published('inkwell')
    await runDraft(worker(), '2026-W47')
    await decide(worker(), '2026-W47', 'hold', 'sam@example.test')
    const eve = await desk().signedIn()

    await retract(eve, 'quillmark')

    expect(await findIssue(database.db, '2026-W47')).toMatchObject({
      state: 'held',
      reason: 'held by sam@example.test',
    })
    expect(await inIssue('2026-W47')).toEqual(['inkwell'])
  })

  it('of what was sent says what remains: the mail, the archive that says so, and a page that says so', async () => {
    await people.ann(database.db)
    await published('quillmark', { title: '<b>Quill</b> vs mark' })
    await sent()
    const { app, signedIn } = desk()
    const eve = await signedIn()
    expect(wordsOf(await eve.read(eve.get(`${quill}/retract`)))).toMatch(
      /What remains It was sent in 2026-W47\. Mail that has left cannot be called back\..*The coming issue is the same without it/,
    )
    const archive = async () => (await app.request('/issues/2026-W47')).text()
    const before = await archive()

    await retract(eve, 'quillmark')
    clock.pass('PT2S')

    const page = await app.request('/compare/quillmark')
    expect([page.status, await page.text()]).toEqual([410, expect.stringContaining('retracted')])
    expect(before).not.toContain('Retracted since')
    expect(await archive()).toContain('<bdi>&lt;b&gt;Quill&lt;/b&gt; vs mark</bdi>')
  })

  it('before its time leaves nothing to be found', async () => {
    await published('quillmark', { publishedAt: '2026-12-01T14:00:00Z' })
    const { app, signedIn } = desk()
    await retract(await signedIn(), 'quillmark')

    clock.moveTo('2026-12-02T14:00:00Z')
    expect((await app.request('/compare/quillmark')).status).toBe(404)
  })
})

describe('going back to a revision', () => {
  it('makes a new one that says the same, and leaves whether and when it is published alone', async () => {
    const first = await published('quillmark')
    await published('quillmark', { title: 'Second', publishedAt: '2026-11-19T12:00:00Z' })
    const eve = await desk().signedIn()

    const page = await eve.read(eve.get(`${quill}/revisions/1`))
    expect(wordsOf(page)).toContain('Title Second quillmark left vs quillmark right')
    await eve.post(`${quill}/go-back`, formOn(page, `${quill}/go-back`))

    expect(await newest()).toMatchObject({
      ...{ revision: 3, by: 'eve@example.test' },
      document: { title: first.title, publishedAt: '2026-11-19T12:00:00Z' },
    })
    expect((await eve.get(`${quill}/revisions/9`)).status).toBe(404)
    expect((await eve.get(`${quill}/revisions/x`)).status).toBe(404)
  })
})

describe('what somebody else wrote', () => {
  it.each([
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus='alert(1)",
    '</textarea><svg onload=alert(1)>',
    '{{constructor}} {{{7}}} <%= 7 %>',
    '</title></option></datalist><iframe srcdoc="<script>alert(1)</script>">',
  ])(
    'stays text in every field, on the page, in the form, in the diff and in the list: %s',
    async (words) => {
      const hostile = (name: string) =>
        `${name} ${words} and enough more words for it to be held against another`
      const document = documentFor('quillmark')
      await publishComparison({ db: database.db, clock }, document)
      await publishComparison(
        { db: database.db, clock },
        {
          ...document,
          title: hostile('title'),
          tools: document.tools.map((tool) => ({
            ...{ ...tool, tagline: hostile('tagline'), description: hostile('description') },
            ...{ name: words, category: words, priceNote: words },
            reviews: tool.reviews.map((review) => ({ ...review, quote: hostile('quote') })),
          })),
        },
        words,
      )
      const eve = await desk().signedIn()
      await eve.post(`${quill}/edit`, { ...formOn(await eve.read(eve.get(`${quill}/edit`))), title: '' })

      for (const path of [
        '/desk/content',
        quill,
        `${quill}/edit`,
        `${quill}/retract`,
        `${quill}/revisions/2`,
        `${quill}/revisions/1`,
      ]) {
        const page = await eve.read(eve.get(path))
        const { document: dom } = parseHTML(page)
        expect(
          dom.querySelectorAll('main script, main svg, main img, main iframe, [onerror], [onfocus], [onload]')
            .length,
          path,
        ).toBe(0)
        expect(wordsOf(page), path).toContain(words.replace(/\s+/g, ' '))
      }
      expect(formOn(await eve.read(eve.get(`${quill}/edit`)))).toMatchObject({
        ...{ title: hostile('title'), 'tools.0.name': words, 'tools.1.description': hostile('description') },
        'tools.1.reviews.3.quote': hostile('quote'),
      })
    },
  )

  it('is refused without the session’s token, from another origin, and without a session', async () => {
    await published('quillmark')
    const { app, signedIn } = desk()
    const eve = await signedIn()
    const form = { ...formOn(await eve.read(eve.get(`${quill}/edit`))), title: 'Not mine' }
    const foreign = { origin: 'https://evil.example' }

    expect((await eve.post(`${quill}/edit`, { ...form, token: 'wrong' })).status).toBe(403)
    expect((await eve.post(`${quill}/edit`, form, foreign)).status).toBe(403)
    expect((await eve.post(`${quill}/retract`, { revision: '1', sure: 'yes' }, foreign)).status).toBe(403)
    expect((await app.request(quill)).status).toBe(303)
    expect((await newest()).revision).toBe(1)
  })
})

async function retract(editor: Browser, slug: string) {
  const path = `/desk/content/${slug}/retract`
  return editor.post(path, formOn(await editor.read(editor.get(path)), path))
}

async function sent() {
  await runDraft(worker(), '2026-W47')
  clock.moveTo(friday)
  await sendIssue(worker(), '2026-W47')
}

/** The slugs in an issue, by name. */
async function inIssue(week: string) {
  const rows = await database.db
    .selectFrom('issue_comparison as ic')
    .innerJoin('comparison as c', 'c.id', 'ic.comparison_id')
    .innerJoin('issue as i', 'i.id', 'ic.issue_id')
    .select('c.slug')
    .where('i.week', '=', week)
    .orderBy('c.slug')
    .execute()
  return rows.map(({ slug }) => slug)
}
