import { z } from 'zod'
import { seeded } from '../seeded.ts'

const plainKinds = [
  'reset-early',
  'reset-before',
  'accept-and-reset',
  'accept-and-hang',
  'hang',
  '500-before',
  '500-after',
  'truncated',
  'html',
  'fewer-ids',
  'more-ids',
  'redirect',
  'quota',
  'concurrent',
  '401',
  '403',
  '404',
  '422',
  '451',
] as const

/**
 * One way to go wrong, for one request. `accept-and-reset`, `accept-and-hang`, `500-after`, `truncated`, `html`, `fewer-ids`
 * and `more-ids` accept the batch first; `delay` waits, then does, and `late` does, then waits; the others accept nothing.
 */
export type Fault =
  | { kind: (typeof plainKinds)[number] }
  | { kind: 'delay' | 'late'; ms: number }
  | { kind: 'rate-limit'; retryAfter: number }

/** What a provider asks for each request in turn: its number from 0 comes in, a fault or none comes out. */
export type Faults = (request: number) => Fault | undefined

/** `delay:500`, `late:500`, `rate-limit:3`, or a bare kind. */
const faultWord = z.string().transform((word, context): Fault => {
  const [kind = '', figure = '1'] = word.split(':')
  const plain = z.enum(plainKinds).safeParse(kind).data
  if (plain) return { kind: plain }
  if (kind === 'delay' || kind === 'late') return { kind, ms: Number(figure) }
  if (kind === 'rate-limit') return { kind, retryAfter: Number(figure) }
  context.addIssue(`No fault is called ${word}.`)
  return z.NEVER
})

/** A list of faults for the first requests (`500-after,delay:500`), or a share of all requests (`20%`) drawn with the seed. */
export function parseFaults(words: string, seed: number): Fault[] | Faults {
  const [, percent] = /^(\d+(?:\.\d+)?)%$/.exec(words) ?? []
  if (percent) return randomFaults(seed, Number(percent) / 100)
  return z.array(faultWord).parse(words.split(',').filter(Boolean))
}

/** Transient faults for a share of the requests. The same seed, share and request number give the same fault. */
export function randomFaults(seed: number, share: number): Faults {
  return (request) => {
    const random = seeded(seed * 1_000_003 + request)
    if (random() >= share) return undefined
    const draw = transient[Math.floor(random() * transient.length)]
    return draw?.(Math.floor(100 + random() * 1_100))
  }
}

const transient: readonly ((ms: number) => Fault)[] = [
  () => ({ kind: 'reset-early' }),
  () => ({ kind: 'reset-before' }),
  () => ({ kind: 'accept-and-reset' }),
  () => ({ kind: '500-before' }),
  () => ({ kind: '500-after' }),
  () => ({ kind: 'truncated' }),
  () => ({ kind: 'html' }),
  () => ({ kind: 'fewer-ids' }),
  () => ({ kind: 'more-ids' }),
  () => ({ kind: 'concurrent' }),
  () => ({ kind: 'rate-limit', retryAfter: 1 }),
  (ms) => ({ kind: 'delay', ms }),
  (ms) => ({ kind: 'late', ms }),
]
