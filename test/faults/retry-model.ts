/**
 * The model of RELIABILITY 3.4: one batch of two readers, A and B; a provider with keys; up to four attempts; two crashes or
 * timeouts, whose requests stay in the network and may arrive later, or whose answers are lost; one 5xx, before or after
 * the batch was taken; one 429; B may unsubscribe at any instant; and the key may be forgotten while nothing is under way.
 * Every interleaving is explored.
 */

/** Who is in a request: both readers, or A alone once B has left. */
export type Payload = 'AB' | 'A'

/** What a policy may know when it claims the batch. */
export type Known = {
  readonly left: boolean
  /** Whether an earlier attempt may have been accepted. */
  readonly doubt: boolean
  /** Of the first and the last attempt; null before any. */
  readonly first: Payload | null
  readonly last: Payload | null
  readonly key: number
  readonly isExpired: boolean
  readonly had409: boolean
}

/** A request to make, with the number of its key; a new number is a new key. */
export type Next = { readonly payload: Payload; readonly key: number } | 'quarantine'

export type Policy = {
  readonly name: string
  next(known: Known): Next
  /** `evidence`: accepted where an event proves it, else a person decides. */
  readonly on409: 'doubt' | 'replay older' | 'evidence'
  /** Whether a refused call (429) makes it forget that an earlier one may have been accepted. */
  readonly refusalClearsDoubt?: boolean
}

/** Distinct states in which an invariant is broken, of all that can be reached. */
export type Verdict = {
  readonly duplicates: number
  readonly late: number
  readonly missed: number
  readonly states: number
  readonly endings: ReadonlySet<string>
}

type Request = { n: number; payload: Payload; key: number; claimedAfterLeaving: boolean }
type Entry = { key: number; payload: Payload; isAccepted: boolean }
type State = {
  phase: 'ready' | 'calling' | 'done' | 'quarantined'
  attempts: number
  first: Payload | null
  last: Payload | null
  key: number
  doubt: boolean
  had409: boolean
  isExpired: boolean
  left: boolean
  network: Request[]
  provider: Entry[]
  gotA: number
  gotB: number
  timeouts: number
  failures: number
  refusals: number
  late: boolean
}

const start: State = {
  ...{ phase: 'ready', attempts: 0, first: null, last: null, key: 1, doubt: false, had409: false },
  ...{ isExpired: false, left: false, network: [], provider: [], gotA: 0, gotB: 0 },
  ...{ timeouts: 2, failures: 1, refusals: 1, late: false },
}

/** Explores a policy under one answer to the open question. */
export function explore(policy: Policy, bindsFailed: boolean): Verdict {
  const seen = new Set<string>()
  const open: State[] = [start]
  const endings = new Set<string>()
  let duplicates = 0
  let late = 0
  let missed = 0
  for (let state = open.pop(); state; state = open.pop()) {
    const name = JSON.stringify(state)
    if (seen.has(name)) continue
    seen.add(name)
    if (state.gotA > 1 || state.gotB > 1) duplicates += 1
    if (state.late) late += 1
    if (state.phase === 'done' && (state.gotA === 0 || (state.gotB === 0 && !state.left))) missed += 1
    if (state.phase === 'done' || state.phase === 'quarantined') endings.add(state.phase)
    open.push(...steps(state, policy, bindsFailed))
  }
  return { duplicates, late, missed, states: seen.size, endings }
}

function steps(state: State, policy: Policy, bindsFailed: boolean): State[] {
  const isQuiet = state.network.length === 0 && state.phase !== 'calling'
  return [
    ...(state.left ? [] : [{ ...state, left: true }]),
    ...(isQuiet && state.provider.length > 0 ? [{ ...state, isExpired: true, provider: [] }] : []),
    ...(state.phase === 'ready' ? [claim(state, policy)] : []),
    ...(state.phase === 'calling' && state.timeouts > 0 ? [giveUp(state)] : []),
    ...state.network.flatMap((request) => arrivals(state, request, policy, bindsFailed)),
  ]
}

function claim(state: State, policy: Policy): State {
  const next = state.attempts === 4 ? 'quarantine' : policy.next(state)
  if (next === 'quarantine') return { ...state, phase: 'quarantined' }
  const n = state.attempts + 1
  const isNewKey = next.key !== state.key
  return {
    ...{ ...state, phase: 'calling', attempts: n, first: state.first ?? next.payload, last: next.payload },
    ...{ key: next.key, isExpired: isNewKey ? false : state.isExpired },
    network: [...state.network, { n, ...next, claimedAfterLeaving: state.left }],
  }
}

/** A crash or a timeout: the request may be in the network still, or its answer on the way back. */
function giveUp(state: State): State {
  return { ...state, phase: 'ready', doubt: true, timeouts: state.timeouts - 1 }
}

/** What can become of a request that is in the network: it is lost, fails, is refused, or is looked at. */
function arrivals(state: State, request: Request, policy: Policy, bindsFailed: boolean): State[] {
  const rest = { ...state, network: state.network.filter(({ n }) => n !== request.n) }
  const isHeard = state.phase === 'calling' && state.attempts === request.n
  const bound = bindsFailed ? bind(rest, request) : rest
  const looked = lookAt(rest, request)
  const heard = (next: State, status: Status) => (isHeard ? hear(next, status, policy) : [next])
  return [
    ...(isHeard ? [] : [rest]),
    ...(state.failures > 0 ? heard({ ...bound, failures: state.failures - 1 }, 500) : []),
    ...(state.failures > 0 && looked.status === 200
      ? heard({ ...looked.state, failures: state.failures - 1 }, 500)
      : []),
    ...(state.refusals > 0 ? heard({ ...bound, refusals: state.refusals - 1 }, 429) : []),
    ...heard(looked.state, looked.status),
    ...(isHeard && state.timeouts > 0 ? [giveUp(looked.state)] : []),
  ]
}

type Status = 200 | 409 | 429 | 500

function bind(state: State, { key, payload }: Request): State {
  if (state.provider.some((entry) => entry.key === key)) return state
  return { ...state, provider: [...state.provider, { key, payload, isAccepted: false }] }
}

function lookAt(state: State, request: Request): { state: State; status: Status } {
  const known = state.provider.find(({ key }) => key === request.key)
  if (known && known.payload !== request.payload) return { state, status: 409 }
  if (known?.isAccepted) return { state, status: 200 }
  const hasB = request.payload === 'AB'
  return {
    status: 200,
    state: {
      ...{ ...state, gotA: state.gotA + 1, gotB: state.gotB + (hasB ? 1 : 0) },
      late: state.late || (hasB && request.claimedAfterLeaving),
      provider: [
        ...state.provider.filter((entry) => entry !== known),
        { key: request.key, payload: request.payload, isAccepted: true },
      ],
    },
  }
}

function hear(state: State, status: Status, policy: Policy): State[] {
  switch (status) {
    case 200:
      return [{ ...state, phase: 'done' }]
    case 429:
      return [{ ...state, phase: 'ready', doubt: policy.refusalClearsDoubt ? false : state.doubt }]
    case 500:
      return [{ ...state, phase: 'ready', doubt: true }]
    case 409: {
      if (policy.on409 !== 'evidence') return [{ ...state, phase: 'ready', doubt: true, had409: true }]
      const quarantined: State = { ...state, phase: 'quarantined' }
      return state.gotA > 0 ? [quarantined, { ...state, phase: 'done' }] : [quarantined]
    }
  }
}
