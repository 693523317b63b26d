import { parseHTML } from 'linkedom'
import { beforeEach, describe, expect, it } from 'vitest'
import { signToken } from '../../src/subscriber/token.ts'
import { watchVotes } from '../../src/vote/watch.ts'
import { clockAt } from '../setup/clock.ts'
import { join, openPolls, type Poll, storeVotes } from '../setup/crowd.ts'
import { useDatabase } from '../setup/database.ts'
import { type Browser, deskOn } from '../setup/desk.ts'
import { flaggedVotes } from '../setup/flagged.ts'
import { testKeys } from '../setup/newsletter.ts'

const database = useDatabase()
const clock = clockAt('2026-10-12T14:00:00Z')
const reason = 'Fourteen strangers, four minutes, a day late'
let desk: ReturnType<typeof deskOn>
let eve: Browser
let polls: readonly Poll[]

beforeEach(async () => {
  clock.moveTo('2026-10-12T14:00:00Z')
  polls = await openPolls(database.db, { issues: 1, comparisons: 1 })
  desk = deskOn(database, { clock })
  eve = await desk.signedIn()
})

function words(text: string | null | undefined): string {
  return (text ?? '').replace(/\s+/g, ' ').trim()
}

async function open(path: string) {
  const { document } = parseHTML(await eve.read(eve.get(path)))
  return document
}

const main = async (path: string) => words((await open(path)).querySelector('main')?.textContent)

async function revisionOf(id: number): Promise<string> {
  const page = await open(`/desk/votes/flags/${id}`)
  return page.querySelector('input[name=revision]')?.getAttribute('value') ?? ''
}

/** Presses a button of a flag, with the page as it is now. */
async function press(id: number, verb: string, more: Record<string, string> = {}): Promise<Response> {
  const revision = await revisionOf(id)
  return eve.post(`/desk/votes/flags/${id}/decide`, { verb, revision, reason, ...more })
}

async function tallyOfTarget() {
  const row = await database.db
    .selectFrom('vote_tally')
    .selectAll()
    .where('tool_id', '=', polls[1]?.toolId ?? 0)
    .executeTakeFirstOrThrow()
  return [row.ship, row.skip, row.set_aside]
}

const decisions = () =>
  database.db
    .selectFrom('decision')
    .select(['what', 'by', 'evidence'])
    .where('what', 'in', ['leave votes', 'set votes aside', 'count votes again'])
    .orderBy('id')
    .execute()

describe('the votes at the desk', () => {
  it('teach what will be there while nobody has voted', async () => {
    const text = await main('/desk/votes')

    expect(text).toContain('No flag is open.')
    expect(text).toContain('Nobody has voted in the last month.')
  })

  it('show each tool beside the panel, who is furthest from it, and each day', async () => {
    await flaggedVotes(database.db)

    const page = await open('/desk/votes')

    const rows = [...page.querySelectorAll('.voted tbody tr')].map((row) =>
      [...row.children].map((cell) => words(cell.textContent)),
    )
    expect(rows).toEqual([
      ['week-41-number-0 left', '80%', '100%', '−20', '60', '48', '12', '—'],
      ['week-41-number-0 right', '39%', '0%', '+39', '74', '29', '45', '—'],
    ])
    expect([...page.querySelectorAll('ol.contents li')].map((one) => words(one.textContent))).toEqual([
      'week-41-number-0 rightreaders 39%, panel 0%',
      'week-41-number-0 leftreaders 80%, panel 100%',
    ])
    const days = [...page.querySelectorAll('[data-chart] tbody tr')].map((row) => words(row.textContent))
    expect(days).toHaveLength(14)
    expect(days).toEqual(expect.arrayContaining(['Sat 10 Oct14014', 'Fri 9 Oct6357120', 'Sun 11 Oct000']))
  })

  it('are files that no spreadsheet runs', async () => {
    await flaggedVotes(database.db)
    await database.db.updateTable('comparison_tool').set({ name: '=cmd()' }).where('side', '=', 1).execute()

    const tools = await (await eve.get('/desk/votes.csv')).text()
    const days = await (await eve.get('/desk/votes-by-day.csv')).text()

    expect(tools).toContain(`"'=cmd()","48","12","80","100","0"`)
    expect(days).toContain('"2026-10-09","63","57","120"')
  })

  it('have open flags first, each in words, and the week says so in one line', async () => {
    await flaggedVotes(database.db)

    const page = await open('/desk/votes')

    expect(words(page.querySelector('main section h3')?.textContent)).toBe(
      '14 votes to ship week-41-number-0 right within 4 minutes',
    )
    expect(words((await open('/desk')).querySelector('.flags-wait')?.textContent)).toBe(
      'A flag on readers’ votes waits for an editor. Look at the evidence',
    )
  })
})

