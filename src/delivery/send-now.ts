import { recordDecision } from '../issue/decision.ts'
import { type DraftDeps, dropRetracted } from '../issue/draft.ts'
import { openForSending, type Readiness } from './send.ts'

type Deps = Parameters<typeof openForSending>[0] & DraftDeps

/**
 * An editor sends an issue ahead of its time, or long after it: its audience is frozen, and a worker goes on from there.
 * Only the edition that they saw is sent; one that has lost a comparison since is another.
 */
export async function sendNow(deps: Deps, week: string, by: string, seen: string): Promise<Readiness> {
  await dropRetracted(deps, week)
  const ready = await openForSending(deps, week, { early: true, seen })
  if (ready.kind !== 'ready') return ready
  const { db, clock } = deps
  await db.transaction().execute((trx) =>
    recordDecision(trx, {
      ...{ at: clock(), by, what: 'send now', issueId: ready.issue.id, evidence: { edition: seen } },
    }),
  )
  return ready
}
