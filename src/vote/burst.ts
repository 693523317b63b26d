import type { ReviewVerdict } from '../../db/schema.ts'
import { chanceOfAsMany } from './chance.ts'

/** Votes on a tool in a direction within ten minutes; `at` counts those since 1970. */
export type Slice = {
  readonly toolId: number
  readonly verdict: ReviewVerdict
  readonly at: number
  readonly votes: number
  readonly newcomers: number
}

/** Too many votes between two slices, the second excluded, where about `usual` would have come. */
export type PaceBurst = {
  readonly toolId: number
  readonly verdict: ReviewVerdict
  readonly from: number
  readonly to: number
  readonly usual: number
  readonly chance: number
}

/** Too many of a tool's votes by readers who had just come; of 100 votes on the other tools `usual` are by such. */
export type NewcomerBurst = {
  readonly toolId: number
  readonly verdict: ReviewVerdict
  readonly usual: number
  readonly chance: number
}

/** How a network voted on a tool, and how many of those votes are by newcomers. */
export type FromNetwork = {
  readonly ship: number
  readonly skip: number
  readonly newShip: number
  readonly newSkip: number
}

/** A network that is not like the rest: all one way (`direction`), or its voters all new (`newcomers`). */
export type NetworkBurst = {
  readonly verdict: ReviewVerdict
  readonly by: 'direction' | 'newcomers'
  /** Of 100 votes elsewhere so many are like theirs. */
  readonly usual: number
  readonly chance: number
}

/**
 * What chance explains once in a million is not flagged. An issue has some hundred windows, tools and networks with enough
 * votes to be judged, so that honest voting is flagged less than once in a thousand issues.
 */
export const onceInAMillion = 1e-6

/** Fewer votes than this move no result far enough to trouble an editor, and chance makes as many. */
export const leastInBurst = { pace: 12, network: 8, newcomers: 12, newInNetwork: 6 } as const

/** Between the editions of a week and the readers of a morning, honest shares differ by half or double: four times is not honest. */
const manifold = 4

/** Whoever makes a burst votes one way: for each against it there are at least so many. */
const oneWay = 4

/** Ten minutes, half an hour and six hours, in slices: a rush, a link passed round, an afternoon's work. */
const widths = [1, 3, 36] as const

/**
 * Tools that were voted on more than the other tools at the same time explain, and one way. Votes peak when an issue goes
 * out, and again with each time zone and after work; but then for every tool, so a window is compared with what was voted
 * on the others within it, at the rate between them over the rest of the `season` (from one mailing to the next, because
 * another mailing has other tools). The first hour of a season has nothing to be compared with, and is judged by the next.
 */
export function paceBursts(season: readonly Slice[], tools: ReadonlySet<number>): readonly PaceBurst[] {
  const first = season.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY)
  const length = season.reduce((most, { at }) => Math.max(most, at - first + 1), 0)
  const lineOf = (slices: readonly Slice[]) => votesAt(slices, first, length)
  const all = lineOf(season)
  const byTool = Map.groupBy(season, ({ toolId }) => toolId)
  return [...tools].flatMap((toolId) => {
    const own = byTool.get(toolId) ?? []
    const [ship, skip] = (['ship', 'skip'] as const).map((way) =>
      lineOf(own.filter(({ verdict }) => verdict === way)),
    )
    if (!ship || !skip) return []
    const rest = all.map((votes, at) => votes - (ship[at] ?? 0) - (skip[at] ?? 0))
    const found = (verdict: ReviewVerdict, line: Line) =>
      windowsOf(line).map(({ from, to, ...why }) => ({
        ...{ toolId, verdict, from: from + first, to: to + first, ...why },
      }))
    return [
      ...found('ship', { own: ship, against: skip, rest }),
      ...found('skip', { own: skip, against: ship, rest }),
    ]
  })
}

/**
 * Tools with far more votes by newcomers than the other tools of the season, and one way. A list that grows in a night, or
 * is imported, brings newcomers to every tool alike.
 */
export function newcomerBursts(
  season: readonly Slice[],
  tools: ReadonlySet<number>,
): readonly NewcomerBurst[] {
  const all = total(season)
  const byTool = Map.groupBy(season, ({ toolId }) => toolId)
  return [...tools].flatMap((toolId) => {
    const own = byTool.get(toolId) ?? []
    const tool = total(own)
    const rest = { votes: all.votes - tool.votes, newcomers: all.newcomers - tool.newcomers }
    return (['ship', 'skip'] as const).flatMap((verdict) => {
      const these = total(own.filter((slice) => slice.verdict === verdict))
      const against = tool.newcomers - these.newcomers
      if (these.newcomers < leastInBurst.newcomers || these.newcomers < oneWay * against) return []
      if (these.newcomers * (rest.votes + 1) < manifold * these.votes * (rest.newcomers + 1)) return []
      const chance = chanceOfAsMany({
        ...{ seen: these.newcomers, drawn: these.votes },
        ...{ kind: these.newcomers + rest.newcomers, total: these.votes + rest.votes },
      })
      const usual = percent(rest.newcomers, rest.votes)
      return chance < onceInAMillion ? [{ toolId, verdict, usual, chance }] : []
    })
  })
}

