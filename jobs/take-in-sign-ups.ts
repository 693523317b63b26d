import type { Queue } from '../src/queue.ts'
import { type TakeInDeps, takeInSignUps } from '../src/subscriber/sign-up.ts'

/** What was typed into the sign-up forms becomes readers and letters to them; then somebody is asked to send those. */
export async function runTakeIn(
  deps: TakeInDeps,
  queue: Pick<Queue, 'enqueue'>,
  stop: AbortSignal,
): Promise<void> {
  const fates = await takeInSignUps(deps, stop)
  if (fates.posted) await queue.enqueue('send-letters')
}
