import type { Kysely, Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { keepBallots } from './ballot.ts'
import { findBursts } from './find-bursts.ts'
import { findRings } from './find-rings.ts'
import { keepFlag } from './keep-flag.ts'
import { lockMark, nextPage, type Page } from './page.ts'
import { keepSlices } from './slice.ts'

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock }

/** How many votes were looked at, and how many flags are new or have grown. */
export type Watched = { readonly votes: number; readonly flags: number }

/**
 * Looks at what was voted since the last look, and flags bursts and rings for the editors: page after page in the order of
 * time, each in a transaction of its own, one process at a time. No vote and no count is changed.
 */
export async function watchVotes(deps: Deps, stop?: AbortSignal): Promise<Watched> {
  let [votes, flags] = [0, 0]
  while (!stop?.aborted) {
    const seen = await deps.db.transaction().execute((trx) => lookOn(trx, deps.clock()))
    if (!seen) break
    votes += seen.votes
    flags += seen.flags
  }
  return { votes, flags }
}

async function lookOn(trx: Transaction<Database>, now: Temporal.Instant): Promise<Watched | undefined> {
  const mark = await lockMark(trx)
  const page = mark && (await nextPage(trx, mark, now))
  if (!page) return undefined
  const flags = page.votes > 0 ? await lookAt(trx, page, now) : 0
  await trx.updateTable('vote_watch').set({ looked_until: page.until }).execute()
  return { votes: page.votes, flags }
}

async function lookAt(trx: Transaction<Database>, page: Page, now: Temporal.Instant): Promise<number> {
  await keepSlices(trx, page)
  const ballots = await keepBallots(trx, page)
  let flags = 0
  for (const found of [...(await findBursts(trx, page)), ...(await findRings(trx, page, ballots))])
    if (await keepFlag(trx, found, now)) flags += 1
  return flags
}
