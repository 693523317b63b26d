import type { SignUp } from './sign-up.ts'

type Waiting = {
  readonly signUp: SignUp
  readonly done: () => void
  readonly failed: (error: unknown) => void
}

/** More than this in one statement would make the first wait for the last. */
const most = 500

/**
 * Collects sign-ups while a statement is under way and writes them together with the next one (group commit): under
 * load one round trip serves many readers. Each is answered once its own is committed.
 */
export function collectSignUps(
  write: (batch: readonly SignUp[]) => Promise<void>,
): (signUp: SignUp) => Promise<void> {
  const waiting: Waiting[] = []
  let isWriting = false

  async function writeAll(): Promise<void> {
    isWriting = true
    while (waiting.length > 0) {
      const batch = waiting.splice(0, most)
      try {
        await write(batch.map(({ signUp }) => signUp))
        for (const { done } of batch) done()
      } catch (error) {
        for (const { failed } of batch) failed(error)
      }
    }
    isWriting = false
  }

  return (signUp) =>
    new Promise((done, failed) => {
      waiting.push({ signUp, done, failed })
      if (!isWriting) void writeAll()
    })
}
