import { isDeepStrictEqual } from 'node:util'
import type { Reply } from './reply.ts'
import { refusal } from './reply.ts'

/** The two questions that Resend's documentation leaves open (RELIABILITY 1.2). */
export type KeyRules = {
  /** Whether a request that failed binds its key to its bytes, so that other bytes are a conflict. */
  readonly bindsFailed?: boolean
  /** What "the same payload" means. */
  readonly compares?: 'bytes' | 'json'
}

/** The provider's memory of idempotency keys. */
export type Keys = {
  /** Answers by what the key is known for, else lets the batch be received. `sum` is the SHA-256 of the body. */
  once(key: string | null, sum: string, body: Buffer, receive: () => Promise<Reply>): Promise<Reply>
  /** A request that failed before anybody looked at it. */
  failed(key: string | null, sum: string, body: Buffer): void
}

type Known = { sum: string; json: unknown; until: Temporal.Instant; reply: Reply | 'running' | 'failed' }

/** Keys are forgotten 24 h of the provider's own clock after their first use. */
export function rememberKeys(
  clock: () => Temporal.Instant,
  { bindsFailed = false, compares = 'bytes' }: KeyRules,
): Keys {
  const keys = new Map<string, Known>()

  function known(key: string): Known | undefined {
    const entry = keys.get(key)
    if (!entry || entry.reply === 'running' || Temporal.Instant.compare(entry.until, clock()) > 0)
      return entry
    keys.delete(key)
    return undefined
  }

  function remember(key: string, sum: string, body: Buffer, reply: Known['reply']): void {
    const until = keys.get(key)?.until ?? clock().add({ hours: 24 })
    keys.set(key, { sum, json: compares === 'json' ? JSON.parse(body.toString()) : null, until, reply })
  }

  function isSame(entry: Known, sum: string, body: Buffer): boolean {
    if (compares === 'bytes') return entry.sum === sum
    return isDeepStrictEqual(entry.json, JSON.parse(body.toString()))
  }

  return {
    async once(key, sum, body, receive) {
      if (key === null) return receive()
      const entry = known(key)
      if (entry && !isSame(entry, sum, body)) return refusal(409, 'invalid_idempotent_request')
      if (entry?.reply === 'running') return refusal(409, 'concurrent_idempotent_requests')
      if (entry && entry.reply !== 'failed') return entry.reply

      remember(key, sum, body, 'running')
      const reply = await receive()
      if (reply.status === 200) remember(key, sum, body, reply)
      else if (bindsFailed) remember(key, sum, body, 'failed')
      else keys.delete(key)
      return reply
    },
    failed(key, sum, body) {
      if (key !== null && bindsFailed && !known(key)) remember(key, sum, body, 'failed')
    },
  }
}
