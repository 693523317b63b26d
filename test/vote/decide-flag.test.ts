import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ReviewVerdict } from '../../db/schema.ts'
import { castVote } from '../../src/subscriber/cast-vote.ts'
import { eraseReader } from '../../src/subscriber/erase.ts'
import { decideFlag, type FlagVerb } from '../../src/vote/decide-flag.ts'
import { findFlag, listFlags } from '../../src/vote/list-flags.ts'
import { watchVotes } from '../../src/vote/watch.ts'
import { clockAt } from '../setup/clock.ts'
import { join, openPolls, type Poll, storeVotes, type Voter } from '../setup/crowd.ts'
import { isOnPostgres, useDatabase } from '../setup/database.ts'
import { testKeys } from '../setup/newsletter.ts'

const database = useDatabase()
const start = '2026-10-20T12:00:00Z'
const clock = clockAt(start)
const deps = {
  clock,
  keys: testKeys,
  get db() {
    return database.db
  },
}
let polls: readonly Poll[]
let ring: readonly Voter[]
let honest: readonly Voter[]

beforeEach(async () => {
  clock.moveTo(start)
  polls = await openPolls(database.db, { issues: 1, comparisons: 1 })
  honest = await strangers(40)
  ring = await strangers(20)
  const [target, other] = polls
  if (!target || !other) throw new Error('A comparison has two tools')
  await storeVotes(database.db, [
    ...honest.flatMap((voter, n) => [
      ballot(voter, target, n % 4 === 0 ? 'ship' : 'skip', n * 40),
      ballot(voter, other, n % 3 === 0 ? 'skip' : 'ship', n * 40 + 1),
    ]),
    ...ring.map((voter, n) => ballot(voter, target, 'ship', 5000 + n / 4)),
  ])
  await watchVotes(deps)
})

function strangers(many: number): Promise<readonly Voter[]> {
  const confirmedAt = Temporal.Instant.from('2026-05-01T12:00:00Z')
  return join(
    database.db,
    Array.from({ length: many }, (_, n) => ({ network: `198.18.${n}.0/24`, confirmedAt })),
  )
}

function ballot(voter: Voter, poll: Poll, verdict: ReviewVerdict, minutes: number) {
  return { voter, poll, verdict, at: poll.mailedAt.add({ seconds: Math.round(minutes * 60) }) }
}

async function theFlag() {
  const [flag] = await listFlags(database.db, { which: 'open', most: 10 })
  if (!flag) throw new Error('There is no open flag')
  return flag
}

const target = () => polls[0]?.toolId ?? 0

const reason = 'Twenty strangers within five minutes'
const decide = async (verb: FlagVerb, id: number, revision?: number) =>
  decideFlag(
    deps,
    { id, verb, reason, revision: revision ?? (await findFlag(database.db, id))?.revision ?? 0 },
    'eve@example.test',
  )

/** The tallies, and what they would be if they were counted now. */
async function counted() {
  const tallies = await database.db.selectFrom('vote_tally').selectAll().orderBy('tool_id').execute()
  const votes = await database.db.selectFrom('vote').selectAll().execute()
  return tallies.map(({ tool_id, ship, skip, set_aside }) => {
    const own = votes.filter((vote) => vote.tool_id === tool_id)
    const count = (verdict: ReviewVerdict) =>
      own.filter((vote) => vote.verdict === verdict && !vote.set_aside).length
    return {
      kept: { ship, skip, set_aside },
      true: {
        ...{ ship: count('ship'), skip: count('skip') },
        set_aside: own.filter((vote) => vote.set_aside).length,
      },
    }
  })
}

async function expectTrueTallies(): Promise<void> {
  for (const { kept, true: real } of await counted()) expect(kept).toEqual(real)
}

async function tallyOfTarget() {
  const { ship, skip, set_aside } = await database.db
    .selectFrom('vote_tally')
    .selectAll()
    .where('tool_id', '=', target())
    .executeTakeFirstOrThrow()
  return [ship, skip, set_aside]
}

const publicIdOf = async ({ id }: Voter) =>
  (
    await database.db
      .selectFrom('subscriber')
      .select('public_id')
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
  ).public_id

