/** Calls that have begun and not ended; `settled` waits for every one of them. */
export type InFlight = {
  run<T>(call: Promise<T>): Promise<T>
  settled(): Promise<void>
}

/** Keeps count of calls, so that closing a transport can wait for what is under way. */
export function inFlight(): InFlight {
  const calls = new Set<Promise<unknown>>()
  return {
    async run(call) {
      calls.add(call)
      try {
        return await call
      } finally {
        calls.delete(call)
      }
    },
    async settled() {
      await Promise.allSettled(calls)
    },
  }
}
