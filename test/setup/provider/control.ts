import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { z } from 'zod'

/** What can be asked of a running provider, on a port that mail never sees. */
export const order = z.strictObject({
  /** Moves the provider's clock on: keys are forgotten after 24 h of it, and quotas begin anew each day of it. */
  advance: z.string().optional(),
  /** Replaces the faults to come, worded as `--faults` is. */
  faults: z.string().optional(),
  dailyQuota: z.number().nullable().optional(),
})
export type Order = z.infer<typeof order>

/** What a provider has seen. */
export type Stats = {
  readonly accepted: number
  readonly requests: number
  /** Requests under a key that had been used with other bytes before: I5 wants none. */
  readonly otherBytes: number
}

/** Serves `POST /__control` with an order (`{}` asks only); the answer is what was seen so far. */
export async function openControl(carryOut: (order: Order) => Stats) {
  const server = createServer(async (request, response) => {
    const parsed = order.safeParse(JSON.parse((await text(request)) || '{}'))
    if (request.url !== '/__control' || !parsed.success) return response.writeHead(400).end()
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(carryOut(parsed.data)))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return { url: `http://127.0.0.1:${portOf(server.address())}`, close: () => server.close() }
}

export function portOf(bound: AddressInfo | string | null): number {
  if (bound === null || typeof bound === 'string') throw new Error('The fake provider is not on a port.')
  return bound.port
}
