import type { Hono } from 'hono'
import { parseHTML } from 'linkedom'
import { beforeEach, describe, expect, it } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { testReader } from '../../src/delivery/personalise.ts'
import { pauseEnd, pauseReader } from '../../src/subscriber/pause.ts'
import { signToken, type TokenPurpose } from '../../src/subscriber/token.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { appOn } from '../setup/app.ts'
import { clockAt } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { dueIssue, friday } from '../setup/delivery.ts'
import { everything } from '../setup/everything.ts'
import { testKeys } from '../setup/newsletter.ts'
import { reader } from '../setup/people.ts'

const database = useDatabase()
const [key = { id: '', secret: Buffer.alloc(0) }] = testKeys
const tool = 'glyphmoor-vs-kernwick-left'
let clock = clockAt(friday)
let app: Hono

beforeEach(() => {
  clock = clockAt(friday)
  app = appOn(database, { clock })
})

describe('a vote link in a mail', () => {
  it('is there twice for each tool, in both parts, and nobody else has it', async () => {
    const { mails } = await mailed('ann', 'bob')

    const [anns = [], bobs = []] = [linksIn(mails.ann?.html), linksIn(mails.bob?.html)]

    const answers = ['left.ship', 'left.skip', 'right.ship', 'right.skip']
    expect(anns.map((link) => link.split('-').at(-1))).toEqual(answers)
    expect(linksIn(mails.ann?.text)).toEqual(anns)
    expect(anns.filter((link) => bobs.includes(link))).toEqual([])
  })

  it('opens with the answer that was pressed, still to be sent, and how it stands', async () => {
    const { ship } = await ann()

    const page = await open(ship)

    expect(page.querySelector('h1')?.textContent).toBe(`Would you ship glyphmoor-vs-kernwick left?`)
    expect(page.querySelector('input[name=vote][checked]')?.getAttribute('value')).toBe('ship')
    expect(page.querySelectorAll('form button')).toHaveLength(1)
    expect(words(page.querySelector('.vote-standing'))).toBe(
      'How it stands Readers— no votes yet; 5 make a result Panel100% 4 of 4 ship it ship',
    )
    expect(page.toString()).not.toContain('ann@example.test')
  })

  it('asks what the answer is where none was pressed', async () => {
    const { ship } = await ann()
    const link = ship.replace(/\.ship$/, '')

    expect((await open(link)).querySelector('input[checked]')).toBeNull()
    const answer = await post(link, '')
    expect(answer.status).toBe(422)
    expect((await read(answer)).querySelector('[role=alert]')?.textContent).toBe('Choose one of the two.')
  })

  it.each(['GET', 'HEAD', 'OPTIONS'])(
    'changes nothing by %s, whoever asks and however often',
    async (method) => {
      const { mails } = await mailed('ann')
      const before = await everything(database.db)

      for (const agent of ['Mozilla/5.0', 'BarracudaCentral link checker', ''])
        for (const link of linksIn(mails.ann?.html))
          await app.request(link, { method, headers: { 'User-Agent': agent } })

      expect(await everything(database.db)).toEqual(before)
    },
  )

  it('answers a program exactly as it answers a person', async () => {
    const { ship } = await ann()

    const answers = await Promise.all(
      ['Mozilla/5.0 (iPhone)', 'GoogleImageProxy', 'curl/8'].map(async (agent) => {
        const answer = await app.request(ship, { headers: { 'User-Agent': agent } })
        return [answer.status, JSON.stringify([...answer.headers]), await answer.text()]
      }),
    )

    expect(new Set(answers.map(String)).size).toBe(1)
    expect(answers[0]?.[1]).toContain('no-store')
  })
})

