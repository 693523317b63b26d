import type { Effect } from '../../vote/effect.ts'
import type { Flag } from '../../vote/list-flags.ts'
import { grouped, shortTime } from './when.ts'

/** The evidence, a name and what is known under it. */
export function evidenceRows(
  { evidence, foundAt, grownAt, setAside, votes }: Flag,
  zone: string,
): readonly { readonly name: string; readonly value: string }[] {
  const { readers, newcomers, left, networks, allNetworks, signedUp, figures } = evidence
  const [from, to] = spanOf(evidence)
  const aside = setAside === 0 ? '' : `, ${setAside === votes ? 'all' : grouped(setAside)} set aside`
  return [
    {
      name: 'Votes',
      value: `${grouped(votes)} by ${readers === 1 ? 'one reader' : `${grouped(readers)} readers`}${aside}`,
    },
    { name: 'Voted', value: `${shortTime(from, zone)} to ${shortTime(to, zone)}` },
    { name: allNetworks === 1 ? 'Network' : 'Networks', value: networkWords(networks, allNetworks) },
    {
      name: 'Confirmed within two days before',
      value: newcomers === 0 ? 'none of them' : grouped(newcomers),
    },
    ...(left > 0
      ? [{ name: 'Have left the list since', value: `${grouped(left)}; their votes count all the same` }]
      : []),
    ...(signedUp ? [{ name: 'Signed up', value: signUpWords(signedUp, zone) }] : []),
    ...(figures.chance === undefined ? [] : [{ name: 'By chance', value: chanceWords(figures.chance) }]),
    {
      name: 'Found',
      value: `${shortTime(foundAt, zone)}${foundAt.equals(grownAt) ? '' : `; last grown ${shortTime(grownAt, zone)}`}`,
    },
  ]
}

/** "Loom: 50% of 60 readers now, 25% of 40 without them" */
export function effectRows(effects: readonly Effect[], names: Flag['names']) {
  return effects.map(({ toolId, now, without, with: all }) => ({
    ...{ name: names.get(toolId) ?? 'a tool', now: countWords(now) },
    ...{ without: countWords(without), all: countWords(all) },
  }))
}

function countWords({ ship, skip }: Effect['now']): string {
  const votes = ship + skip
  return votes === 0 ? 'no votes' : `${Math.round((100 * ship) / votes)}% of ${grouped(votes)}`
}

function spanOf({ from, to }: Flag['evidence']): [Temporal.Instant, Temporal.Instant] {
  return [Temporal.Instant.from(from), Temporal.Instant.from(to)]
}

/** "14, no two votes from one", "6: 203.0.… (9 votes) and 5 more" */
function networkWords(networks: Flag['evidence']['networks'], all: number): string {
  const shared = networks.filter(({ votes }) => votes > 1)
  const named = shared.map(({ network, votes }) => `${network} (${grouped(votes)} votes)`).join(', ')
  if (all === 1) return named
  if (shared.length === 0) return `${grouped(all)}, no two votes from one`
  const more = all - shared.length
  return `${grouped(all)}: ${named}${more > 0 ? ` and ${grouped(more)} more` : ''}`
}

function signUpWords({ from, to, form }: NonNullable<Flag['evidence']['signedUp']>, zone: string): string {
  const [first, last] = [from, to].map((at) => shortTime(Temporal.Instant.from(at), zone))
  return `${first} to ${last}${form ? `, all by ${form}` : ''}`
}

/** "less than once in 300 million" */
function chanceWords(chance: number): string {
  const times = 1 / Math.max(chance, 1e-12)
  const [size, unit] = times >= 1e9 ? [1e9, ' billion'] : times >= 1e6 ? [1e6, ' million'] : [1, '']
  return `less than once in ${grouped(Number(Math.floor(times / size).toPrecision(1)))}${unit}`
}