describe('a flag', () => {
  it('has its evidence and what its votes weigh, and nobody’s address', async () => {
    const id = await flaggedVotes(database.db)

    const text = await main(`/desk/votes/flags/${id}`)

    expect(text).toContain('At the pace of the other tools at that time, hardly one would have come.')
    expect(text).toContain('39% of 7425% of 60')
    expect(text).toContain('Networks14, no two votes from one')
    expect(text).toContain('14; their votes count all the same')
    expect(text).not.toMatch(/@example|198\.18\.\d/)
  })

  it('is left as it is with a reason, which the log keeps', async () => {
    const id = await flaggedVotes(database.db)

    const page = await eve.read(press(id, 'leave'))

    expect(page).toContain('Left as they are: 14 votes.')
    expect(await tallyOfTarget()).toEqual([29, 45, 0])
    expect(await decisions()).toEqual([
      {
        ...{ what: 'leave votes', by: 'eve@example.test' },
        evidence: { flag: id, rule: 'pace', votes: 14, reason },
      },
    ])
    const log = await open('/desk/log')
    expect(words(log.querySelector('tbody tr')?.textContent)).toContain('Left votes counted a flag')
    expect(log.querySelector('tbody tr a')?.getAttribute('href')).toBe(`/desk/votes/flags/${id}`)
  })

  it('is set aside only when that was asked twice, says so in public, and can be counted again', async () => {
    const id = await flaggedVotes(database.db)

    const asked = await press(id, 'set aside')
    expect(asked.status).toBe(200)
    const { document } = parseHTML(await asked.text())
    expect(words(document.querySelector('h1')?.textContent)).toBe('Set 14 votes aside?')
    expect(document.querySelector('input[name=reason]')?.getAttribute('value')).toBe(reason)
    expect(await tallyOfTarget()).toEqual([29, 45, 0])

    const done = await eve.read(press(id, 'set aside', { sure: 'yes' }))
    expect(done).toContain('Set aside: 14 votes.')
    expect(await tallyOfTarget()).toEqual([15, 45, 14])
    expect(await publicWords()).toContain('25% Community of 60 readers; 14 votes set aside by the editors')

    await eve.read(press(id, 'count again'))
    expect(await tallyOfTarget()).toEqual([29, 45, 0])
    expect(await publicWords()).not.toContain('set aside')
    expect((await decisions()).map(({ what }) => what)).toEqual(['set votes aside', 'count votes again'])
  })

  it.each(['leave', 'set aside'])('wants a reason to %s, and changes nothing without', async (verb) => {
    const id = await flaggedVotes(database.db)

    const answer = await press(id, verb, { reason: ' too short ', sure: 'yes' })

    expect(answer.status).toBe(422)
    expect(parseHTML(await answer.text()).document.querySelector('[role=alert]')?.textContent).toMatch(
      /^Say why/,
    )
    expect(await tallyOfTarget()).toEqual([29, 45, 0])
    expect(await decisions()).toEqual([])
  })

  it('changes nothing from a page that it has outgrown, or on which it was still open', async () => {
    const id = await flaggedVotes(database.db)
    const seen = await revisionOf(id)
    await addToFlag(16)

    const late = { verb: 'set aside', revision: seen, reason, sure: 'yes' }
    const grown = await eve.read(eve.post(`/desk/votes/flags/${id}/decide`, late))
    await press(id, 'leave')
    const decided = await eve.read(
      eve.post(`/desk/votes/flags/${id}/decide`, { ...late, verb: 'leave', revision: seen }),
    )

    expect(grown).toContain('It has changed since you looked')
    expect(decided).toContain('Somebody has decided about it since you looked')
    expect((await tallyOfTarget()).at(-1)).toBe(0)
  })

  it.each(['0', '2', '99999999999', 'x', '-1', '1.5'])('is none under %s', async (name) => {
    await flaggedVotes(database.db)

    expect((await eve.get(`/desk/votes/flags/${name}`)).status).toBe(404)
    expect(
      (await eve.post(`/desk/votes/flags/${name}/decide`, { verb: 'leave', revision: '1', reason })).status,
    ).toBe(404)
  })
})

