import type { Reply } from './reply.ts'
import { refusal, tooManyRequests } from './reply.ts'

/** So many requests a second, counted by the second or over the last one. */
export type Rate = { readonly perSecond: number; readonly window: 'fixed' | 'sliding' }

/** Counts requests. Each `admit` is one request: a refusal, or undefined; the headers say what is left. */
export type RateLimit = { admit(): { refused: Reply | undefined; headers: Record<string, string> } }

/** Without a rate everything is admitted, and the headers allow a thousand a second. */
export function limitRate(rate: Rate | undefined): RateLimit {
  if (!rate) return { admit: () => ({ refused: undefined, headers: limitHeaders(1000, 999) }) }
  let taken: number[] = []
  return {
    admit() {
      const now = performance.now()
      taken = taken.filter((at) => (rate.window === 'fixed' ? second(at) === second(now) : at > now - 1000))
      const isOver = taken.length >= rate.perSecond
      if (!isOver) taken.push(now)
      const headers = limitHeaders(rate.perSecond, rate.perSecond - taken.length)
      return { refused: isOver ? tooManyRequests(1) : undefined, headers }
    },
  }
}

/** Mails that a day takes, by the provider's own clock; a batch that does not fit is refused whole. */
export function countQuota(
  clock: () => Temporal.Instant,
  perDay: () => number,
): (mails: number) => Reply | undefined {
  let day = ''
  let used = 0
  return (mails) => {
    const today = clock().toString().slice(0, 10)
    if (today !== day) used = 0
    day = today
    if (used + mails > perDay()) return refusal(429, 'daily_quota_exceeded')
    used += mails
    return undefined
  }
}

function second(at: number): number {
  return Math.floor(at / 1000)
}

/** As recorded from Resend: https://github.com/resend/resend-node, `ratelimit-policy: N;w=1`. */
function limitHeaders(perSecond: number, left: number): Record<string, string> {
  return {
    'ratelimit-limit': String(perSecond),
    'ratelimit-remaining': String(left),
    'ratelimit-reset': '1',
    'ratelimit-policy': `${perSecond};w=1`,
  }
}
