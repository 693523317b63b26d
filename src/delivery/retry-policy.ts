/** What decides whether a batch in doubt may be sent again. `keyAge` is since the key's first use; null when it never was used. */
export type RepeatFacts = {
  readonly repeatable: boolean
  readonly someoneLeft: boolean
  readonly sameBytes: boolean
  readonly keyAge: Temporal.Duration | null
}

/** Resend forgets a key after 24 h; an hour earlier a doubtful batch goes to a person instead (RELIABILITY 3.4). */
export const keyLife = Temporal.Duration.from({ hours: 23 })

/** Why a batch in doubt must not simply be sent again (RELIABILITY 3.4); undefined when it may. */
export function whyNotRepeat({
  repeatable,
  someoneLeft,
  sameBytes,
  keyAge,
}: RepeatFacts): string | undefined {
  if (!repeatable) return 'the answer was lost, and this transport cannot repeat a call safely'
  if (someoneLeft) return 'the answer was lost, and a member has left since'
  if (!sameBytes) return 'the answer was lost, and the same bytes cannot be made again'
  if (keyAge && Temporal.Duration.compare(keyAge, keyLife) >= 0)
    return 'the answer was lost, and the idempotency key is too old to repeat'
  return undefined
}
