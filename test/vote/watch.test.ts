import { beforeEach, describe, expect, it } from 'vitest'
import type { FlagRule, ReviewVerdict } from '../../db/schema.ts'
import { evidence } from '../../src/vote/flag.ts'
import { watchVotes } from '../../src/vote/watch.ts'
import { clockAt } from '../setup/clock.ts'
import {
  type Ballot,
  honestVotes,
  join,
  openPolls,
  type Poll,
  storeVotes,
  type Voter,
} from '../setup/crowd.ts'
import { useDatabase } from '../setup/database.ts'

const database = useDatabase()
const clock = clockAt('2026-11-05T12:00:00Z')
let polls: readonly Poll[]

const crowd = {
  ...{ readers: 1500, turnout: 0.35, haters: 0.02, lovers: 0.03, leadOnly: 0.2, thorough: 0.2 },
  ...{ prompt: 0.05, newcomers: 0.01 },
}

beforeEach(async () => {
  clock.moveTo('2026-11-05T12:00:00Z')
  polls = await openPolls(database.db, { issues: 4, comparisons: 3 })
  await storeVotes(database.db, await honestVotes(database.db, polls, crowd, 7))
})

const watch = () => watchVotes({ db: database.db, clock })

/** A tool of the last issue that readers like least, so that votes to ship it say something. */
async function disliked(): Promise<Poll> {
  const { tool_id } = await database.db
    .selectFrom('vote_tally')
    .select('tool_id')
    .where(
      'tool_id',
      'in',
      ofLast().map(({ toolId }) => toolId),
    )
    .orderBy((eb) => eb('ship', '-', eb.ref('skip')))
    .limit(1)
    .executeTakeFirstOrThrow()
  const poll = polls.find(({ toolId }) => toolId === tool_id)
  if (!poll) throw new Error('There is no such poll')
  return poll
}

const ofLast = () => polls.filter(({ issueId }) => issueId === polls.at(-1)?.issueId)

/** Long-standing readers, each from a network of their own. */
function strangers(many: number): Promise<readonly Voter[]> {
  return join(
    database.db,
    Array.from({ length: many }, (_, n) => ({
      network: `198.18.${n}.0/24`,
      confirmedAt: Temporal.Instant.from('2026-05-01T12:00:00Z'),
    })),
  )
}

/** Each votes some seconds after the one before. */
function inTurn(
  voters: readonly Voter[],
  poll: Poll,
  verdict: ReviewVerdict,
  { after = 'PT74H', seconds = 20 } = {},
): readonly Ballot[] {
  const first = poll.mailedAt.add(Temporal.Duration.from(after))
  return voters.map((voter, n) => ({ voter, poll, verdict, at: first.add({ seconds: n * seconds }) }))
}

async function flags() {
  const rows = await database.db.selectFrom('vote_flag').selectAll().orderBy('id').execute()
  return rows.map(({ evidence: said, ...row }) => ({ ...row, evidence: evidence.parse(said) }))
}

async function readersIn(rule: FlagRule): Promise<readonly number[]> {
  const rows = await database.db
    .selectFrom('vote_flag as f')
    .innerJoin('vote_flag_vote as m', 'm.flag_id', 'f.id')
    .select('m.subscriber_id')
    .distinct()
    .where('f.rule', '=', rule)
    .orderBy('m.subscriber_id')
    .execute()
  return rows.map(({ subscriber_id }) => subscriber_id)
}

const idsOf = (voters: readonly Voter[]) => voters.map(({ id }) => id)

function tallies() {
  return database.db.selectFrom('vote_tally').selectAll().orderBy('tool_id').execute()
}