/**
 * A network whose readers vote one way on a tool on which the others do not, or of which far more have just come. How many
 * vote from one network is no evidence: offices, universities and mobile networks have hundreds behind one address. A
 * company whose people disagree as other people do is like the rest, however many they are.
 */
export function networkBurst(
  here: FromNetwork,
  tool: { readonly ship: number; readonly skip: number },
  season: { readonly votes: number; readonly newcomers: number },
): NetworkBurst | undefined {
  const verdict = here.ship >= here.skip ? 'ship' : 'skip'
  const drawn = here.ship + here.skip
  const seen = here[verdict]
  const fresh = verdict === 'ship' ? here.newShip : here.newSkip
  if (seen < oneWay * 2 * (drawn - seen)) return undefined
  const others = { seen: tool[verdict] - seen, votes: tool.ship + tool.skip - drawn }
  const direction = chanceOfAsMany({
    ...{ seen, drawn, kind: seen + Math.max(0, others.seen), total: drawn + Math.max(0, others.votes) },
  })
  if (seen >= leastInBurst.network && direction < onceInAMillion)
    return { verdict, by: 'direction', usual: percent(others.seen, others.votes), chance: direction }
  const newcomers = chanceOfAsMany({
    ...{ seen: fresh, drawn, kind: Math.max(fresh, season.newcomers), total: Math.max(drawn, season.votes) },
  })
  if (fresh >= leastInBurst.newInNetwork && newcomers < onceInAMillion)
    return {
      ...{ verdict, by: 'newcomers', chance: newcomers },
      usual: percent(season.newcomers - fresh, season.votes - drawn),
    }
  return undefined
}

/** Votes in each slice: of the tool in the direction, of the tool in the other, and on all other tools. */
type Line = { readonly own: Float64Array; readonly against: Float64Array; readonly rest: Float64Array }
type Window = { readonly from: number; readonly to: number; readonly usual: number; readonly chance: number }

/** The bursts, one after another: what is one already does not make the next look usual. */
function windowsOf({ own, against, rest }: Line): readonly Window[] {
  const left = own.slice()
  const found: Window[] = []
  for (
    let next = likeliest({ own: left, against, rest });
    next;
    next = likeliest({ own: left, against, rest })
  ) {
    found.push(next)
    left.fill(0, next.from, next.to)
  }
  return found
}

/** The window that is a burst most surely, among the narrowest in which there is one. */
function likeliest(line: Line): Window | undefined {
  const sums = { own: sumsOf(line.own), against: sumsOf(line.against), rest: sumsOf(line.rest) }
  const season = countsIn(sums, 0, line.own.length)
  for (const width of widths) {
    let best: Window | undefined
    for (let from = 0; from < line.own.length; from += 1) {
      if (line.own[from] === 0) continue
      const to = Math.min(from + width, line.own.length)
      const window = countsIn(sums, from, to)
      const judged = window.seen < leastInBurst.pace ? undefined : judge(window, season)
      if (judged && !(best && best.chance <= judged.chance)) best = { from, to, ...judged }
    }
    if (best) return best
  }
  return undefined
}

type Counts = { readonly seen: number; readonly against: number; readonly rest: number }

function countsIn({ own, against, rest }: Line, from: number, to: number): Counts {
  return { seen: within(own, from, to), against: within(against, from, to), rest: within(rest, from, to) }
}

function judge(window: Counts, season: Counts): { usual: number; chance: number } | undefined {
  const rate = (name: 'seen' | 'against') =>
    (season[name] - window[name] + 1) / (season.rest - window.rest + 1)
  const usual = (window.rest + 1) * rate('seen')
  const against = window.against - (window.rest + 1) * rate('against')
  if (window.seen < manifold * usual || window.seen - usual < oneWay * against) return undefined
  const chance = chanceOfAsMany({
    ...{ seen: window.seen, drawn: window.seen + window.rest },
    ...{ kind: season.seen, total: season.seen + season.rest },
  })
  return chance < onceInAMillion ? { usual, chance } : undefined
}

function votesAt(slices: readonly Slice[], first: number, length: number): Float64Array {
  const line = new Float64Array(length)
  for (const { at, votes } of slices) line[at - first] = (line[at - first] ?? 0) + votes
  return line
}

/** The votes before each slice, so that a window is one subtraction. */
function sumsOf(line: Float64Array): Float64Array {
  const sums = new Float64Array(line.length + 1)
  for (let at = 0; at < line.length; at += 1) sums[at + 1] = (sums[at] ?? 0) + (line[at] ?? 0)
  return sums
}

function within(sums: Float64Array, from: number, to: number): number {
  return (sums[to] ?? 0) - (sums[from] ?? 0)
}

function total(slices: readonly Slice[]): { votes: number; newcomers: number } {
  return slices.reduce(
    (sum, { votes, newcomers }) => ({ votes: sum.votes + votes, newcomers: sum.newcomers + newcomers }),
    { votes: 0, newcomers: 0 },
  )
}

function percent(some: number, all: number): number {
  return all <= 0 ? 0 : (100 * Math.max(0, some)) / all
}
