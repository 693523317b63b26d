import type { Queue } from '../src/queue.ts'
import { hasLettersDue, type LetterDeps, sendLetters } from '../src/subscriber/send-letters.ts'
import { hasSignUps } from '../src/subscriber/sign-up.ts'

/** The letters that are due go out. What could not go now is asked for again by the minute. */
export async function runLetters(deps: LetterDeps, stop: AbortSignal): Promise<void> {
  const { sent, halted } = await sendLetters(deps, stop)
  if (halted) deps.log.error({ sent }, 'no letter can leave')
}

/** Asks for whatever waits, in case nobody was woken when it came. */
export async function askForMail(
  deps: Pick<LetterDeps, 'db' | 'clock'>,
  queue: Pick<Queue, 'enqueue'>,
): Promise<void> {
  if (await hasSignUps(deps)) await queue.enqueue('take-in-sign-ups')
  if (await hasLettersDue(deps)) await queue.enqueue('send-letters')
}