describe('voting', () => {
  it('is one press: recorded, shown, and repeatable without another vote', async () => {
    const { ship } = await ann()

    const answer = await send(await open(ship))

    expect(answer.status).toBe(303)
    const page = await open(answer.headers.get('Location') ?? '')
    expect(page.querySelector('[role=status]')?.textContent).toBe(
      'Counted. You would ship glyphmoor-vs-kernwick left.',
    )
    expect(page.querySelector('.lede')?.textContent).toContain('would ship it, as of 20 November 2026')
    expect(await votes()).toEqual([{ verdict: 'ship', turn: 1 }])
    expect((await send(await open(ship))).status).toBe(303)
    expect(await votes()).toEqual([{ verdict: 'ship', turn: 1 }])
    expect(await tally()).toEqual({ ship: 1, skip: 0 })
  })

  it('can be changed, and the last one counts', async () => {
    const { ship, skip } = await ann()
    await send(await open(ship))

    await send(await open(skip))

    expect(await votes()).toEqual([{ verdict: 'skip', turn: 2 }])
    expect(await tally()).toEqual({ ship: 0, skip: 1 })
  })

  it('takes the answer of the link where a program posts without a form', async () => {
    const { skip } = await ann()

    expect((await post(skip, '')).status).toBe(303)
    expect(await votes()).toEqual([{ verdict: 'skip', turn: 1 }])
  })

  it('says nothing was counted when it was not, whatever stands in its address', async () => {
    const { ship } = await ann()

    expect((await open(`${ship}?done=vote`)).querySelector('[role=status]')?.textContent ?? '').toBe('')
  })

  it('is done by a reader whose mail is paused, and by nobody who is not on the list', async () => {
    const { ship, skip, publicId } = await ann()
    const end = pauseEnd('P1M', clock(), 'America/New_York')
    if (end) await pauseReader({ db: database.db, clock }, publicId, end)

    expect((await post(ship, 'vote=ship')).status).toBe(303)
    await unsubscribe({ db: database.db, clock }, publicId, 'page')
    const refused = await post(skip, 'vote=skip')

    expect(refused.status).toBe(403)
    expect(await refused.text()).toContain('Only readers on the list vote')
    expect(await votes()).toEqual([{ verdict: 'ship', turn: 1 }])
  })

  it('stores nothing for the link of a test mail', async () => {
    await ann()
    const link = `/vote/${signToken(key, 'vote 2026-W47', testReader)}.2026-W47.${tool}.ship`

    const answer = await post(link, 'vote=ship')

    expect(
      (await open(answer.headers.get('Location') ?? '')).querySelector('[role=status]')?.textContent,
    ).toContain('nothing was stored')
    expect(await votes()).toEqual([])
  })

  it('ends when the comparison is retracted: nothing is taken, and that is said', async () => {
    const { ship } = await ann()
    await database.db.updateTable('comparison').set({ retracted_at: clock() }).execute()

    const [opened, posted] = [await app.request(ship), await post(ship, 'vote=ship')]

    expect([opened.status, posted.status]).toEqual([410, 410])
    expect(await votes()).toEqual([])
  })

  it('goes on when the comparison has another tool by now only for the tools it has', async () => {
    const { ship, other } = await ann()
    const { tools, ...rest } = documentFor('glyphmoor-vs-kernwick')
    const [left, right] = tools
    if (left && right) await publish(database.db, { ...rest, tools: [{ ...left, slug: 'newcomer' }, right] })

    expect((await app.request(ship)).status).toBe(410)
    expect((await post(other, 'vote=skip')).status).toBe(303)
  })

  it('is not taken on anything larger than its form', async () => {
    const { ship } = await ann()

    expect((await post(ship, `vote=ship&more=${'x'.repeat(5000)}`)).status).toBe(413)
    expect(await votes()).toEqual([])
  })
})

