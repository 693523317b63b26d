import { type ApplyDeps, applyEvents, hasEvents } from '../src/delivery/apply-events.ts'
import type { Log } from '../src/log.ts'
import type { Queue } from '../src/queue.ts'

/** What the provider reported has its effect: on deliveries, their issue's counts, and who is mailed no more. */
export async function runEvents(deps: ApplyDeps & { readonly log: Log }, stop: AbortSignal): Promise<void> {
  const applied = await applyEvents(deps, stop)
  if (applied.events > 0) deps.log.info(applied, 'events')
}

/** Asks for the events that wait, in case nobody was woken when they came. */
export async function askForEvents(
  deps: Pick<ApplyDeps, 'db' | 'clock'>,
  queue: Pick<Queue, 'enqueue'>,
): Promise<void> {
  if (await hasEvents(deps)) await queue.enqueue('take-in-events')
}
