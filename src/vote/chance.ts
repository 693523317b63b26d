/** Votes of which some are of a kind: how many of those that were `drawn`, and of all. */
export type Draw = {
  readonly seen: number
  readonly drawn: number
  readonly kind: number
  readonly total: number
}

/**
 * How likely at least so many of the drawn are of the kind if they are a sample like any other: the upper tail of the
 * hypergeometric distribution, which is Fisher's exact test (R. A. Fisher, J. R. Stat. Soc. 85, 1922). It asks for no
 * model of when people vote, and says 1 where there is nothing to compare with.
 */
export function chanceOfAsMany({ seen, drawn, kind, total }: Draw): number {
  const most = Math.min(drawn, kind)
  if (seen <= Math.max(0, drawn + kind - total)) return 1
  if (seen > most) return 0
  let term = Math.exp(choose(kind, seen) + choose(total - kind, drawn - seen) - choose(total, drawn))
  let sum = term
  for (let n = seen; n < most && term > sum * 1e-12; n += 1) {
    term *= ((kind - n) * (drawn - n)) / ((n + 1) * (total - kind - drawn + n + 1))
    sum += term
  }
  return Math.min(1, sum)
}

/** How likely at least `seen` of something rare are when so many are expected: the upper tail of Poisson's distribution. */
export function chanceOfRare(seen: number, expected: number): number {
  if (seen <= 0) return 1
  let term = Math.exp(seen * Math.log(expected) - expected - logFactorial(seen))
  let sum = term
  for (let n = seen; term > sum * 1e-12; n += 1) {
    term *= expected / (n + 1)
    sum += term
  }
  return Math.min(1, sum)
}

/** The logarithm of how many ways there are to choose. */
function choose(from: number, many: number): number {
  return logFactorial(from) - logFactorial(many) - logFactorial(from - many)
}

/** Exact where it is small, else Stirling's series, which is off by less than 1e-12 there. */
function logFactorial(n: number): number {
  if (n < small.length) return small[n] ?? 0
  return (n + 0.5) * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * n) - 1 / (360 * n ** 3)
}

const small = Array.from({ length: 256 }, () => 0)
for (let n = 2; n < small.length; n += 1) small[n] = (small[n - 1] ?? 0) + Math.log(n)