describe('what is not a reader’s own vote', () => {
  it.each<[string, (link: string) => string]>([
    [
      'a turned bit of the signature',
      (link) => link.replace(/(.)(?=\.2026-W47)/, (last) => (last === 'A' ? 'B' : 'A')),
    ],
    ['no signature', (link) => link.replace(/\.[\w-]{22}(?=\.2026-W47)/, '')],
    ['another week', (link) => link.replace('2026-W47', '2026-W48')],
    ['an earlier week', (link) => link.replace('2026-W47', '2026-W46')],
    ['a tool that no issue had', (link) => link.replace(tool, 'never-mailed')],
    ['an answer that is none', (link) => link.replace(/ship$/, 'maybe')],
    ['half of a link', (link) => link.slice(0, 60)],
    ['another key', (link) => link.replace('/k1.', '/k2.')],
  ])('is refused: a link with %s', async (_, spoil) => {
    const { ship } = await ann()

    const [opened, posted] = [await app.request(spoil(ship)), await post(spoil(ship), 'vote=ship')]

    expect([opened.status, posted.status]).toEqual([404, 404])
    expect(await opened.text()).toContain('This link is not one of ours')
    expect(await votes()).toEqual([])
  })

  it.each<TokenPurpose>(['unsubscribe', 'preferences', 'vote 2026-W46'])(
    'is refused: a token to %s',
    async (purpose) => {
      const { publicId } = await ann()

      const answer = await post(
        `/vote/${signToken(key, purpose, publicId)}.2026-W47.${tool}.ship`,
        'vote=ship',
      )

      expect(answer.status).toBe(404)
      expect(await votes()).toEqual([])
    },
  )

  it('opens no other door: a token to vote neither unsubscribes nor shows preferences', async () => {
    const { publicId } = await ann()
    const token = signToken(key, 'vote 2026-W47', publicId)

    for (const path of [`/unsubscribe/${token}`, `/preferences/${token}`])
      expect([(await app.request(path)).status, (await post(path, 'cadence=monthly')).status]).toEqual([
        404, 404,
      ])
  })

  it('is what a later issue brought, for the link of an earlier one', async () => {
    const { ship, deps } = await ann()
    await publish(database.db, documentFor('siltbed-vs-marrowgate', { publishedAt: '2026-11-24T14:00:00Z' }))
    clock.moveTo('2026-11-26T14:00:00Z')
    deps.clock.moveTo('2026-11-26T14:00:00Z')
    await deps.send('2026-W48')

    const early = await post(ship.replace(tool, 'siltbed-vs-marrowgate-left'), 'vote=ship')

    expect(early.status).toBe(404)
    expect(await votes()).toEqual([])
  })

  it('is a form that was sent before: a replay takes nothing back', async () => {
    const { ship, skip } = await ann()
    const first = await open(ship)
    await send(first)
    await send(await open(skip))

    const replayed = await send(first)

    expect(replayed.status).toBe(409)
    const page = await read(replayed)
    expect(page.querySelector('[role=alert]')?.textContent).toContain('it changed nothing')
    expect(page.querySelector('.lede')?.textContent).toContain('would skip it')
    expect(await votes()).toEqual([{ verdict: 'skip', turn: 2 }])
  })

  it('is another reader’s: each link counts for whose mail it came in', async () => {
    const { mails, readers } = await mailed('ann', 'bob')

    for (const name of ['ann', 'bob'] as const) await post(linksIn(mails[name]?.html)[0] ?? '', 'vote=ship')

    const rows = await database.db.selectFrom('vote').select('subscriber_id').execute()
    expect(rows.map((row) => row.subscriber_id).toSorted()).toEqual(readers.map(({ id }) => id).toSorted())
  })
})

describe('fifty posts at once', () => {
  it('of one reader and one answer are one vote', async () => {
    const { ship } = await ann()
    const form = await open(ship)

    const answers = await Promise.all(Array.from({ length: 50 }, () => send(form)))

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([303]))
    expect(await votes()).toEqual([{ verdict: 'ship', turn: 1 }])
    expect(await tally()).toEqual({ ship: 1, skip: 0 })
  })

  it('of one reader and both answers are one vote, and the tally is what the vote is', async () => {
    const { ship, skip } = await ann()
    const forms = [await open(ship), await open(skip)]

    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => send(forms[n % 2] ?? forms[0], ['ship', 'skip'][n % 2])),
    )

    const [vote, ...others] = await votes()
    expect(others).toEqual([])
    expect(vote?.turn).toBe(1)
    expect(await tally()).toEqual(vote?.verdict === 'ship' ? { ship: 1, skip: 0 } : { ship: 0, skip: 1 })
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(25)
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(25)
  })

  it('of fifty readers are fifty votes', async () => {
    const names = Array.from({ length: 50 }, (_, n) => `reader-${n}`)
    const { mails } = await mailed(...names)

    await Promise.all(names.map((name, n) => post(linksIn(mails[name]?.html)[n % 5 === 0 ? 1 : 0] ?? '', '')))

    expect(await tally()).toEqual({ ship: 40, skip: 10 })
  })
})

describe('what the community says', () => {
  it('is a dash until five have voted, and then a share of how many', async () => {
    const names = ['ann', 'bob', 'cleo', 'dora', 'emil']
    const { mails } = await mailed(...names)

    const shown: string[] = []
    for (const [n, name] of names.entries()) {
      await post(linksIn(mails[name]?.html)[n === 0 ? 1 : 0] ?? '', '')
      clock.pass('PT2S')
      shown.push(await communityOnPage())
    }

    expect(shown).toEqual([
      '— Community 1 reader so far',
      '— Community 2 readers so far',
      '— Community 3 readers so far',
      '— Community 4 readers so far',
      '80% Community of 5 readers',
    ])
  })

  it('needs as many as MIN_VOTES says', async () => {
    const { ship } = await ann()
    await post(ship, 'vote=ship')
    app = appOn(database, { clock, fewestVotes: 1 })

    expect(await communityOnPage()).toBe('100% Community of 1 reader')
  })

  it('adds readers’ votes to those that a document brought', async () => {
    const { ship } = await ann()
    const { tools, ...rest } = documentFor('glyphmoor-vs-kernwick')
    await publish(database.db, {
      ...rest,
      tools: tools.map((one) => ({ ...one, community: { ship: 5, skip: 4 } })),
    })
    await post(ship, 'vote=ship')

    expect(await communityOnPage()).toBe('60% Community of 10 readers')
  })
})

