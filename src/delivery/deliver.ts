import { setTimeout as sleep } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import type { Database, IssueState } from '../../db/schema.ts'
import { cutEdition } from '../issue/edition.ts'
import type { SendOutcome, Transport } from '../mail/email.ts'
import { startPacer } from '../mail/pace.ts'
import type { WireFacts } from '../mail/wire.ts'
import type { SigningKey } from '../subscriber/token.ts'
import { type Claim, type ClaimResult, claimBatch } from './claim.ts'
import { type EpochDeps, markLedger, markLedgerNowAndThen } from './epoch.ts'
import { personalise } from './personalise.ts'
import { recordOutcome } from './record.ts'
import { loadEdition } from './send.ts'
import { finishIssue } from './settle.ts'

export type DeliverDeps = EpochDeps & {
  readonly transport: Transport
  readonly wire: WireFacts
  readonly listId: string
  readonly keys: readonly SigningKey[]
  /** Names this process in the ledger. */
  readonly worker: string
  /** Called after each recorded batch. */
  readonly onProgress?: (mails: number, outcome: SendOutcome['kind']) => void
}

/** `waiting`: what is left may be tried again from that instant on. */
export type Delivered =
  | { readonly kind: 'finished'; readonly state: IssueState }
  | { readonly kind: 'waiting'; readonly until: Temporal.Instant }
  | { readonly kind: 'stopped' }

/**
 * Claims, personalises, sends and records batches until none can be claimed now, keeping as many calls in flight as the
 * transport allows. Any number of processes may do this at once. After `stop` no batch is claimed; calls in flight end.
 */
export async function deliverIssue(
  deps: DeliverDeps,
  issueId: number,
  stop?: AbortSignal,
): Promise<Delivered> {
  const pacer = startPacer(deps.transport.perSecond)
  const lanes = Array.from({ length: deps.transport.concurrency }, () => drain(deps, issueId, pacer, stop))
  const ended = await Promise.allSettled(lanes)
  await markLedger(deps)
  const broken = ended.find((lane) => lane.status === 'rejected')
  if (broken) throw broken.reason
  const ends = ended.flatMap((lane) => (lane.status === 'fulfilled' ? [lane.value] : []))
  if (stop?.aborted) return { kind: 'stopped' }

  const waits = ends.filter((end) => end.kind === 'waiting').map((end) => end.until)
  const [first] = waits.sort(Temporal.Instant.compare)
  if (first && !(await isPaused(deps.db, issueId))) return { kind: 'waiting', until: first }
  return { kind: 'finished', state: await finishIssue(deps, issueId) }
}

/** Delivers to the end, sleeping through the waits that the provider asks for. */
export async function deliverToTheEnd(
  deps: DeliverDeps,
  issueId: number,
  stop?: AbortSignal,
): Promise<Delivered> {
  for (;;) {
    const delivered = await deliverIssue(deps, issueId, stop)
    if (delivered.kind !== 'waiting') return delivered
    const wait = deps.clock().until(delivered.until).total('milliseconds')
    await sleep(Math.max(100, Math.min(wait, 5000)), undefined, stop && { signal: stop }).catch(() => {})
  }
}

async function drain(
  deps: DeliverDeps,
  issueId: number,
  pacer: ReturnType<typeof startPacer>,
  stop?: AbortSignal,
): Promise<ClaimResult> {
  for (;;) {
    await pacer.turn(stop)
    if (stop?.aborted) return { kind: 'none' }
    const result = await claimBatch({ ...deps, repeatable: deps.transport.repeatable }, issueId)
    if (result.kind === 'settled') continue
    if (result.kind !== 'claimed') return result
    await markLedgerNowAndThen(deps)

    const outcome = await sendClaim(deps, result.claim)
    if (outcome.kind === 'retry') pacer.rest(outcome.after)
    const isRecorded = await recordOutcome(deps, result.claim, outcome)
    deps.log.info(
      {
        ...{ issue: result.claim.week, batch: result.claim.batchId, mails: result.claim.members.length },
        ...{
          outcome: outcome.kind,
          recorded: isRecorded,
          reason: 'reason' in outcome ? outcome.reason : undefined,
        },
      },
      'batch',
    )
    if (isRecorded) deps.onProgress?.(result.claim.members.length, outcome.kind)
  }
}

async function sendClaim(deps: DeliverDeps, claim: Claim): Promise<SendOutcome> {
  const key = deps.keys.find((known) => known.id === claim.keyId)
  if (!key)
    return { kind: 'halt', reason: `the signing key "${claim.keyId}" is not in SIGNING_KEYS any more` }
  const cut = cutEdition(await loadEdition(deps.db, claim.editionHash))
  const tags = { week: claim.week, batchId: claim.batchId }
  const mails = claim.members.map((member) =>
    personalise({ wire: deps.wire, listId: deps.listId, key }, cut, member, tags),
  )
  return deps.transport.send(mails, claim.idempotencyKey)
}

async function isPaused(db: Kysely<Database>, issueId: number): Promise<boolean> {
  const issue = await db.selectFrom('issue').select('state').where('id', '=', issueId).executeTakeFirst()
  return issue?.state !== 'sending'
}
