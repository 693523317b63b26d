import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { watchVotes } from '../../src/vote/watch.ts'
import { type Crowd, honestVotes, openPolls, type Poll, storeVotes } from '../setup/crowd.ts'
import { emptyWhenQuiet, useDatabase } from '../setup/database.ts'

const database = useDatabase()
const after = Temporal.Instant.from('2026-11-20T13:00:00Z')

/** Often in the hours after a mail, then twice a day. */
function looks(polls: readonly Poll[]): readonly Temporal.Instant[] {
  const mailings = [...new Set(polls.map(({ mailedAt }) => mailedAt))]
  const minutes = [10, 20, 30, 40, 60, 90, 120, 240, 480, 900, 1440, 2200, 2900, 4000, 5000, 7000, 9000]
  return [...mailings.flatMap((at) => minutes.map((many) => at.add({ minutes: many }))), after]
}

const share = (max: number) => fc.double({ min: 0, max, noNaN: true })
const crowds: fc.Arbitrary<Crowd> = fc.record({
  readers: fc.constant(5000),
  turnout: fc.double({ min: 0.05, max: 0.4, noNaN: true }),
  ...{ haters: share(0.06), lovers: share(0.06), leadOnly: share(0.4), thorough: share(0.4) },
  ...{ prompt: share(0.1), newcomers: share(0.3) },
})

describe('five thousand honest readers', () => {
  it('are not flagged, whatever their habits, as they vote or all at once', {
    timeout: 600_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        crowds,
        fc.integer({ min: 1, max: 1e6 }),
        fc.boolean(),
        async (crowd, seed, isLive) => {
          await emptyWhenQuiet(database.db)
          const polls = await openPolls(database.db, { issues: 5, comparisons: 4 })
          const ballots = await honestVotes(database.db, polls, crowd, seed)
          await storeVotes(database.db, ballots)

          let seen = 0
          for (const now of isLive ? looks(polls) : [after])
            seen += (await watchVotes({ db: database.db, clock: () => now })).votes

          expect(seen).toBe(ballots.length)
          expect(
            await database.db.selectFrom('vote_flag').select(['rule', 'key', 'evidence']).execute(),
          ).toEqual([])
        },
      ),
      { numRuns: 4, seed: 20261127 },
    )
  })
})
