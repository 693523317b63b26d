import { setTimeout as sleep } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import type { Database, IssueState } from '../../db/schema.ts'
import { cutEdition } from '../issue/edition.ts'
import type { Log } from '../log.ts'
import type { SendOutcome, Transport } from '../mail/email.ts'
import { openPacer, type Pacer } from '../mail/pace.ts'
import type { WireFacts } from '../mail/wire.ts'
import type { SigningKey } from '../subscriber/token.ts'
import { type Claim, type ClaimResult, claimBatch } from './claim.ts'
import type { DailyLimit } from './daily-limit.ts'
import { type EpochDeps, markLedger, markLedgerNowAndThen } from './epoch.ts'
import { type Mailing, openMailing } from './mailing.ts'
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
  readonly dailyLimit?: DailyLimit | undefined
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
  const pacer = openPacer(deps)
  const mailings = keepMailings(deps)
  const lane = () => drain(deps, issueId, pacer, mailings, stop)
  const lanes = [lane()]
  await Promise.race([pacer.told, ...lanes.map((first) => first.catch(() => {}))])
  for (let more = 1; more < deps.transport.concurrency; more += 1) lanes.push(lane())
  const ended = await Promise.allSettled(lanes)
  await markLedger(deps)
  const broken = ended.find((lane) => lane.status === 'rejected')
  if (broken) throw broken.reason
  const ends = ended.flatMap((lane) => (lane.status === 'fulfilled' ? [lane.value] : []))
  if (stop?.aborted) return { kind: 'stopped' }

  const waits = ends.filter((end) => end.kind === 'waiting').map((end) => end.until)
  const [first] = waits.sort(Temporal.Instant.compare)
  const isWaiting = first && !(await isPaused(deps.db, issueId))
  // A lane also waits for what another has in flight; now that all have ended, that may have been the last of it.
  const state = await finishIssue(deps, issueId)
  return isWaiting && state === 'sending' ? { kind: 'waiting', until: first } : { kind: 'finished', state }
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
    await sleep(Math.max(100, Math.min(wait, 1000)), undefined, stop && { signal: stop }).catch(() => {})
  }
}

async function drain(
  deps: DeliverDeps,
  issueId: number,
  pacer: Pacer,
  mailingOf: (claim: Claim) => Promise<Mailing>,
  stop?: AbortSignal,
): Promise<ClaimResult> {
  for (;;) {
    const turn = await pacer.turn(stop)
    if (stop?.aborted) return { kind: 'none' }
    const result = await claimBatch({ ...deps, repeatable: deps.transport.repeatable }, issueId)
    if (result.kind === 'settled') continue
    if (result.kind === 'waiting' && isDue(deps, result.until)) {
      await sleep(aMoment)
      continue
    }
    if (result.kind !== 'claimed') return result
    await markLedgerNowAndThen(deps)

    const { claim } = result
    const send = await mailingOf(claim)
    await turn()
    const outcome = isTooLate(deps, claim) ? tooLate : await send(claim)
    await pacer.heard(outcome)
    const isRecorded = await recordOutcome(deps, claim, outcome)
    tell(deps.log, claim, outcome, isRecorded)
    if (isRecorded) deps.onProgress?.(claim.members.length, outcome.kind)
  }
}

/** Somebody holds what could be claimed: another worker that claims it, or a reader who is leaving. Neither takes long. */
function isDue({ clock }: DeliverDeps, until: Temporal.Instant): boolean {
  return Temporal.Instant.compare(until, clock()) <= 0
}

/** In milliseconds. */
const aMoment = 50

/** A machine that slept between its claim and its call: by now another has the batch, or the provider has forgotten its key. */
function isTooLate({ clock }: DeliverDeps, { leaseUntil }: Claim): boolean {
  return Temporal.Instant.compare(clock(), leaseUntil) >= 0
}

const tooLate: SendOutcome = {
  kind: 'retry',
  after: Temporal.Duration.from({ seconds: 0 }),
  reason: 'its lease had ended before the call',
}

function tell(log: Log, claim: Claim, outcome: SendOutcome, recorded: boolean): void {
  log.info(
    {
      ...{ issue: claim.week, batch: claim.batchId, mails: claim.members.length },
      ...{ outcome: outcome.kind, recorded, reason: 'reason' in outcome ? outcome.reason : undefined },
    },
    'batch',
  )
}

/** Each edition is loaded and prepared once, whatever the number of its batches. */
function keepMailings(deps: DeliverDeps): (claim: Claim) => Promise<Mailing> {
  const kept = new Map<string, Promise<Mailing>>()
  return (claim) => {
    const name = `${claim.editionHash} ${claim.keyId}`
    const known = kept.get(name) ?? mailingFor(deps, claim)
    kept.set(name, known)
    return known
  }
}

async function mailingFor(deps: DeliverDeps, { editionHash, keyId, week }: Claim): Promise<Mailing> {
  const key = deps.keys.find((known) => known.id === keyId)
  if (!key)
    return async () => ({
      kind: 'halt',
      reason: `the signing key "${keyId}" is not in SIGNING_KEYS any more`,
    })
  const cut = cutEdition(await loadEdition(deps.db, editionHash))
  return openMailing({ ...deps, key }, cut, week)
}

async function isPaused(db: Kysely<Database>, issueId: number): Promise<boolean> {
  const issue = await db.selectFrom('issue').select('state').where('id', '=', issueId).executeTakeFirst()
  return issue?.state !== 'sending'
}
