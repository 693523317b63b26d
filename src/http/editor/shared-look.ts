/** Whoever watches a thing is told what it looks like, first at once and then each time somebody looked again. */
export type SharedLook<Value> = {
  /** Returns how to stop. */
  watch(id: number, tell: (value: Value) => void): () => void
  watchers(): number
}

type Watched<Value> = {
  readonly tells: Set<(value: Value) => void>
  last: Value | undefined
  timer: NodeJS.Timeout | undefined
}

/**
 * One look at a time at each thing that is watched, `every` so many milliseconds, however many watch it. A look that fails
 * is told to `failed`, and the next is taken all the same. A look is given what the one before it saw.
 */
export function shareLooks<Value>(
  look: (id: number, last: Value | undefined) => Promise<Value>,
  every: number,
  failed: (error: unknown) => void,
): SharedLook<Value> {
  const all = new Map<number, Watched<Value>>()

  async function lookAgain(id: number, watched: Watched<Value>): Promise<void> {
    try {
      const value = await look(id, watched.last)
      watched.last = value
      for (const tell of watched.tells) tell(value)
    } catch (error) {
      failed(error)
    }
    if (watched.tells.size > 0) watched.timer = setTimeout(() => void lookAgain(id, watched), every).unref()
  }

  function begin(id: number): Watched<Value> {
    const watched: Watched<Value> = { tells: new Set(), last: undefined, timer: undefined }
    all.set(id, watched)
    queueMicrotask(() => void lookAgain(id, watched))
    return watched
  }

  return {
    watch(id, tell) {
      const watched = all.get(id) ?? begin(id)
      watched.tells.add(tell)
      if (watched.last !== undefined) tell(watched.last)
      return () => {
        watched.tells.delete(tell)
        if (watched.tells.size > 0 || all.get(id) !== watched) return
        clearTimeout(watched.timer)
        all.delete(id)
      }
    },
    watchers: () => [...all.values()].reduce((sum, { tells }) => sum + tells.size, 0),
  }
}
