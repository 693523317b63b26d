import { beforeEach, describe, expect, it } from 'vitest'
import { sendTestAs } from '../../src/delivery/test-send.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { type DueIssue, dueIssue } from '../setup/delivery.ts'
import { type Browser, deskOn } from '../setup/desk.ts'
import { everything } from '../setup/everything.ts'
import { people } from '../setup/people.ts'
import { openPostOffice, type PostOffice } from '../setup/post-office.ts'

const database = useDatabase()
const testPage = '/desk/issues/2026-W47/test'
let mail: PostOffice
let due: DueIssue
let theDesk: ReturnType<typeof deskOn>
let eve: Browser

beforeEach(async () => {
  await publish(
    database.db,
    documentFor('marrow-vs-pith', { tools: inCategory('marrow-vs-pith', 'Image Generation') }),
  )
  due = await dueIssue(database)
  mail = openPostOffice()
  theDesk = deskOn(database, { clock: due.clock, mail })
  eve = await theDesk.signedIn()
})

describe('a test from the desk', () => {
  it('is the issue, marked, to the editor who asked for it; that is said, and recorded without an address', async () => {
    const page = textOf(await eve.read(eve.post(testPage, { to: 'eve@example.test', as: 'weekly' })))

    const [test] = tests()
    expect(page).toContain('Accepted')
    expect(tests()).toHaveLength(1)
    expect(test).toMatchObject({ to: 'eve@example.test', subject: expect.stringMatching(/^\[Test\] ./) })
    expect(await recorded()).toEqual([
      {
        ...{ by: 'eve@example.test', what: 'test send', issue_id: due.issue.id },
        evidence: {
          ...{ as: 'weekly', to: 'themselves', outcome: 'accepted', edition: due.issue.edition_hash },
          id: `id-${test?.id}`,
        },
      },
    ])
  })

  it('goes to another editor, and to nobody else', async () => {
    const ann = await people.ann(database.db)

    await eve.post(testPage, { to: 'sam@example.test' })
    const page = await eve.read(eve.post(testPage, { to: ann.address }))

    expect(tests().map(({ to }) => to)).toEqual(['sam@example.test'])
    expect(textOf(page)).toContain('a test goes to an editor only')
    expect((await recorded())[0]?.evidence).toMatchObject({ to: 'another editor' })
  })

  it('can be what a reader of one category gets, by the code that makes theirs', async () => {
    const form = textOf(await eve.read(eve.get(testPage)))
    await eve.post(testPage, { to: 'eve@example.test', as: 'follows:Image Generation' })

    const [test] = tests()
    expect(form).toContain('Follows Image Generation')
    expect(test?.text).toContain('marrow-vs-pith')
    expect(test?.text).not.toContain('glyphmoor-vs-kernwick left')
  })

  it('says when such a reader would get nothing, and sends nothing', async () => {
    const page = textOf(await eve.read(eve.post(testPage, { to: 'eve@example.test', as: 'monthly' })))

    expect(page).toContain('Nothing was sent: such a reader gets nothing of 2026-W47 (monthly: ')
    expect(tests()).toEqual([])
    expect((await recorded())[0]?.evidence).toMatchObject({ as: 'monthly', outcome: 'nothing to send' })
  })

  it.each([
    [
      { kind: 'rejected' as const, reason: 'the domain is not verified' },
      'Refused: the domain is not verified. Nothing was sent.',
    ],
    [{ kind: 'halt' as const, reason: 'the key is not known' }, 'No mail can leave: the key is not known.'],
    [
      { kind: 'retry' as const, after: Temporal.Duration.from('PT5S'), reason: 'too many calls' },
      'Not now: too many calls. Nothing was sent',
    ],
    [
      { kind: 'unknown' as const, reason: 'the connection was reset' },
      'Nobody knows whether it left: the connection was reset.',
    ],
  ])('that comes to %o is told so', async (outcome, words) => {
    mail.answerNext(outcome)

    const page = textOf(await eve.read(eve.post(testPage, { to: 'eve@example.test' })))

    expect(page).toContain(words)
    expect((await recorded())[0]?.evidence).toMatchObject({ outcome: outcome.kind })
  })

  it('is waited for so long and no longer', async () => {
    const silent = { ...due.mail, send: () => new Promise<never>(() => {}) }

    const tested = await sendTestAs(
      { ...due.deps, transport: silent },
      due.issue,
      { kind: 'weekly' },
      'eve@example.test',
      Temporal.Duration.from({ milliseconds: 5 }),
    )

    expect(tested).toMatchObject({
      outcome: { kind: 'unknown', reason: expect.stringContaining('no answer') },
    })
  })

  it('can be sent ten times in a quarter of an hour, and then again later', async () => {
    for (let n = 0; n < 10; n += 1) await eve.post(testPage, { to: 'eve@example.test' })
    const eleventh = textOf(await eve.read(eve.post(testPage, { to: 'eve@example.test' })))
    const sent = tests().length
    due.clock.pass('PT16M')
    await eve.post(testPage, { to: 'eve@example.test' })

    expect(eleventh).toContain('Wait a quarter of an hour')
    expect([sent, tests().length]).toEqual([10, 11])
  })

  it('is not there for an issue without an edition', async () => {
    expect((await eve.get('/desk/issues/2026-W48/test')).status).toBe(404)
    expect((await eve.post('/desk/issues/2026-W48/test', { to: 'eve@example.test' })).status).toBe(404)
  })
})