async function cast(voter: Voter, verdict: ReviewVerdict, poll = polls[0]) {
  if (!poll) throw new Error('There is no poll')
  const { toolId, issueId, comparisonId } = poll
  return castVote(deps, await publicIdOf(voter), {
    ...{ toolId, issueId, comparisonId, verdict, network: '198.18.1.0/24' },
  })
}

describe('an editor who sees a flag', () => {
  it('sets exactly its votes aside, and counts them again', async () => {
    const flag = await theFlag()
    expect(await tallyOfTarget()).toEqual([30, 30, 0])

    expect(await decide('set aside', flag.id)).toEqual({ ok: true, votes: 20 })
    expect(await tallyOfTarget()).toEqual([10, 30, 20])
    const aside = await database.db
      .selectFrom('vote')
      .select('subscriber_id')
      .where('set_aside', '=', true)
      .execute()
    expect(aside.map(({ subscriber_id }) => subscriber_id).toSorted((a, b) => a - b)).toEqual(
      ring.map(({ id }) => id),
    )
    expect(await findFlag(database.db, flag.id)).toMatchObject({
      state: 'set aside',
      votes: 20,
      setAside: 20,
    })

    expect(await decide('count again', flag.id)).toEqual({ ok: true, votes: 20 })
    expect(await tallyOfTarget()).toEqual([30, 30, 0])
    await expectTrueTallies()
  })

  it('leaves them counted; each decision is in the log with its reason, and without an address in it', async () => {
    const flag = await theFlag()
    await decideFlag(
      deps,
      { id: flag.id, verb: 'leave', revision: 1, reason: 'They wrote to us, says eve@example.test' },
      'eve@example.test',
    )
    await decide('set aside', flag.id)
    await decide('count again', flag.id)

    const log = await database.db
      .selectFrom('decision')
      .select(['what', 'by', 'evidence'])
      .orderBy('id')
      .execute()
    expect(log.map(({ what }) => what)).toEqual(['leave votes', 'set votes aside', 'count votes again'])
    expect(log[0]?.evidence).toEqual({
      ...{ flag: flag.id, rule: 'pace', votes: 20 },
      reason: 'They wrote to us, says [address]',
    })
    expect(await findFlag(database.db, flag.id)).toMatchObject({ state: 'left', setAside: 0 })
  })

  it('changes nothing with a form from before it grew, or was decided', async () => {
    const flag = await theFlag()
    await decide('leave', flag.id)

    expect(await decide('leave', flag.id, 1)).toEqual({ ok: false, why: 'decided already' })
    expect(await decide('set aside', flag.id, 1)).toEqual({ ok: false, why: 'grown' })
    expect(await decide('set aside', 999)).toEqual({ ok: false, why: 'no flag' })
    expect(await tallyOfTarget()).toEqual([30, 30, 0])
  })

  it('is asked again when five more join a flag that they had decided about', async () => {
    const flag = await theFlag()
    await decide('set aside', flag.id)
    const [poll] = polls
    if (!poll) throw new Error('There is no poll')
    const more = await strangers(14)
    await storeVotes(
      database.db,
      more.map((voter, n) => ballot(voter, poll, 'ship', 7000 + n / 4)),
    )
    await database.db.updateTable('vote_tally').set({ ship: 24 }).where('tool_id', '=', poll.toolId).execute()
    clock.moveTo('2026-10-21T12:00:00Z')

    await watchVotes(deps)

    expect(await theFlag()).toMatchObject({ id: flag.id, votes: 34, setAside: 20, setsAside: true })
    expect(await decide('leave', flag.id)).toEqual({ ok: true, votes: 34 })
    expect(await findFlag(database.db, flag.id)).toMatchObject({ state: 'set aside', setAside: 20 })
    expect(await decide('count again', flag.id)).toEqual({ ok: true, votes: 20 })
    await expectTrueTallies()
  })
})