describe('a reader whose vote is set aside', () => {
  it('sees on its page that it is kept and not counted, and may change it', async () => {
    const id = await flaggedVotes(database.db)
    await eve.read(press(id, 'set aside', { sure: 'yes' }))
    const link = await linkOfOneInIt(id)

    const before = words(
      parseHTML(await (await desk.app.request(link)).text()).document.querySelector('main')?.textContent,
    )
    const body = new URLSearchParams({ vote: 'skip', seen: '1' })
    const changed = await desk.app.request(link, { method: 'POST', body })
    const after = words(
      parseHTML(
        await (await desk.app.request(`https://news.example.com${changed.headers.get('location')}`)).text(),
      ).document.querySelector('main')?.textContent,
    )

    expect(before).toContain('Your vote is kept, and not counted at present')
    expect(after).toContain('Kept. You would skip')
    expect(await tallyOfTarget()).toEqual([15, 45, 14])
  })
})

async function publicWords(): Promise<string> {
  // What is public is looked at once a second.
  clock.pass('PT2S')
  const answer = await desk.app.request('/compare/week-41-number-0')
  return words(parseHTML(await answer.text()).document.querySelector('main')?.textContent)
}

/** More strangers who ship the same tool, two days after. */
async function addToFlag(many: number): Promise<void> {
  const [, target] = polls
  if (!target) throw new Error('A comparison has two tools')
  const more = await join(
    database.db,
    Array.from({ length: many }, (_, n) => ({
      network: `198.19.${n}.0/24`,
      confirmedAt: Temporal.Instant.from('2026-05-01T12:00:00Z'),
    })),
  )
  await storeVotes(
    database.db,
    more.map((voter, n) => ({
      voter,
      poll: target,
      verdict: 'ship',
      at: target.mailedAt.add({ hours: 72, seconds: n }),
    })),
  )
  await watchVotes({ db: database.db, clock })
}

async function linkOfOneInIt(flagId: number): Promise<string> {
  const row = await database.db
    .selectFrom('vote_flag_vote as m')
    .innerJoin('subscriber as s', 's.id', 'm.subscriber_id')
    .innerJoin('tool as t', 't.id', 'm.tool_id')
    .select(['s.id', 's.public_id', 't.slug'])
    .where('m.flag_id', '=', flagId)
    .limit(1)
    .executeTakeFirstOrThrow()
  await database.db
    .updateTable('subscriber')
    .set({ status: 'confirmed', unsubscribed_at: null })
    .where('id', '=', row.id)
    .execute()
  const [key] = testKeys
  if (!key) throw new Error('There is no key')
  return `https://news.example.com/vote/${signToken(key, 'vote 2026-W41', row.public_id)}.2026-W41.${row.slug}`
}