describe('a burst', () => {
  it('of strangers in a quiet hour is flagged, with nobody but them, and counted all the same', async () => {
    const poll = await disliked()
    const ring = await strangers(14)
    await storeVotes(database.db, inTurn(ring, poll, 'ship'))
    const before = await tallies()

    await watch()

    expect((await flags()).map(({ rule, state }) => [rule, state])).toEqual([['pace', 'open']])
    expect(await readersIn('pace')).toEqual(idsOf(ring))
    const [flag] = await flags()
    expect(flag?.evidence).toMatchObject({
      ...{ readers: 14, votes: 14, newcomers: 0, allNetworks: 14 },
      tools: [{ toolId: poll.toolId, ship: 14, skip: 0 }],
    })
    expect(JSON.stringify(flag?.evidence)).not.toMatch(/@|198\.18\.\d/)
    expect(await tallies()).toEqual(before)
  })

  it('is no burst when they are too few, or when they differ', async () => {
    const poll = await disliked()
    const crowdOf = await strangers(11)
    const split = await strangers(40)
    await storeVotes(database.db, [
      ...inTurn(crowdOf, poll, 'ship'),
      ...inTurn(split.slice(0, 20), poll, 'ship', { after: 'PT100H' }),
      ...inTurn(split.slice(20), poll, 'skip', { after: 'PT100H' }),
    ])

    await watch()

    expect(await flags()).toEqual([])
  })

  it('from one network is flagged, however slowly it comes; a company that disagrees is not', async () => {
    const poll = await disliked()
    const from = (network: string, many: number) =>
      join(
        database.db,
        Array.from({ length: many }, () => ({
          network,
          confirmedAt: Temporal.Instant.from('2026-05-01T12:00Z'),
        })),
      )
    const one = await from('203.0.113.0/24', 24)
    const company = await from('198.51.100.0/24', 24)
    await storeVotes(database.db, [
      ...inTurn(one, poll, 'ship', { after: 'PT3H', seconds: 3000 }),
      ...inTurn(company.slice(0, 9), poll, 'ship', { after: 'PT3H', seconds: 3000 }),
      ...inTurn(company.slice(9), poll, 'skip', { after: 'PT3H', seconds: 3000 }),
    ])

    await watch()

    expect((await flags()).map(({ rule }) => rule)).toEqual(['network'])
    expect(await readersIn('network')).toEqual(idsOf(one))
    expect((await flags())[0]?.evidence.networks).toEqual([{ network: '203.0.…', votes: 24 }])
  })

  it('of six who have just come from one network is flagged; of three colleagues it is not', async () => {
    const poll = await disliked()
    const came = (network: string, many: number) =>
      join(
        database.db,
        Array.from({ length: many }, () => ({ network, confirmedAt: poll.mailedAt.add({ hours: 40 }) })),
      )
    const [six, three] = [await came('2001:db8:77:1::/64', 6), await came('198.51.100.0/24', 3)]
    await storeVotes(database.db, [
      ...inTurn(six, poll, 'ship', { seconds: 4000 }),
      ...inTurn(three.slice(0, 1), poll, 'ship', { seconds: 4000 }),
      ...inTurn(three.slice(1), poll, 'skip', { seconds: 4000 }),
    ])

    await watch()

    expect((await flags()).map(({ rule }) => rule)).toEqual(['network'])
    expect(await readersIn('network')).toEqual(idsOf(six))
    expect((await flags())[0]?.evidence).toMatchObject({
      newcomers: 6,
      networks: [{ network: '2001:db8:…', votes: 6 }],
    })
  })

  it('of newcomers from everywhere is flagged, as far as they voted that way', async () => {
    const poll = await disliked()
    const fresh = await join(
      database.db,
      Array.from({ length: 30 }, (_, n) => ({
        network: `198.18.${n}.0/24`,
        confirmedAt: poll.mailedAt.add({ hours: 40, minutes: n * 11 }),
      })),
    )
    await storeVotes(database.db, inTurn(fresh, poll, 'ship', { after: 'PT42H', seconds: 4000 }))

    await watch()

    expect((await flags()).map(({ rule }) => rule)).toContain('newcomers')
    expect(await readersIn('newcomers')).toEqual(expect.arrayContaining([...idsOf(fresh)]))
  })

  it('is found once: looking again changes nothing, and what joins it makes the same flag grow', async () => {
    const poll = await disliked()
    const ring = await strangers(20)
    await storeVotes(database.db, inTurn(ring.slice(0, 14), poll, 'ship'))
    await watch()
    const found = await flags()
    clock.pass('PT1H')
    await watch()
    expect(await flags()).toEqual(found)

    clock.moveTo('2026-11-05T16:00:00Z')
    await storeVotes(database.db, inTurn(ring.slice(14), poll, 'ship', { after: 'PT145H' }))
    await storeVotes(database.db, inTurn(await strangers(14), poll, 'ship', { after: 'PT145H' }))
    await watch()

    const [grown, ...others] = await flags()
    expect(others).toEqual([])
    expect(grown).toMatchObject({ id: found[0]?.id, revision: 2, found_at: found[0]?.found_at })
    expect(grown?.evidence.readers).toBe(34)
  })
})