describe('a vote that is set aside', () => {
  it('stays so when its reader changes it, and is gone with a reader who is erased', async () => {
    const flag = await theFlag()
    await decide('set aside', flag.id)
    const [one, two] = ring
    if (!one || !two) throw new Error('The ring has more')
    clock.pass('PT1H')

    expect(await cast(one, 'skip')).toBe('cast')
    expect(await tallyOfTarget()).toEqual([10, 30, 20])
    await eraseReader(deps, await publicIdOf(two), 'page')

    expect(await tallyOfTarget()).toEqual([10, 30, 19])
    expect(await findFlag(database.db, flag.id)).toMatchObject({ votes: 19, setAside: 19 })
    expect(await decide('count again', flag.id)).toEqual({ ok: true, votes: 19 })
    expect(await tallyOfTarget()).toEqual([28, 31, 0])
    await expectTrueTallies()
  })

  it('stays so while another flag sets it aside too', async () => {
    const flag = await theFlag()
    const other = await database.db
      .insertInto('vote_flag')
      .values({
        ...{ rule: 'alike', key: null, found_at: clock(), grown_at: clock(), decided_at: null },
        evidence: JSON.stringify(flag.evidence),
      })
      .returning('id')
      .executeTakeFirstOrThrow()
    await database.db
      .insertInto('vote_flag_vote')
      .values(
        ring.slice(0, 7).map(({ id }) => ({
          ...{ flag_id: other.id, subscriber_id: id, tool_id: target(), found_at: clock() },
        })),
      )
      .execute()

    await decide('set aside', flag.id)
    await decide('set aside', other.id)
    expect(await decide('count again', flag.id)).toEqual({ ok: true, votes: 13 })

    expect(await tallyOfTarget()).toEqual([23, 30, 7])
    expect(await decide('count again', other.id)).toEqual({ ok: true, votes: 7 })
    await expectTrueTallies()
  })
})

describe('whatever happens at the same time', () => {
  type Step =
    | { readonly what: 'cast'; readonly who: number; readonly on: 0 | 1; readonly verdict: ReviewVerdict }
    | { readonly what: 'erase'; readonly who: number }
    | { readonly what: 'decide'; readonly verb: FlagVerb }
    | { readonly what: 'watch' }

  const steps: fc.Arbitrary<readonly Step[]> = fc.array(
    fc.oneof(
      {
        weight: 10,
        arbitrary: fc.record({
          ...{ what: fc.constant('cast' as const), who: fc.nat(59) },
          ...{ on: fc.constantFrom(0 as const, 1 as const), verdict: fc.constantFrom('ship', 'skip') },
        }),
      },
      { weight: 1, arbitrary: fc.record({ what: fc.constant('erase' as const), who: fc.nat(59) }) },
      {
        weight: 3,
        arbitrary: fc.record({
          what: fc.constant('decide' as const),
          verb: fc.constantFrom<FlagVerb>('leave', 'set aside', 'count again'),
        }),
      },
      { weight: 1, arbitrary: fc.record({ what: fc.constant('watch' as const) }) },
    ),
    { minLength: 10, maxLength: 60 },
  )

  async function take(step: Step): Promise<unknown> {
    const voter = 'who' in step ? [...honest, ...ring][step.who] : undefined
    switch (step.what) {
      case 'cast':
        return voter && cast(voter, step.verdict, polls[step.on])
      case 'erase':
        return voter && eraseReader(deps, await publicIdOf(voter), 'page')
      case 'decide': {
        const { id } = await database.db.selectFrom('vote_flag').select('id').executeTakeFirstOrThrow()
        return decide(step.verb, id)
      }
      case 'watch':
        return watchVotes(deps)
    }
  }

  it('a tally is what its votes come to, and readers in no flag are never set aside', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (given) => {
        clock.pass('PT1M')
        if (isOnPostgres) await Promise.all(given.map(take))
        else for (const step of given) await take(step)

        await expectTrueTallies()
        const strays = await database.db
          .selectFrom('vote as v')
          .select('v.subscriber_id')
          .where('v.set_aside', '=', true)
          .where((eb) =>
            eb.not(
              eb.exists(
                eb
                  .selectFrom('vote_flag_vote as m')
                  .select('m.flag_id')
                  .whereRef('m.subscriber_id', '=', 'v.subscriber_id')
                  .whereRef('m.tool_id', '=', 'v.tool_id'),
              ),
            ),
          )
          .execute()
        expect(strays).toEqual([])
      }),
      { numRuns: 12, seed: 20261127 },
    )
  })
})
