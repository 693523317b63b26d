import { describe, expect, it } from 'vitest'
import { whyNotRepeat } from '../../src/delivery/retry-policy.ts'
import { explore, type Known, type Next, type Payload, type Policy } from './retry-model.ts'

/** As `claimBatch` does it: what may be repeated is decided by our own code. */
const ours: Policy = { name: 'ours', on409: 'doubt', next: asWeDo }

/** The table of RELIABILITY 3.4, and what our own code did before: a 429 made it forget an older doubt. */
const knownBad = {
  resendAfterExpiry: {
    name: 'frozen payload, same key; re-send after expiry',
    on409: 'doubt',
    next: ({ first, left, key }) => ({ payload: first ?? whoIsThere(left), key }),
  },
  frozen: {
    name: 'frozen payload, same key; quarantine after expiry',
    on409: 'doubt',
    next: ({ first, left, key, isExpired }) =>
      isExpired ? 'quarantine' : { payload: first ?? whoIsThere(left), key },
  },
  rerender: {
    name: 're-render, new key when the payload differs',
    on409: 'doubt',
    next({ last, left, key, isExpired }) {
      if (isExpired) return 'quarantine'
      const payload = whoIsThere(left)
      return { payload, key: last === null || last === payload ? key : key + 1 }
    },
  },
  replayOlder: {
    name: 'reduced payload, same key; on 409 replay the older payload',
    on409: 'replay older',
    next: ({ first, left, key, isExpired, had409 }) =>
      isExpired ? 'quarantine' : { payload: had409 && first ? first : whoIsThere(left), key },
  },
  refusalClearsDoubt: { ...ours, name: 'ours, but a refusal clears the doubt', refusalClearsDoubt: true },
} satisfies Record<string, Policy>

const evidence: Policy = {
  name: 'reduced payload, same key; on 409 require evidence, else quarantine',
  on409: 'evidence',
  next: ({ left, key, isExpired }) => (isExpired ? 'quarantine' : { payload: whoIsThere(left), key }),
}

describe.each([
  ['only an accepted request binds its key', false],
  ['a failed request binds its key too', true],
] as const)('where %s,', (_, bindsFailed) => {
  it('our policy sends nobody two mails, nobody one after leaving, and forgets nobody', () => {
    const verdict = explore(ours, bindsFailed)

    expect(verdict).toMatchObject({ duplicates: 0, late: 0, missed: 0 })
    expect([...verdict.endings].sort()).toEqual(['done', 'quarantined'])
    expect(verdict.states).toBeGreaterThan(1_000)
  })

  it('so does the one that asks for evidence', () => {
    expect(explore(evidence, bindsFailed)).toMatchObject({ duplicates: 0, late: 0, missed: 0 })
  })

  it('the model sees what is wrong with frozen payloads that are sent again after the key has expired', () => {
    const verdict = explore(knownBad.resendAfterExpiry, bindsFailed)

    expect(verdict.duplicates).toBeGreaterThan(0)
    expect(verdict.late).toBeGreaterThan(0)
    expect(verdict.missed).toBe(0)
  })

  it('the model sees what is wrong with frozen payloads: who left gets one all the same', () => {
    const verdict = explore(knownBad.frozen, bindsFailed)

    expect(verdict).toMatchObject({ duplicates: 0, missed: 0 })
    expect(verdict.late).toBeGreaterThan(0)
  })

  it('the model sees what is wrong with a new key for other bytes', () => {
    const verdict = explore(knownBad.rerender, bindsFailed)

    expect(verdict).toMatchObject({ late: 0, missed: 0 })
    expect(verdict.duplicates).toBeGreaterThan(0)
  })

  it('the model sees what is wrong with a refusal that clears an older doubt', () => {
    const verdict = explore(knownBad.refusalClearsDoubt, bindsFailed)

    expect(verdict.duplicates).toBeGreaterThan(0)
  })
})

describe('replaying the older payload on a conflict', () => {
  it('does no harm where only an accepted request binds its key', () => {
    expect(explore(knownBad.replayOlder, false)).toMatchObject({ duplicates: 0, late: 0, missed: 0 })
  })

  it('reaches who has left where a failed request binds it too', () => {
    expect(explore(knownBad.replayOlder, true).late).toBeGreaterThan(0)
  })
})

function asWeDo({ left, doubt, last, key, isExpired }: Known): Next {
  if (doubt) {
    const someoneLeft = left && last === 'AB'
    const keyAge = Temporal.Duration.from(isExpired ? 'PT24H' : 'PT1M')
    const why = whyNotRepeat({ repeatable: true, someoneLeft, sameBytes: true, keyAge })
    return why ? 'quarantine' : { payload: last ?? 'AB', key }
  }
  const payload = whoIsThere(left)
  return { payload, key: last === null || last === payload ? key : key + 1 }
}

function whoIsThere(left: boolean): Payload {
  return left ? 'A' : 'AB'
}