describe('the links of a test mail', () => {
  it('open pages that say it is a test, work like a reader’s, and change nothing', async () => {
    await people.ann(database.db)
    await eve.post(testPage, { to: 'eve@example.test' })
    const [test] = tests()
    const leave = /\/unsubscribe\/[\w.-]+/.exec(test?.html ?? '')?.[0] ?? ''
    const choose = /\/preferences\/[\w.-]+/.exec(test?.html ?? '')?.[0] ?? ''
    const before = await everything(database.db)

    const pages = [
      await get(leave),
      await post(leave),
      await post(`${leave}/undo`),
      await post(`${leave}/pause`, 'for=P2W'),
      await post(`${leave}/why`, 'why=other'),
      await get(choose),
      await get(`${choose}?done=choices`),
      await get(`${choose}?done=paused`),
      await get(`${choose}?done=address`),
      await get(`${choose}/erase`),
      await post(`${choose}/erase`, 'sure=yes'),
    ]

    for (const page of pages) expect(page).toContain('This link is from a test mail.')
    expect(pages[6]).toContain('Nothing was stored.')
    expect(pages[8]).toContain('None was written.')
    expect(await everything(database.db)).toEqual(before)
  })

  it('lead to the comparisons, and to a web version that says that it is still to come', async () => {
    await eve.post(testPage, { to: 'eve@example.test' })
    const [test] = tests()
    const [counted = ''] = /\/go\/[a-z0-9]{12}/.exec(test?.html ?? '') ?? []

    const followed = await theDesk.app.request(counted)
    const web = await theDesk.app.request('/issues/2026-W47')

    expect(test?.html).toContain('/issues/2026-W47')
    expect(followed.headers.get('location')).toMatch(/\/compare\//)
    expect(web.status).toBe(404)
    expect(textOf(await web.text())).toContain('If you came from a test mail: the link is right')
  })
})

function tests() {
  return mail.accepted.filter(({ subject }) => subject.startsWith('[Test] '))
}

function recorded() {
  return database.db
    .selectFrom('decision')
    .select(['by', 'what', 'issue_id', 'evidence'])
    .where('what', '=', 'test send')
    .execute()
}

function inCategory(slug: string, category: string) {
  return documentFor(slug).tools.map((tool) => ({ ...tool, category }))
}

async function get(path: string): Promise<string> {
  return textOf(await (await theDesk.app.request(path)).text())
}

async function post(path: string, body = ''): Promise<string> {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
  return textOf(await (await theDesk.app.request(path, { method: 'POST', body, headers })).text())
}

function textOf(page: string): string {
  return page.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
}
