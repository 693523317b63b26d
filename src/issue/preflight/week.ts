import { type Finding, found } from './finding.ts'

/** Whether there is enough to say: against what an issue must have, and what one usually has. */
export function weekFinding(count: number, least: number, earlier: readonly number[]): Finding {
  const usual = median(earlier)
  const evidence = [
    `${comparisons(count)} in this issue`,
    `at least ${least} (MIN_COMPARISONS)`,
    ...(usual === undefined
      ? ['no earlier issue']
      : [`${usual} in the middle of the last ${earlier.length} issues`]),
  ]
  if (count < Math.max(least, 1))
    return found(
      'week',
      'block',
      `${comparisons(count)}, fewer than the ${Math.max(least, 1)} that make an issue`,
      { evidence },
    )
  if (usual !== undefined && count * 2 <= usual)
    return found('week', 'warn', `a thin week: ${comparisons(count)}, and usually there are ${usual}`, {
      evidence,
    })
  return found('week', 'pass', comparisons(count), { evidence })
}

function median(counts: readonly number[]): number | undefined {
  return counts.toSorted((a, b) => a - b)[Math.floor((counts.length - 1) / 2)]
}

function comparisons(count: number): string {
  return count === 1 ? '1 comparison' : `${count} comparisons`
}
