type Waiting<T> = {
  readonly item: T
  readonly done: () => void
  readonly failed: (error: unknown) => void
}

/** More than this in one statement would make the first wait for the last. */
const most = 500
/** While one commits, the next is prepared; PostgreSQL writes both to disk together. */
const atOnce = 2

/**
 * Collects items while statements are under way and writes them together with the next one (group commit): under load
 * one round trip serves many requests. Each is answered once its own is committed.
 */
export function groupCommit<T>(write: (batch: readonly T[]) => Promise<void>): (item: T) => Promise<void> {
  const waiting: Waiting<T>[] = []
  let writing = 0

  async function writeAll(): Promise<void> {
    writing++
    while (waiting.length > 0) {
      const batch = waiting.splice(0, most)
      try {
        await write(batch.map(({ item }) => item))
        for (const { done } of batch) done()
      } catch (error) {
        for (const { failed } of batch) failed(error)
      }
    }
    writing--
  }

  return (item) =>
    new Promise((done, failed) => {
      waiting.push({ item, done, failed })
      if (writing < atOnce) void writeAll()
    })
}
