import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { reason } from './reason.ts'

/** Thrown when Resend does not tell: the message says what to do. */
export class AccountUnreadable extends Error {
  override readonly name = 'AccountUnreadable'
}

const listPage = z.object({ has_more: z.boolean().catch(false), data: z.array(z.unknown()) })

export type Answer = {
  readonly data: unknown
  readonly error: unknown
  readonly headers: Record<string, string> | null
}

/** Follows the cursor from the newest to the oldest. */
export async function* pages<Row extends { id: string }>(
  list: (at: { after?: string }) => Promise<Answer>,
  row: z.ZodType<Row>,
): AsyncGenerator<readonly Row[]> {
  let after: string | undefined
  for (;;) {
    const answer = await patiently(() => list(after === undefined ? {} : { after }))
    const page = z.object({ ...listPage.shape, data: z.array(row) }).safeParse(answer)
    if (!page.success) throw new AccountUnreadable('Resend answered with something that is not its list.')
    yield page.data.data
    after = page.data.data.at(-1)?.id
    if (!page.data.has_more || after === undefined) return
  }
}

/** Calls again after the wait that a 429 asks for, and rests when the answer says that the second is used up. */
export async function patiently(call: () => Promise<Answer>): Promise<unknown> {
  for (let tries = 0; tries < 20; tries += 1) {
    const { data, error, headers } = await call()
    if (!error) {
      if (headers?.['ratelimit-remaining'] === '0') await sleep(seconds(headers['ratelimit-reset']))
      return data
    }
    const said = refusal.parse(error)
    if (said.statusCode !== 429 || said.name !== 'rate_limit_exceeded')
      throw new AccountUnreadable(mend(said))
    await sleep(seconds(headers?.['retry-after'] ?? headers?.['ratelimit-reset']))
  }
  throw new AccountUnreadable('Resend kept asking to wait. Try again later.')
}

const refusal = z.object({
  statusCode: z.number().nullable().catch(null),
  name: z.string().catch(''),
  message: z.string().catch(''),
})

function mend({ statusCode, name, message }: z.infer<typeof refusal>): string {
  if (name === 'restricted_api_key')
    return 'RESEND_FULL_ACCESS_KEY: this key may only send. Make one with full access at Resend.'
  if (statusCode === 401 || statusCode === 403)
    return 'RESEND_FULL_ACCESS_KEY: Resend does not know this key, or does not let it read.'
  return `Resend did not tell (${reason(`${statusCode ?? 'no answer'} ${name}: ${message}`)}). Try again later.`
}

/** No question to an account takes longer than a minute. */
export function timely(): { signal: AbortSignal } {
  return { signal: AbortSignal.timeout(60_000) }
}

function seconds(named: string | undefined): number {
  const asked = Number(named)
  return 1000 * (Number.isFinite(asked) && asked > 0 ? asked : 1)
}
