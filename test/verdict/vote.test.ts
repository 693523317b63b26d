import { describe, expect, it } from 'vitest'
import type { CommunityCount } from '../../src/verdict/comparison.ts'
import { communityVote, fewestVotes } from '../../src/verdict/vote.ts'
import { documentFor, toComparison } from '../setup/comparisons.ts'

describe('the community vote', () => {
  it.each<[string, CommunityCount | undefined, ReturnType<typeof communityVote>]>([
    ['nothing while nobody voted', { ship: 0, skip: 0 }, null],
    ['nothing when votes are not counted', undefined, null],
    ['nothing while too few voted', { ship: 4, skip: 0 }, null],
    ['a share from five votes on', { ship: 4, skip: 1 }, { percent: 80, votes: 5 }],
    ['0 when all of them skip', { ship: 0, skip: 31 }, { percent: 0, votes: 31 }],
    ['100 when all of them ship', { ship: 31, skip: 0 }, { percent: 100, votes: 31 }],
    ['rounded to a whole number', { ship: 2, skip: 4 }, { percent: 33, votes: 6 }],
    ['rounded up at one half', { ship: 1, skip: 7 }, { percent: 13, votes: 8 }],
    ['exact for very many', { ship: 9_999_999, skip: 10_000_000 }, { percent: 50, votes: 19_999_999 }],
  ])('is %s', (_, community, vote) => {
    const { tools } = toComparison(documentFor('quillmark'))

    expect(communityVote({ ...tools[0], community })).toEqual(vote)
  })

  it('needs five readers', () => {
    expect(fewestVotes).toBe(5)
  })
})