describe('who is nobody in particular', () => {
  it('is told how readers vote, and invited', async () => {
    await ann()

    const page = await open(`/vote/anybody.2026-W47.${tool}.ship`)

    expect(page.querySelector('form')).toBeNull()
    expect(page.querySelector('a.button')?.getAttribute('href')).toBe('/subscribe')
    expect(words(page.querySelector('.vote-standing'))).toContain('Panel100%')
  })

  it('cannot vote there', async () => {
    await ann()

    const answer = await post(`/vote/anybody.2026-W47.${tool}.ship`, 'vote=ship')

    expect(answer.status).toBe(403)
    expect(await votes()).toEqual([])
  })

  it('finds the same from the web version of an issue, in which nothing is a reader’s', async () => {
    await ann()

    const page = await open('/issues/2026-W47')

    const links = [...page.querySelectorAll('a')].map((link) => link.getAttribute('href') ?? '')
    expect(links.filter((link) => link.includes('/vote/'))).toHaveLength(4)
    for (const link of links.filter((one) => one.includes('/vote/'))) expect(link).toContain('/vote/anybody.')
  })
})

/** Ann, with her links on the first tool of the issue that she got. */
async function ann() {
  const { mails, readers, send: sendWeek, deps } = await mailed('ann')
  const [ship = '', skip = '', other = ''] = linksIn(mails.ann?.html)
  const publicId = readers[0]?.publicId ?? ''
  return { ship, skip, other, publicId, deps: { clock: deps.clock, send: sendWeek } }
}

/** Readers of these names, and the mail of week 47 that each of them got. */
async function mailed(...names: readonly string[]) {
  const readers = []
  for (const name of names) readers.push(await reader(database.db, name))
  const due = await dueIssue(database)
  await sendIssue(due.deps, '2026-W47')
  const mails = Object.fromEntries(
    due.mail.accepted.map((mail) => [mail.to.replace('@example.test', ''), mail]),
  )
  const send = (week: string) => sendIssue(due.deps, week)
  return { mails, readers, send, deps: { clock: due.clock } }
}

/** The paths of a part's vote links, in their order. */
function linksIn(part = ''): readonly string[] {
  return [...new Set(part.match(/\/vote\/[\w.-]+\.(?:ship|skip)/g) ?? [])]
}

async function communityOnPage(): Promise<string> {
  const page = await open('/compare/glyphmoor-vs-kernwick')
  const figures = [...page.querySelectorAll('.figure')].map(words)
  return figures.find((figure) => figure.includes('Community')) ?? ''
}

async function votes() {
  return database.db.selectFrom('vote').select(['verdict', 'turn']).execute()
}

async function tally() {
  const row = await database.db
    .selectFrom('vote_tally as v')
    .innerJoin('tool as t', 't.id', 'v.tool_id')
    .select(['v.ship', 'v.skip'])
    .where('t.slug', '=', tool)
    .executeTakeFirst()
  return row ?? { ship: 0, skip: 0 }
}

async function open(path: string) {
  return read(await app.request(path))
}

/** Presses the one button of a page's form, as a browser would. */
function send(page: Awaited<ReturnType<typeof read>> | undefined, answer?: string): Promise<Response> {
  const form = page?.querySelector('form.ballot')
  const chosen = answer ?? form?.querySelector('input[name=vote][checked]')?.getAttribute('value') ?? ''
  const seen = form?.querySelector('input[name=seen]')?.getAttribute('value') ?? ''
  return post(form?.getAttribute('action') ?? '', new URLSearchParams({ vote: chosen, seen }).toString())
}

function post(path: string, body: string): Promise<Response> {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
  return Promise.resolve(app.request(path, { method: 'POST', body, headers }))
}

async function read(answer: Response) {
  return parseHTML(await answer.text()).document
}

function words(element: { textContent: string | null } | null): string {
  return (element?.textContent ?? '').replace(/\s+/g, ' ').trim()
}
