import type { Kysely } from 'kysely'
import type { Database } from '../db/schema.ts'
import type { Clock } from '../src/clock.ts'
import type { Log } from '../src/log.ts'
import type { Queue } from '../src/queue.ts'
import { hasNewVotes } from '../src/vote/page.ts'
import { watchVotes } from '../src/vote/watch.ts'

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock; readonly log: Log }

/** What was voted since is looked through for bursts and rings. They are for the editors to judge: nothing is taken out of a count. */
export async function runWatch(deps: Deps, stop: AbortSignal): Promise<void> {
  const watched = await watchVotes(deps, stop)
  if (watched.votes > 0) deps.log.info(watched, 'votes looked at')
}

/** Asks for a look where there is something to look at. */
export async function askForWatch(
  { db, clock }: Pick<Deps, 'db' | 'clock'>,
  queue: Pick<Queue, 'enqueue'>,
): Promise<void> {
  if (await hasNewVotes(db, clock())) await queue.enqueue('watch-votes')
}