describe('a ring', () => {
  /** A vote against most readers on two tools of each issue. */
  async function targets(issues: number): Promise<readonly (readonly [Poll, ReviewVerdict])[]> {
    const counts = new Map((await tallies()).map((row) => [row.tool_id, row]))
    return [...Map.groupBy(polls, ({ issueId }) => issueId).values()].slice(0, issues).flatMap((issue) =>
      [issue[1], issue[4]].map((poll) => {
        const count = counts.get(poll?.toolId ?? 0)
        if (!poll || !count) throw new Error('An issue has six tools')
        return [poll, count.ship > count.skip ? 'skip' : 'ship'] as const
      }),
    )
  }

  async function vote(ring: readonly Voter[], on: Awaited<ReturnType<typeof targets>>): Promise<void> {
    const ballots = on.map(([poll, verdict]) => inTurn(ring, poll, verdict, { after: 'PT2H', seconds: 7000 }))
    await storeVotes(database.db, ballots.flat())
  }

  it('that votes alike in three issues is flagged, with nobody but its readers', async () => {
    const ring = await strangers(7)
    await vote(ring, await targets(3))
    const before = await tallies()

    await watch()

    expect((await flags()).map(({ rule, evidence: said }) => [rule, said.readers, said.votes])).toEqual([
      ['alike', 7, 42],
    ])
    expect(await readersIn('alike')).toEqual(idsOf(ring))
    expect(await tallies()).toEqual(before)
  })

  it('is no ring in two issues, nor when it is six readers', async () => {
    const [two, six] = [await strangers(12), await strangers(6)]
    await vote(two, await targets(2))
    await vote(six, await targets(3))

    await watch()

    expect(await flags()).toEqual([])
  })

  it('whose votes count although its readers have left is the same flag when it votes on', async () => {
    const ring = await strangers(9)
    const all = await targets(4)
    await vote(ring, all.slice(0, 6))
    clock.moveTo('2026-10-29T12:00:00Z')
    await watch()
    const [found] = await flags()
    await database.db
      .updateTable('subscriber')
      .set({ status: 'unsubscribed', unsubscribed_at: clock() })
      .where('id', '=', ring[0]?.id ?? 0)
      .execute()
    await vote(ring, all.slice(6, 7))
    clock.moveTo('2026-11-05T12:00:00Z')

    await watch()

    const [grown, ...others] = await flags()
    expect(others).toEqual([])
    expect(grown?.id).toBe(found?.id)
    expect(grown?.evidence).toMatchObject({ readers: 9, votes: 63, left: 1 })
  })

  it('that signed up in one place and votes as one is flagged; an office that votes as people do is not', async () => {
    const at = Temporal.Instant.from('2026-10-05T12:00:00Z')
    const group = (network: string, many: number) =>
      join(
        database.db,
        Array.from({ length: many }, (_, n) => ({ network, confirmedAt: at.add({ minutes: 7 * n }) })),
        'https://news.example.com/subscribe',
      )
    const [ring, office] = [await group('203.0.113.0/24', 6), await group('198.51.100.0/24', 8)]
    const polled = polls.filter(({ place }) => place < 2)
    await storeVotes(
      database.db,
      polled.flatMap((poll, n) => [
        // Each from somewhere else by now, and not every one on every tool.
        ...inTurn(
          ring
            .filter((_, k) => (k + n) % 5 > 0)
            .map((voter, k) => ({ ...voter, network: `198.18.${k}.0/24` })),
          poll,
          n % 2 === 0 ? 'skip' : 'ship',
          { after: 'PT3H', seconds: 5000 },
        ),
        ...office.flatMap((voter, k) =>
          inTurn([voter], poll, (k * 7 + n * 3) % 5 < 3 ? 'ship' : 'skip', { after: `PT${4 + k}H` }),
        ),
      ]),
    )

    await watch()

    expect((await flags()).map(({ rule }) => rule)).toEqual(['origin'])
    expect(await readersIn('origin')).toEqual(idsOf(ring))
    expect((await flags())[0]?.evidence.signedUp).toMatchObject({
      form: 'https://news.example.com/subscribe',
    })
  })
})
